"""SRResNet: residual blocks at low resolution, sub-pixel convolutions at the end."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import ICNR, PixelShuffle, build_normalization
from tfgan_app.networks.upscaling import enlarge_bicubic, enlargement_stages, image_from_features

LEAK = 0.2
BRANCH_VARIANCE = 0.02
"""He's variance for weights a tenth as large (Wang et al. 2018, arXiv:1809.00219)."""


def build_srresnet(
    *,
    scale: int = 4,
    channels: int = 3,
    width: int = 64,
    blocks: int = 16,
    normalization: str = "none",
    end_kernel_px: int = 3,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of SRGAN.

    "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", Ledig et al. 2017,
    arXiv:1609.04802: residual blocks with a skip around all of them, then a convolution and a pixel shuffle for
    each doubling (or one for a scale of 3).

    Deviations: no batch normalization and ends of 3 x 3 pixels by default, as in the baseline of EDSR (Lim et al.
    2017, arXiv:1707.02921; the paper: `normalization="batch", end_kernel_px=9`), with weights a tenth as large at
    the end of each block; leaky ReLU 0.2 instead of PReLU, which on CPUs takes a third as long as the convolution
    before it; sub-pixel convolutions start as nearest-neighbor enlargement (ICNR, Aitken et al. 2017,
    arXiv:1707.02937), against checkerboards; and the output is added to the bicubically enlarged input,
    with which training starts.

    Args:
        scale: 2, 3, 4 or 8.
        channels: Channels of the images.
        width: Channels of the features.
        blocks: Residual blocks.
        normalization: `"none"`, `"instance"` or `"batch"`.
        end_kernel_px: Height and width of the first and last convolution.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, channels]` in [-1, 1] to float32
        `[batch, scale * height, scale * width, channels]`, linear.

    Raises:
        ValueError: For an unknown scale or normalization.
    """
    stages = enlargement_stages(scale)
    image = keras.Input((None, None, channels), name="image")
    x = layers.Conv2D(width, end_kernel_px, padding="same", kernel_initializer="he_normal", name="from_image")(image)
    start = x = layers.LeakyReLU(LEAK)(x)
    for _ in range(blocks):
        y = _convolve(x, normalization, kernel_initializer="he_normal")
        small = keras.initializers.VarianceScaling(BRANCH_VARIANCE, "fan_in", "truncated_normal")
        y = _convolve(layers.LeakyReLU(LEAK)(y), normalization, kernel_initializer=small)
        x = layers.Add()([x, y])
    x = layers.Add(name="around_blocks")([start, _convolve(x, normalization, kernel_initializer="he_normal")])
    for level, factor in enumerate(stages):
        initializer = ICNR(factor, "he_normal")
        x = layers.Conv2D(
            width * factor**2, 3, padding="same", kernel_initializer=initializer, name=f"sub_pixels_{level}"
        )(x)
        x = layers.LeakyReLU(LEAK)(PixelShuffle(factor)(x))
    x = image_from_features(x, channels, end_kernel_px)
    outputs = layers.Add(dtype="float32", name="output")([x, enlarge_bicubic(image, scale)])
    return keras.Model(image, outputs, name=name)


def _convolve(x, normalization: str, **options):
    x = layers.Conv2D(x.shape[-1], 3, padding="same", **options)(x)
    layer = build_normalization(normalization)
    return layer(x) if layer else x
