"""NAFNet: a U-Net of blocks without activations, for restoration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import keras
from keras import layers

from tfgan_app.layers import ICNR, CropLike, PadToMultiple, PixelShuffle, SplitGate

ATTENTIONS = ("none", "local", "global")
SHALLOWEST_WINDOW_PX = 3


@dataclass(frozen=True)
class Size:
    """Size of a network; see `build_nafnet`."""

    width: int
    encoder_blocks: tuple[int, ...]
    middle_blocks: int
    decoder_blocks: tuple[int, ...]
    attention: str


SIZES = {
    "light": Size(32, (1, 1, 2), 2, (1, 1, 1), "none"),
    "paper": Size(32, (2, 2, 4, 8), 12, (2, 2, 2, 2), "local"),
}
"""Name -> size: `light` is for CPUs; `paper` is the paper's network for noise, with attention over windows."""


def build_nafnet(
    *,
    channels: int = 3,
    size: Literal["light", "paper"] = "light",
    width: int | None = None,
    encoder_blocks: Sequence[int] | None = None,
    middle_blocks: int | None = None,
    decoder_blocks: Sequence[int] | None = None,
    attention: str | None = None,
    window_px: int = 32,
    fill: str = "mirror",
    name: str = "generator",
) -> keras.Model:
    """Builds NAFNet, a U-Net whose only nonlinearities are products of channels and layer normalization.

    "Simple Baselines for Image Restoration", Chen et al. 2022, arXiv:2204.04676. The paper's network for blur has
    `encoder_blocks=(1, 1, 1, 28), middle_blocks=1, decoder_blocks=(1, 1, 1, 1)`.

    Deviations: no channel attention by default, which takes time and enlarges the receptive field far beyond that of
    the convolutions. If chosen, it averages over a window of fixed size, in training as well (the paper: over the
    whole image, so that an image and its tiles differ; Chu et al. 2022, arXiv:2112.04491, add windows after training),
    and its bias starts at one, so that at first it passes everything. The gain and bias
    of the layer normalization and the residual scales, which start at zero, are merged into the 1 x 1 convolutions
    next to them: the same functions, in 0.7 of the time on CPUs. Sub-pixel convolutions start as nearest-neighbor
    enlargement (ICNR, Aitken et al. 2017, arXiv:1707.02937). The last convolution starts at zero, so that training
    starts from a copy of the input. Images are padded by mirroring.

    Args:
        channels: Channels of the images.
        size: Row of `SIZES`; the following arguments replace its numbers.
        width: Channels at full resolution; doubled at every halving.
        encoder_blocks: Blocks before each halving, from full resolution on.
        middle_blocks: Blocks at the lowest resolution.
        decoder_blocks: Blocks after each doubling, from the lowest resolution on.
        attention: Extent of the channel attention: `"local"` a window around each pixel, `"global"` the image
            (the paper); `"none"` for no attention.
        window_px: About the height and width of the window, in pixels of the image at every level.
        fill: Padding of the images; see `PadToMultiple`. The paper's code pads with zeros.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, channels]` in [-1, 1] to float32 of the same shape,
        linear.

    Raises:
        ValueError: For an unknown attention, or numbers of blocks that do not fit together.
    """
    if size not in SIZES:
        raise ValueError(f"`size` must be one of {', '.join(SIZES)}. Received: {size!r}.")
    own = SIZES[size]
    width, attention = width or own.width, attention or own.attention
    encoder_blocks, decoder_blocks = encoder_blocks or own.encoder_blocks, decoder_blocks or own.decoder_blocks
    middle_blocks = own.middle_blocks if middle_blocks is None else middle_blocks
    _check(attention, encoder_blocks, decoder_blocks)
    depth = len(encoder_blocks)
    image = keras.Input((None, None, channels), name="image")
    x = PadToMultiple(2**depth, fill=fill, name="pad")(image)
    x = layers.Conv2D(width, 3, padding="same", name="from_image")(x)
    windows = [max(window_px >> level | 1, SHALLOWEST_WINDOW_PX) for level in range(depth + 1)]
    skips = []
    for level, blocks in enumerate(encoder_blocks):
        x = _blocks(x, blocks, attention, windows[level], name=f"encoder_{level}")
        skips.append(x)
        x = layers.Conv2D(x.shape[-1] * 2, 2, 2, name=f"down_{level}")(x)
    x = _blocks(x, middle_blocks, attention, windows[depth], name="middle")
    for level, blocks in zip(reversed(range(depth)), decoder_blocks, strict=True):
        doubled = layers.Conv2D(x.shape[-1] * 2, 1, use_bias=False, kernel_initializer=ICNR(2), name=f"up_{level}")(x)
        x = layers.Add()([PixelShuffle(2)(doubled), skips[level]])
        x = _blocks(x, blocks, attention, windows[level], name=f"decoder_{level}")
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="to_image")(x)
    x = CropLike(name="crop")([x, image])
    outputs = layers.Add(dtype="float32", name="output")([x, image])
    return keras.Model(image, outputs, name=name)


def _check(attention: str, encoder_blocks: Sequence[int], decoder_blocks: Sequence[int]) -> None:
    if attention not in ATTENTIONS:
        raise ValueError(f"`attention` must be one of {', '.join(ATTENTIONS)}. Received: {attention!r}.")
    if len(encoder_blocks) != len(decoder_blocks):
        raise ValueError(
            "`encoder_blocks` and `decoder_blocks` must have one number for each halving. "
            f"Received: {tuple(encoder_blocks)} and {tuple(decoder_blocks)}."
        )


def _blocks(x, count: int, attention: str, window_px: int, *, name: str):
    channels = x.shape[-1]
    for index in range(count):
        own = f"{name}_{index}"
        y = layers.Conv2D(channels * 2, 1, name=f"{own}_conv1")(_normalize(x))
        # Keras' default would count the channels as inputs of each filter, and start far too small.
        unit = keras.initializers.RandomNormal(stddev=1 / 3)
        y = layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=unit, name=f"{own}_conv2")(y)
        y = _attend(SplitGate()(y), attention, window_px, name=f"{own}_attention")
        x = layers.Add()([x, layers.Conv2D(channels, 1, kernel_initializer="zeros", name=f"{own}_conv3")(y)])
        y = SplitGate()(layers.Conv2D(channels * 2, 1, name=f"{own}_conv4")(_normalize(x)))
        x = layers.Add()([x, layers.Conv2D(channels, 1, kernel_initializer="zeros", name=f"{own}_conv5")(y)])
    return x


def _normalize(x):
    return layers.LayerNormalization(epsilon=1e-6, center=False, scale=False)(x)


def _attend(x, attention: str, window_px: int, *, name: str):
    """Simplified channel attention: each channel times a linear function of the channels' means."""
    if attention == "none":
        return x
    if attention == "global":
        means = layers.GlobalAveragePooling2D(keepdims=True)(x)
    else:
        # Without padding: at the border these are means over the part of the window inside the image.
        means = layers.AveragePooling2D((window_px, 1), 1, padding="same")(x)
        means = layers.AveragePooling2D((1, window_px), 1, padding="same")(means)
    return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, bias_initializer="ones", name=name)(means)])
