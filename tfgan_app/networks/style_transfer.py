"""Arbitrary style transfer in one pass: a fixed encoder, adaptive instance normalization and a mirrored decoder."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers, ops

from tfgan_app.layers import build_vgg16_features

LEVELS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""The first features of each block, whose statistics define a style: Huang & Belongie 2017, section 6.1."""

_DECODERS = {"relu4_1": ((4,), (4, 4, 2), (2, 1), (1,)), "relu3_1": ((4, 2), (2, 1), (1,))}
"""Width of each convolution, in units of that at full size, from the deepest block on; the size doubles in between."""


def build_style_encoder(*, level: str = "relu4_1", weights: str | Path | None = None) -> keras.Model:
    """Builds the fixed encoder: an ImageNet VGG16 up to `level`.

    Args:
        level: The last features, `relu4_1` or `relu3_1`.
        weights: See `build_vgg16_features`.

    Returns:
        Model from float32 `[batch, height, width, 3]` in [-1, 1] to the features of `LEVELS`, up to `level`.

    Raises:
        ValueError: If the weights cannot be loaded. One line.
    """
    vgg = build_vgg16_features(weights=weights)
    features = [vgg.get_layer(name).output for name in LEVELS[: LEVELS.index(level) + 1]]
    encoder = keras.Model(vgg.inputs[0], features, name="style_encoder", trainable=False)
    encoder.trainable = False
    return encoder


def build_style_decoder(
    *,
    level: str = "relu4_1",
    width: int = 64,
    channels: int = 512,
    feature_scale: float = 1.0,
    name: str = "decoder",
) -> keras.Model:
    """Builds the decoder, which mirrors the encoder: convolutions of 3 x 3, and nearest-neighbor enlargement.

    Huang & Belongie 2017, arXiv:1703.06868, section 6: no normalization, since it would undo the change of statistics.
    Deviations: it mirrors VGG16, which has one convolution less before `relu4_1` than VGG19; and padding repeats the
    outermost pixel instead of reflecting, so that it also works for a single pixel.

    Args:
        level: Level of the encoder whose features it takes.
        width: Channels at full resolution; up to four times as many below.
        channels: Channels of the features.
        feature_scale: Factor of the features at the input. Those of VGG16 have a root mean square of 5; scaled to
            1 they train the decoder in half the steps.
        name: Name of the model.

    Returns:
        Model from float `[batch, rows, columns, channels]` to float32 `[batch, 8 * rows, 8 * columns, 3]`, about in
        [-1, 1], and 4 in place of 8 for `relu3_1`. 2,915,139 parameters.
    """
    inputs = keras.Input((None, None, channels), name="features")
    x = layers.Rescaling(feature_scale, name="scaled")(inputs)
    for block, factors in enumerate(_DECODERS[level]):
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"up{block}")(x) if block else x
        for index, factor in enumerate(factors):
            x = layers.ReLU()(_convolved(x, factor * width, name=f"block{block}_{index}"))
    x = _convolved(x, 3, name="to_rgb", scale=0.01)  # Start from mid-gray: values far beyond white get little gradient.
    return keras.Model(inputs, layers.Activation("linear", dtype="float32", name="image")(x), name=name)


def _convolved(x, channels: int, *, name: str, scale: float = 2.0):
    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    variance = keras.initializers.VarianceScaling(scale, mode="fan_in", distribution="truncated_normal")
    return layers.Conv2D(channels, 3, kernel_initializer=variance, name=name)(x)
