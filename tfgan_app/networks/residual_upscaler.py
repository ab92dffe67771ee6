"""The SRResNet family in its original forms: MSRResNet, EDSR and the generator of SRGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras
from keras import layers

from tfgan_app.layers import DoublingConv2D, ParametricReLU, PixelShuffle, RationalResize
from tfgan_app.networks.upscaling import STAGES, enlargement_stages

Activation = Literal["none", "relu", "leaky_0.1", "leaky_0.2", "prelu"]


@dataclass(frozen=True)
class ResidualUpscaler:
    """Configuration of a network of this family.

    Attributes:
        scale: Factor of height and width; a key of `STAGES`.
        channels: Channels of the images.
        width: Channels of the features.
        blocks: Number of residual blocks.
        end_kernel_px: Height and width of the first and last convolution.
        normalization: Whether batch normalization follows the convolutions in the blocks.
        normalization_behind: Whether it follows the convolution after the blocks.
        normalized_bias: Whether convolutions before a normalization have biases.
        block_scale: Factor of a block's branch.
        head: Activation after the first convolution.
        inside: Activation within blocks.
        around: Whether a convolution follows the blocks, and then the sum with their input.
        behind: Activation after that convolution.
        stage: Activation after each enlargement.
        nearest: Whether features are enlarged by nearest neighbors and then convolved, rather than shuffled.
        full_size: Activation of a convolution at full size, before the last one; None for no such convolution.
        bilinear_skip: Whether the output is added to the bilinearly enlarged input.
        unit_tanh: Whether the output ends in tanh, brought to [0, 1].
        mean: What is taken off each channel of the input and put back at the end; none for nothing.
        steep: Whether slopes of PReLU may be above 1; see `ParametricReLU`.
        gain: By which the input is multiplied, and the output divided.
    """

    scale: int = 4
    channels: int = 3
    width: int = 64
    blocks: int = 16
    end_kernel_px: int = 3
    normalization: bool = False
    normalization_behind: bool = False
    normalized_bias: bool = False
    block_scale: float = 1.0
    head: Activation = "none"
    inside: Activation = "relu"
    around: bool = True
    behind: Activation = "none"
    stage: Activation = "none"
    nearest: bool = False
    full_size: Activation | None = None
    bilinear_skip: bool = False
    unit_tanh: bool = False
    mean: tuple[float, ...] = ()
    steep: bool = False
    gain: float = 1.0


def build_residual_upscaler(config: ResidualUpscaler, *, name: str = "generator") -> keras.Model:
    """Builds residual blocks at low resolution, and enlarging convolutions.

    SRResNet (Ledig et al. 2017, arXiv:1609.04802), EDSR (Lim et al. 2017, arXiv:1707.02921) and the modified SRResNet
    of BasicSR. `srresnet` is our variant for training.

    Args:
        config: Configuration.
        name: Name of the model.

    Returns:
        Model from `image` float32 `[batch, height, width, channels]` to the image `scale` times as high and wide.

    Raises:
        ValueError: For an unknown scale.
    """
    stages = enlargement_stages(config.scale, tuple(STAGES))
    image = keras.Input((None, None, config.channels), name="image")
    x = _centered(image, config)
    x = layers.Conv2D(config.width, config.end_kernel_px, padding="same", name="from_image")(x)
    start = x = _activated(x, config.head, name="from_image", steep=config.steep)
    for index in range(config.blocks):
        y = _convolve(x, config, normalized=config.normalization, name=f"block_{index}_conv0")
        y = _activated(y, config.inside, name=f"block_{index}", steep=config.steep)
        y = _convolve(y, config, normalized=config.normalization, name=f"block_{index}_conv1")
        y = layers.Rescaling(config.block_scale)(y) if config.block_scale != 1.0 else y
        x = layers.Add(name=f"block_{index}")([x, y])
    if config.around:
        x = _convolve(x, config, normalized=config.normalization_behind, name="after_blocks")
        x = _activated(x, config.behind, name="after_blocks", steep=config.steep)
        x = layers.Add(name="around_blocks")([start, x])
    for level, factor in enumerate(stages):
        x = _activated(
            _enlarged(x, factor, config, name=f"up_{level}"), config.stage, name=f"up_{level}", steep=config.steep
        )
    if config.full_size is not None:
        x = layers.Conv2D(config.width, 3, padding="same", name="at_full_size")(x)
        x = _activated(x, config.full_size, name="at_full_size", steep=config.steep)
    x = layers.Conv2D(config.channels, config.end_kernel_px, padding="same", name="to_image")(x)
    if config.bilinear_skip:
        enlarged = RationalResize(config.scale, dtype="float32", name="enlarged")(image)
        x = layers.Add(dtype="float32", name="added")([x, enlarged])
    x = _restored(x, config)
    if config.unit_tanh:
        x = layers.Rescaling(0.5, offset=0.5, dtype="float32")(layers.Activation("tanh", dtype="float32")(x))
    return keras.Model(image, layers.Activation("linear", dtype="float32", name="output")(x), name=name)


def _centered(x, config: ResidualUpscaler):
    if config.mean:
        x = layers.Rescaling(1.0, offset=[-each for each in config.mean], name="centered")(x)
    return layers.Rescaling(config.gain, name="amplified")(x) if config.gain != 1.0 else x


def _restored(x, config: ResidualUpscaler):
    if config.gain == 1.0 and not config.mean:
        return x
    return layers.Rescaling(1.0 / config.gain, offset=list(config.mean) or 0.0, dtype="float32", name="restored")(x)


def _convolve(x, config: ResidualUpscaler, *, normalized: bool, name: str):
    use_bias = config.normalized_bias or not normalized
    x = layers.Conv2D(config.width, 3, padding="same", use_bias=use_bias, name=name)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x) if normalized else x


def _enlarged(x, factor: int, config: ResidualUpscaler, *, name: str):
    if config.nearest and factor == 2:
        return DoublingConv2D(config.width, name=name)(x)
    if config.nearest:
        x = PixelShuffle(factor)(layers.Concatenate()([x] * factor**2))
        return layers.Conv2D(config.width, 3, padding="same", name=name)(x)
    return PixelShuffle(factor)(layers.Conv2D(config.width * factor**2, 3, padding="same", name=name)(x))


def _activated(x, activation: Activation, *, name: str, steep: bool):
    if activation == "prelu":
        return ParametricReLU(steep, name=f"{name}_prelu")(x)
    if activation == "relu":
        return layers.ReLU()(x)
    return x if activation == "none" else layers.LeakyReLU(float(activation.removeprefix("leaky_")))(x)
