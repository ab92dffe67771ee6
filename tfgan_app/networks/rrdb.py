"""RRDBNet: the dense residual network of ESRGAN."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import CropLike, DoublingConv2D, PadToMultiple, PixelShuffle, PixelUnshuffle
from tfgan_app.networks.upscaling import (
    STAGES,
    TRAINED_SCALES,
    enlarge_bicubic,
    enlargement_stages,
    image_from_features,
)

LEAK = 0.2
RESIDUAL_SCALE = 0.2
BRANCH_VARIANCE = 0.02
"""He's variance for weights a tenth as large, as in the paper."""


def build_rrdb(
    *,
    scale: int = 4,
    channels: int = 3,
    width: int = 64,
    blocks: int = 23,
    growth: int = 32,
    unshuffle: int | None = None,
    bicubic_skip: bool = True,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of ESRGAN: residual-in-residual dense blocks.

    "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", Wang et al. 2018, arXiv:1809.00219:
    blocks of three dense blocks of five convolutions, residuals scaled by 0.2, small initial weights, and for each
    doubling nearest-neighbor enlargement and a convolution. For a scale of 2 two by two pixels are moved to channels
    first and the network enlarges by 4, as in Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833), which takes a quarter
    of the time. Deviations: the output is added to the bicubically enlarged input, with which training starts; the
    convolution after the blocks starts with weights that undo the blocks' gain.

    Args:
        scale: 2, 3, 4 or 8.
        channels: Channels of the images.
        width: Channels of the features.
        blocks: Residual-in-residual blocks; the paper has 23, Real-ESRGAN's small model 6.
        growth: Channels that each convolution in a dense block adds.
        unshuffle: Pixels along each axis that are moved to channels first, 1, 2 or 4; by default 2 at scale 2.
        bicubic_skip: Whether the output is added to the bicubically enlarged input. The paper's network has no such
            skip; without it, `scale` may also be 1.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, channels]` in [-1, 1] to float32
        `[batch, scale * height, scale * width, channels]`, linear.

    Raises:
        ValueError: For an unknown scale.
    """
    unshuffle = unshuffle or (2 if scale == 2 else 1)
    stages = enlargement_stages(scale * unshuffle, TRAINED_SCALES if bicubic_skip else tuple(STAGES))
    image = keras.Input((None, None, channels), name="image")
    x = image
    if unshuffle > 1:
        x = PixelUnshuffle(unshuffle)(PadToMultiple(unshuffle, name="pad")(image))
    start = x = _convolve(x, width, name="from_image")
    for block in range(blocks):
        y = x
        for dense in range(3):
            y = _dense_block(y, growth, name=f"block_{block}_{dense}")
        x = _add_scaled(x, y)
    # Both skips of a block carry its input, so that each block begins as a multiplication by 1.2.
    back = keras.initializers.VarianceScaling(2 / (1 + RESIDUAL_SCALE) ** (2 * blocks), "fan_in", "truncated_normal")
    x = layers.Add(name="around_blocks")([start, _convolve(x, width, kernel_initializer=back, name="after_blocks")])
    for level, factor in enumerate(stages):
        if factor == 2:
            x = DoublingConv2D(width, kernel_initializer="he_normal", name=f"up_{level}")(x)
        else:
            x = _convolve(_enlarge_nearest(x, factor), width, name=f"up_{level}")
        x = layers.LeakyReLU(LEAK)(x)
    x = layers.LeakyReLU(LEAK)(_convolve(x, width, name="at_full_size"))
    x = image_from_features(x, channels)
    enlarged = enlarge_bicubic(image, scale) if bicubic_skip else _enlarge_nearest(image, scale)
    x = CropLike(name="crop")([x, enlarged]) if unshuffle > 1 else x
    if bicubic_skip:
        outputs = layers.Add(dtype="float32", name="output")([x, enlarged])
    else:
        outputs = layers.Activation("linear", dtype="float32", name="output")(x)
    return keras.Model(image, outputs, name=name)


def _dense_block(x, growth: int, *, name: str):
    small = keras.initializers.VarianceScaling(BRANCH_VARIANCE, "fan_in", "truncated_normal")
    features = [x]
    for index in range(4):
        y = layers.Concatenate()(features) if len(features) > 1 else x
        y = _convolve(y, growth, kernel_initializer=small, name=f"{name}_conv{index}")
        features.append(layers.LeakyReLU(LEAK)(y))
    y = _convolve(layers.Concatenate()(features), x.shape[-1], kernel_initializer=small, name=f"{name}_conv4")
    return _add_scaled(x, y)


def _enlarge_nearest(x, factor: int):
    """Nearest-neighbor enlargement; `UpSampling2D` becomes twenty operations in LiteRT if the size is not fixed."""
    return PixelShuffle(factor)(layers.Concatenate()([x] * factor**2)) if factor > 1 else x


def _add_scaled(x, residual):
    return layers.Add()([x, layers.Rescaling(RESIDUAL_SCALE)(residual)])


def _convolve(x, channels: int, *, kernel_initializer="he_normal", **options):
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=kernel_initializer, **options)(x)
