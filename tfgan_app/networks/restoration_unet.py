"""DRUNet: a residual U-Net for restoration, without normalization and biases."""

from __future__ import annotations

from typing import Literal

import keras
from keras import layers

from tfgan_app.layers import ICNR, ConstantChannel, CropLike, PadToMultiple, PixelShuffle

BRANCH_VARIANCE = 0.02
"""He's variance for weights a tenth as large (Wang et al. 2018, arXiv:1809.00219)."""


SIZES = {"light": (32, 2), "paper": (64, 4)}
"""Name -> width and blocks; `light` is for CPUs."""


def build_restoration_unet(
    *,
    channels: int = 3,
    size: Literal["light", "paper"] = "light",
    width: int | None = None,
    depth: int = 3,
    blocks: int | None = None,
    use_bias: bool = False,
    noise: float | None = None,
    image_skip: bool = True,
    name: str = "generator",
) -> keras.Model:
    """Builds DRUNet, a U-Net of residual blocks whose output scales with its input.

    "Plug-and-Play Image Restoration with Deep Denoiser Prior", Zhang et al. 2021, arXiv:2008.13751: 2 x 2
    convolutions of stride 2, skips that are added, residual blocks of two convolutions with ReLU between. Without
    biases, twice the contrast around medium gray in gives twice the contrast out, so that a network trained on some
    strengths of noise also works for others (Mohan et al. 2020, arXiv:1906.05478).

    Deviations: no noise level map among the inputs; the output is added to the input, and the last
    convolution starts at zero, so that training starts from a copy; 2 x 2 transposed convolutions are written as
    1 x 1 convolutions and pixel shuffles, and start as nearest-neighbor enlargement (ICNR, Aitken et al. 2017,
    arXiv:1707.02937); the last convolution of each block starts with small weights.

    Args:
        channels: Channels of the images.
        size: Width and blocks by name; see `SIZES`.
        width: Channels at full resolution, in place of the size's; doubled at every halving.
        depth: Number of halvings of the resolution.
        blocks: Residual blocks at every level, on the way down and on the way up, in place of the size's.
        use_bias: Whether convolutions have biases, which a global change of brightness needs.
        noise: Standard deviation of the noise in images in [0, 1], appended as an input channel as in the paper; None
        for a network without it.
        image_skip: Whether the output is added to the input; the paper's network has no such skip.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, channels]` in [-1, 1] to float32 of the same shape,
        linear.

    Raises:
        ValueError: For an unknown size.
    """
    if size not in SIZES:
        raise ValueError(f"`size` must be one of {', '.join(SIZES)}. Received: {size!r}.")
    width, blocks = width or SIZES[size][0], blocks or SIZES[size][1]
    image = keras.Input((None, None, channels), name="image")
    x = PadToMultiple(2**depth, name="pad")(image)
    x = x if noise is None else ConstantChannel(noise, name="noise")(x)
    x = layers.Conv2D(width, 3, padding="same", use_bias=use_bias, name="from_image")(x)
    skips = []
    for level in range(depth):
        skips.append(x)
        x = _blocks(x, blocks, use_bias, name=f"down_{level}")
        x = layers.Conv2D(x.shape[-1] * 2, 2, 2, use_bias=use_bias, name=f"down_{level}")(x)
    lowest = x
    x = layers.Add()([_blocks(x, blocks, use_bias, name="middle"), lowest])
    for level in reversed(range(depth)):
        x = layers.Conv2D(x.shape[-1] * 2, 1, use_bias=use_bias, kernel_initializer=ICNR(2), name=f"up_{level}")(x)
        x = _blocks(PixelShuffle(2)(x), blocks, use_bias, name=f"up_{level}")
        x = layers.Add()([x, skips[level]])
    x = layers.Conv2D(channels, 3, padding="same", use_bias=use_bias, kernel_initializer="zeros", name="to_image")(x)
    x = CropLike(name="crop")([x, image])
    if image_skip:
        outputs = layers.Add(dtype="float32", name="output")([x, image])
    else:
        outputs = layers.Activation("linear", dtype="float32", name="output")(x)
    return keras.Model(image, outputs, name=name)


def _blocks(x, count: int, use_bias: bool, *, name: str):
    channels, options = x.shape[-1], {"padding": "same", "use_bias": use_bias}
    for index in range(count):
        first, second = (f"{name}_block{index}_conv{place}" for place in range(2))
        small = keras.initializers.VarianceScaling(BRANCH_VARIANCE, "fan_in", "truncated_normal")
        y = layers.Conv2D(channels, 3, kernel_initializer="he_normal", name=first, **options)(x)
        y = layers.Conv2D(channels, 3, kernel_initializer=small, name=second, **options)(layers.ReLU()(y))
        x = layers.Add()([x, y])
    return x
