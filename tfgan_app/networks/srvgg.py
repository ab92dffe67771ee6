"""SRVGGNetCompact, the small upscaler of Real-ESRGAN: a stack of convolutions at low resolution."""

from __future__ import annotations

from collections.abc import Collection

import keras
from keras import layers

from tfgan_app.layers import ICNR, ParametricReLU, PixelShuffle


def build_srvgg(
    *,
    scale: int = 4,
    channels: int = 3,
    width: int = 64,
    depth: int = 16,
    steep: Collection[int] = (),
    name: str = "generator",
) -> keras.Model:
    """Builds convolutions with PReLU and a pixel shuffle; each pixel of the input is added to all of its sub-pixels.

    The network of `realesr-general-x4v3` and `realesr-animevideov3`: "Real-ESRGAN: Training Real-World Blind
    Super-Resolution with Pure Synthetic Data", Wang et al. 2021, arXiv:2107.10833, and its later releases.

    Args:
        scale: Factor of height and width, at least 1.
        channels: Channels of the image.
        width: Channels of the features.
        depth: Number of convolutions between the first and the last.
        steep: Indices of the convolutions after which slopes may be above 1; see `ParametricReLU`.
        name: Name of the model.

    Returns:
        Model from `image` float32 `[batch, height, width, channels]` to the image `scale` times as high and wide,
        float32, linear, in the range of the input.

    Raises:
        ValueError: For a scale that is not positive.
    """
    if scale < 1:
        raise ValueError(f"`scale` must be a positive integer. Received: scale={scale}.")
    image = keras.Input((None, None, channels), name="image")
    x = image
    for index in range(depth + 1):
        x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name=f"conv_{index}")(x)
        x = ParametricReLU(steep=index in steep, name=f"prelu_{index}")(x)
    icnr = ICNR(scale, keras.initializers.VarianceScaling(0.01, "fan_in"))
    x = layers.Conv2D(channels * scale**2, 3, padding="same", kernel_initializer=icnr, name="to_sub_pixels")(x)
    # In two steps, since XNNPACK leaves a concatenation of more than five tensors to slower kernels.
    repeated = layers.Concatenate(dtype="float32", name="repeated")([image] * scale) if scale > 1 else image
    nearest = layers.Concatenate(dtype="float32", name="nearest")([repeated] * scale) if scale > 1 else image
    x = layers.Add(dtype="float32", name="detail_added")([nearest, x])
    return keras.Model(image, PixelShuffle(scale, dtype="float32", name="shuffled")(x), name=name)
