"""The U-Net generator of pix2pix."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import ICNR, BilinearUpsampling, CropLike, PadToMultiple, PixelShuffle, build_normalization

MAX_WIDTH_FACTOR = 8


def build_unet(
    *,
    input_channels: int = 3,
    output_channels: int = 3,
    width: int = 64,
    depth: int = 8,
    normalization: str = "instance",
    dropout: float = 0.5,
    seed: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """Builds the encoder-decoder with skip connections of pix2pix.

    "Image-to-Image Translation with Conditional Adversarial Networks", Isola et al. 2017,
    arXiv:1611.07004, section 6.1: 4 x 4 convolutions of stride 2 down to `1 / 2**depth`, widths
    64-128-256-512-512-..., dropout in the innermost three decoder blocks. Deviations: the decoder convolves
    (3 x 3) and then enlarges bilinearly, and ends in a pixel shuffle with ICNR initialization, where the paper has
    transposed convolutions, which draw checkerboards; dropout is off at inference (there it is the only noise,
    and its effect is small); images are padded to a multiple of `2**depth` inside the graph; the innermost
    blocks are not normalized (one pixel has no statistics).

    Args:
        input_channels: Channels of the input image.
        output_channels: Channels of the output image.
        width: Channels after the first convolution.
        depth: Number of halvings of the resolution; the paper's 8 is for 256 x 256 images.
        normalization: `"none"`, `"instance"` or `"batch"`.
        dropout: Rate in the innermost three decoder blocks that are followed by another.
        seed: Seed of the dropout.
        name: Name of the model.

    Returns:
        The generator, with tanh output.
    """
    widths = [width * min(2**level, MAX_WIDTH_FACTOR) for level in range(depth)]
    inputs = keras.Input((None, None, input_channels), name="image")
    x = PadToMultiple(2**depth, name="pad")(inputs)
    skips = []
    for level, channels in enumerate(widths):
        if level:
            x = layers.LeakyReLU(0.2)(x)
        x = layers.Conv2D(channels, 4, 2, padding="same", name=f"down_{level}")(x)
        if 0 < level < depth - 1:
            x = _normalize(x, normalization)
        skips.append(x)
    for level in reversed(range(depth - 1)):
        x = layers.Conv2D(widths[level], 3, padding="same", name=f"up_{level + 1}")(layers.ReLU()(x))
        x = _normalize(x, normalization) if level < depth - 2 else x
        if dropout and depth - 4 <= level < depth - 1 and level > 0:
            x = layers.Dropout(dropout, seed=seed)(x)
        x = BilinearUpsampling()(x)
        x = layers.Concatenate()([x, skips[level]])
    x = layers.Conv2D(output_channels * 4, 3, padding="same", kernel_initializer=ICNR(2), name="up_0")(layers.ReLU()(x))
    x = PixelShuffle(2)(x)
    x = CropLike(name="crop")([x, inputs])
    outputs = layers.Activation("tanh", dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name=name)


def _normalize(x, normalization: str):
    layer = build_normalization(normalization)
    return layer(x) if layer else x
