"""Residual blocks that the networks of SNGAN and BigGAN share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers

from tfgan_app.layers import PixelShuffle

Convolution = Callable[..., layers.Layer]
"""Builds a convolution: `(channels, kernel_px)`."""


def double(x: Any) -> Any:
    """Repeats every pixel in both directions; several times as fast on CPUs as `UpSampling2D`, forward and backward."""
    return PixelShuffle(2)(layers.Concatenate()([x] * 4))


def down_block(x: Any, width: int, convolution: Convolution, shortcut: Convolution, *, first: bool) -> Any:
    """Halves the size: ReLU and 3 x 3, twice, and average pooling; beside them pooling and 1 x 1, which commute.

    Args:
        x: Features `[batch, height, width, channels]`.
        width: Channels of the result.
        convolution: Builds a convolution of the branch.
        shortcut: Builds the convolution beside it.
        first: Whether `x` are the pixels themselves, which no ReLU cuts.
    """
    y = convolution(width, 3)(x if first else layers.ReLU()(x))
    y = layers.AveragePooling2D(2)(convolution(width, 3)(layers.ReLU()(y)))
    return layers.Add()([shortcut(width, 1)(layers.AveragePooling2D(2)(x)), y])


def plain_block(x: Any, convolution: Convolution) -> Any:
    """Keeps size and channels: ReLU and 3 x 3, twice."""
    y = convolution(x.shape[-1], 3)(layers.ReLU()(x))
    return layers.Add()([x, convolution(x.shape[-1], 3)(layers.ReLU()(y))])


def summed_features(x: Any) -> Any:
    """Returns the sum over all pixels behind a ReLU: `[batch, channels]`."""
    features = layers.GlobalAveragePooling2D(name="features")(layers.ReLU()(x))
    return layers.Rescaling(float(x.shape[1] * x.shape[2]), name="sum")(features)
