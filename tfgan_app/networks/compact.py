"""A small upscaler for phones and CPUs: every convolution at low resolution."""

from __future__ import annotations

from typing import Literal

import keras
from keras import layers, ops

from tfgan_app.layers import ICNR, PixelShuffle

SIZES = {"small": (32, 4), "medium": (64, 4), "large": (96, 6)}
"""Name -> width and blocks."""

ACTIVATIONS = ("leaky_relu", "relu", "relu6")

_CONVOLUTIONS = 3


def build_compact(
    *,
    scale: int = 4,
    channels: int = 3,
    size: Literal["small", "medium", "large"] = "medium",
    width: int | None = None,
    blocks: int | None = None,
    activation: Literal["leaky_relu", "relu", "relu6"] = "leaky_relu",
    name: str = "generator",
) -> keras.Model:
    """Builds blocks of three convolutions with parameter-free attention, and a final pixel shuffle.

    After SPAN, "Swift Parameter-free Attention Network for Efficient Super-Resolution", Wan et al. 2024,
    arXiv:2311.12770: a block multiplies its sum of input and features by `sigmoid(features) - 1/2`. Deviations: leaky
    ReLU in place of SiLU, since phones run it fast; no re-parameterized convolutions; the image is added at the end,
    each pixel to all of its sub-pixels, so that the network starts near nearest-neighbor enlargement and learns the
    rest (as in ECBSR, Zhang et al. 2021); a width of 64 in place of 48, which takes less time per weight under LiteRT
    on CPUs with AVX-512.

    Plain ReLU is the fastest choice, with a risk: the attention's output has a mean far above 0, and a few of Muon's
    steps can push a channel below 0 for every image, where it stops learning. Networks trained that way for long have
    lost all but a few channels of their second block.

    Args:
        scale: Factor of height and width.
        channels: Channels of the image.
        size: Width and blocks by name; see `SIZES`.
        width: Channels of the features, in place of the size's.
        blocks: Number of blocks, in place of the size's.
        activation: Activation of the convolutions within blocks; `"relu6"` bounds the features, which suits 8-bit
            integers.
        name: Name of the model.

    Returns:
        Model from `image` float32 `[batch, height, width, channels]` in [-1, 1] to the image `scale` times as high
        and wide, float32, about in [-1, 1]. 489,072 parameters for `medium` at scale 4.

    Raises:
        ValueError: For an unknown scale, size or activation.
    """
    _check(scale, size=size, activation=activation)
    width, blocks = width or SIZES[size][0], blocks or SIZES[size][1]
    image = keras.Input((None, None, channels), name="image")
    features = [layers.Conv2D(width, 3, padding="same", kernel_initializer=_variance(1.0), name="from_image")(image)]
    for index in range(blocks):
        features.append(_block(features[-1], activation=activation, name=f"block{index}"))
    # SPAN concatenates the first and the last two features, so that the blocks need not carry the image along.
    chosen = list(dict.fromkeys([0, 1, len(features) - 2, len(features) - 1]))
    x = layers.Concatenate(name="together")([features[index] for index in chosen])
    x = layers.Conv2D(width, 1, kernel_initializer=_variance(1.0), name="mixed")(x)
    sub_pixels = layers.Conv2D(
        channels * scale**2, 3, padding="same", kernel_initializer=ICNR(scale, _variance(0.01)), name="to_sub_pixels"
    )(x)
    # In two steps, since XNNPACK leaves a concatenation of more than five tensors to slower kernels.
    repeated = layers.Concatenate(dtype="float32", name="repeated")([image] * scale) if scale > 1 else image
    nearest = layers.Concatenate(dtype="float32", name="nearest")([repeated] * scale) if scale > 1 else image
    x = layers.Add(dtype="float32", name="detail_added")([nearest, sub_pixels])
    x = PixelShuffle(scale, dtype="float32", name="shuffled")(x)
    return keras.Model(image, x, name=name)


def _block(x, *, activation: str, name: str):
    """Three convolutions and the attention that multiplies their result."""
    y = x
    for index in range(_CONVOLUTIONS):
        last = index == _CONVOLUTIONS - 1
        y = layers.Conv2D(
            x.shape[-1],
            3,
            padding="same",
            activation=None if last else activation,
            kernel_initializer=_variance(1.0 if last else 2.0),
            name=f"{name}_conv{index}",
        )(y)
    # sigmoid(y) - 1/2, in the form that keeps its precision near 0 in low precision.
    attention = layers.Activation("tanh", name=f"{name}_attention")(y * 0.5) * 0.5
    return ops.multiply(layers.Add(name=f"{name}_sum")([x, y]), attention)


def _variance(scale: float) -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(scale, "fan_in")


def _check(scale: int, *, size: str, activation: str) -> None:
    if scale < 1:
        raise ValueError(f"`scale` must be a positive integer. Received: scale={scale}.")
    for option, value, known in (("size", size, SIZES), ("activation", activation, ACTIVATIONS)):
        if value not in known:
            raise ValueError(f"`{option}` must be one of {', '.join(known)}. Received: {value!r}.")
