"""The default generator: a U-Net of residual blocks without normalization."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import BilinearUpsampling, CropLike, PadToMultiple, build_normalization


def build_residual_unet(
    *,
    input_channels: int = 3,
    output_channels: int = 3,
    width: int = 32,
    depth: int = 4,
    blocks: int = 1,
    middle_blocks: int = 2,
    max_width: int = 256,
    normalization: str = "none",
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net whose levels are residual blocks (3 x 3 convolutions, no normalization).

    The shape is that of Ronneberger et al. 2015 (arXiv:1505.04597) with the residual blocks of He et al.
    2016 (arXiv:1603.05027). Each block's last convolution starts at zero (Zhang et al. 2019, Fixup,
    arXiv:1901.09321), so that a deep stack trains without normalization layers: on CPUs one of those costs
    as much time as a convolution, and instance statistics make a pixel depend on the image's size. The
    output is the sum of the blocks' result and the input, whose colors pass a learned matrix: training starts
    from a copy of the input. It is linear: flat white or black is reached exactly, where tanh only comes close.
    Up-sampling is bilinear, which rules out checkerboards.

    Args:
        input_channels: Channels of the input image.
        output_channels: Channels of the output image.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        depth: Number of halvings of the resolution.
        blocks: Residual blocks at every level, on the way down and on the way up.
        middle_blocks: Residual blocks at the lowest resolution.
        max_width: Bound on the channels.
        normalization: `"none"`, `"instance"` or `"batch"`, before each activation in a block.
        name: Name of the model.

    Returns:
        The generator, with linear output.
    """
    widths = [min(width * 2**level, max_width) for level in range(depth + 1)]
    inputs = keras.Input((None, None, input_channels), name="image")
    padded = PadToMultiple(2**depth, name="pad")(inputs)
    x = layers.Conv2D(width, 3, padding="same", name="from_image")(padded)
    skips = []
    for level in range(depth):
        x = _blocks(x, blocks, normalization)
        skips.append(x)
        x = layers.Conv2D(widths[level + 1], 4, 2, padding="same", name=f"down_{level}")(x)
    x = _blocks(x, middle_blocks, normalization, name="middle")
    for level in reversed(range(depth)):
        x = layers.Conv2D(widths[level], 1, name=f"up_{level}")(x)
        x = BilinearUpsampling()(x)
        x = layers.Add()([x, skips[level]])
        x = _blocks(x, blocks, normalization)
    x = layers.Conv2D(output_channels, 3, padding="same", kernel_initializer="zeros", name="to_image")(
        layers.LeakyReLU(0.2)(x)
    )
    copied = layers.Dense(output_channels, use_bias=False, kernel_initializer="identity", name="input_colors")(padded)
    x = layers.Add()([x, copied])
    x = CropLike(name="crop")([x, inputs])
    outputs = layers.Activation("linear", dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name=name)


def _blocks(x, count: int, normalization: str, *, name: str | None = None):
    """Residual blocks; `name` is that of the last block's sum."""
    channels = x.shape[-1]
    for index in range(count):
        y = x
        for kernel_initializer in ("he_normal", "zeros"):
            layer = build_normalization(normalization)
            y = layer(y) if layer else y
            y = layers.LeakyReLU(0.2)(y)
            y = layers.Conv2D(channels, 3, padding="same", kernel_initializer=kernel_initializer)(y)
        x = layers.Add(name=name if index == count - 1 else None)([x, y])
    return x
