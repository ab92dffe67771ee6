"""Gated convolutions for inpainting."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import CropLike, PadToMultiple, PixelShuffle, SplitGate

DILATIONS = (2, 4, 8, 16)


def build_gated_inpainting(*, channels: int = 3, width: int = 24, name: str = "generator") -> keras.Model:
    """Builds a network of gated convolutions, whose gates learn which pixels to use.

    The first stage of "Free-Form Image Inpainting with Gated Convolution", Yu et al. 2019, arXiv:1806.03589: 5 x 5,
    then 3 x 3 gated convolutions, ELU, two halvings, four dilated convolutions in the middle, nearest-neighbor
    enlargement. A pixel of a hole sees about 150 pixels in each direction. Deviations: no second stage with contextual
    attention; the network takes the image and the mask, without the additional constant map; skip connections from
    the encoder; a linear output that starts as gray, instead of a bounded one; and images are padded by mirroring.

    Args:
        channels: Channels of the image.
        width: Channels at full resolution, after the gate; doubled at every halving.
        name: Name of the model.

    Returns:
        The generator of a list `[image, mask]`, image float32 `[batch, height, width, channels]` in [-1, 1], mask
        float32 `[batch, height, width, 1]`, 1 in holes and 0 elsewhere, to float32 of the image's shape. Outside
        of holes the image is returned exactly; its pixels inside of them are ignored.
    """
    image = keras.Input((None, None, channels), name="image")
    mask = keras.Input((None, None, 1), name="mask")
    keep = layers.Rescaling(-1.0, offset=1.0, dtype="float32", name="keep")(mask)
    known = layers.Multiply(dtype="float32", name="known")([image, keep])
    x = PadToMultiple(4, name="pad")(layers.Concatenate()([known, mask]))
    x = full_size = _gated(x, width, 5)
    x = _gated(x, width * 2, strides=2)
    x = half_size = _gated(x, width * 2)
    x = _gated(x, width * 4, strides=2)
    for dilation in (1, 1, *DILATIONS, 1, 1):
        x = _gated(x, width * 4, dilation_rate=dilation)
    x = _gated(layers.Concatenate()([_double(x), half_size]), width * 2)
    x = _gated(x, width * 2)
    x = _gated(layers.Concatenate()([_double(x), full_size]), width)
    x = _gated(x, width // 2)
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="to_image")(x)
    filled = layers.Multiply(dtype="float32", name="filled")([CropLike(name="crop")([x, image]), mask])
    outputs = layers.Add(dtype="float32", name="output")([known, filled])
    return keras.Model([image, mask], outputs, name=name)


def _gated(x, channels: int, kernel_px: int = 3, **options):
    # Twice the gain: the gate starts at one half and halves the features.
    initializer = keras.initializers.VarianceScaling(4.0, "fan_in", "truncated_normal")
    x = layers.Conv2D(channels * 2, kernel_px, padding="same", kernel_initializer=initializer, **options)(x)
    return SplitGate("elu", "sigmoid")(x)


def _double(x):
    """Nearest-neighbor doubling; `UpSampling2D` becomes twenty operations in LiteRT if the size is not fixed."""
    return PixelShuffle(2)(layers.Concatenate()([x] * 4))
