"""The residual generator of Johnson et al., as used by CycleGAN."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import ICNR, CropLike, PadToMultiple, PixelShuffle, build_normalization


def build_resnet(
    *,
    blocks: int,
    input_channels: int = 3,
    output_channels: int = 3,
    width: int = 64,
    normalization: str = "instance",
    name: str = "generator",
) -> keras.Model:
    """Builds the residual image-to-image generator: two halvings, `blocks` residual blocks, two doublings.

    "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", Johnson et al. 2016,
    arXiv:1603.08155; widths and instance normalization as in CycleGAN, Zhu et al. 2017,
    arXiv:1703.10593, section 7.2 (6 blocks for 128 px, 9 for 256 px and above). Deviations: up-sampling
    is a convolution and a pixel shuffle with ICNR initialization instead of a fractionally strided
    convolution, and convolutions pad with zeros rather than by reflection.

    Args:
        blocks: Number of residual blocks.
        input_channels: Channels of the input image.
        output_channels: Channels of the output image.
        width: Channels at full resolution.
        normalization: `"none"`, `"instance"` or `"batch"`.
        name: Name of the model.

    Returns:
        The generator, with tanh output.
    """
    inputs = keras.Input((None, None, input_channels), name="image")
    x = PadToMultiple(4, name="pad")(inputs)
    x = _convolve(x, width, 7, normalization)
    for level, factor in enumerate((2, 4)):
        x = _convolve(x, width * factor, 3, normalization, strides=2, name=f"down_{level}")
    for block in range(blocks):
        y = _convolve(x, width * 4, 3, normalization)
        y = _convolve(y, width * 4, 3, normalization, activate=False)
        x = layers.Add(name=f"block_{block}")([x, y])
    for factor in (2, 1):
        x = layers.Conv2D(width * factor * 4, 3, padding="same", kernel_initializer=ICNR(2))(x)
        x = PixelShuffle(2)(x)
        x = _normalize_and_activate(x, normalization)
    x = layers.Conv2D(output_channels, 7, padding="same", name="to_image")(x)
    x = CropLike(name="crop")([x, inputs])
    outputs = layers.Activation("tanh", dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name=name)


def _convolve(x, channels: int, kernel: int, normalization: str, *, strides: int = 1, activate: bool = True, name=None):
    x = layers.Conv2D(channels, kernel, strides, padding="same", name=name)(x)
    return _normalize_and_activate(x, normalization, activate=activate)


def _normalize_and_activate(x, normalization: str, *, activate: bool = True):
    layer = build_normalization(normalization)
    if layer:
        x = layer(x)
    return layers.ReLU()(x) if activate else x
