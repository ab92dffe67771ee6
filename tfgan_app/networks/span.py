"""SPAN: an upscaler with parameter-free attention."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from tfgan_app.layers import ICNR, PixelShuffle

BLOCKS = 6


def build_span(
    *,
    scale: int = 4,
    channels: int = 3,
    width: int = 48,
    mean: Sequence[float] | None = None,
    gain: float = 1.0,
    name: str = "generator",
) -> keras.Model:
    """Builds the network of the paper, with its re-parameterized convolutions merged into 3 x 3 ones.

    "Swift Parameter-free Attention Network for Efficient Super-Resolution", Wan et al. 2024, arXiv:2311.12770: blocks
    of three convolutions with SiLU multiply their sum of input and features by `sigmoid(features) - 1/2`. `compact` is
    our variant of it for training.

    Args:
        scale: Factor of height and width.
        channels: Channels of the image.
        width: Channels of the features.
        mean: Value subtracted from each channel of the input; None for none.
        gain: Factor of the input after that. The paper's weights expect 255.
        name: Name of the model.

    Returns:
        Model from `image` float32 `[batch, height, width, channels]` to the image `scale` times as high and wide,
        float32, linear.
    """
    image = keras.Input((None, None, channels), name="image")
    x = image
    if mean is not None:
        x = layers.Rescaling(1.0, offset=[-float(each) for each in mean], name="centered")(x)
    x = layers.Rescaling(gain, name="amplified")(x) if gain != 1.0 else x
    first = x = _convolve(x, width, name="conv_1")
    outputs = []
    for index in range(1, BLOCKS + 1):
        x, inner = _block(x, name=f"block_{index}")
        outputs.append(x)
    x = _convolve(x, width, name="conv_2")
    x = layers.Concatenate(name="together")([first, x, outputs[0], inner])
    x = layers.Conv2D(width, 1, name="conv_cat")(x)
    x = layers.Conv2D(channels * scale**2, 3, padding="same", kernel_initializer=ICNR(scale), name="to_sub_pixels")(x)
    x = PixelShuffle(scale, name="shuffled")(x)
    return keras.Model(image, layers.Activation("linear", dtype="float32", name="output")(x), name=name)


def _block(x, *, name: str):
    """The block's output and the activated features of its first convolution."""
    inner = layers.Activation("silu")(_convolve(x, x.shape[-1], name=f"{name}_c1"))
    y = layers.Activation("silu")(_convolve(inner, x.shape[-1], name=f"{name}_c2"))
    y = _convolve(y, x.shape[-1], name=f"{name}_c3")
    # sigmoid(y) - 1/2, in the form that keeps its precision near 0 in low precision.
    attention = layers.Activation("tanh", name=f"{name}_attention")(y * 0.5) * 0.5
    return ops.multiply(layers.Add(name=f"{name}_sum")([y, x]), attention), inner


def _convolve(x, channels: int, *, name: str):
    return layers.Conv2D(channels, 3, padding="same", name=name)(x)
