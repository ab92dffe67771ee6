"""The residual generator of Johnson et al. and CycleGAN in its original form, with reflection padding."""

from __future__ import annotations

from functools import partial
from typing import Literal

import keras
from keras import layers

from tfgan_app.layers import CropLike, DoublingConv2D, InstanceNormalization, PixelShuffle, ReflectPad


def build_reflected_resnet(
    *,
    blocks: int = 9,
    input_channels: int = 3,
    output_channels: int = 3,
    width: int = 64,
    end_kernel_px: int = 7,
    normalization: Literal["instance", "affine", "batch"] = "instance",
    use_bias: bool = True,
    reflect_strided: bool = False,
    enlargement: Literal["transposed", "nearest", "nearest_reflected"] = "transposed",
    activation: str = "tanh",
    name: str = "generator",
) -> keras.Model:
    """Builds two halvings, residual blocks and two doublings, each convolution with normalization and ReLU.

    By default the generator of CycleGAN's code: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks", Zhu et al. 2017, arXiv:1703.10593. With `end_kernel_px=9, width=32, blocks=5, normalization="affine",
    reflect_strided=True, enlargement="nearest_reflected", activation="linear"` that of PyTorch's example of fast
    neural style, after Johnson et al. 2016, arXiv:1603.08155. `resnet` is our variant for training.

    An image whose sides are not multiples of 4 gives a larger output, which is cropped to the top left.

    Args:
        blocks: Number of residual blocks.
        input_channels: Channels of the input image.
        output_channels: Channels of the output image.
        width: Channels at full resolution.
        end_kernel_px: Height and width of the first and last convolution.
        normalization: `"instance"` without gain and bias, `"affine"` with them, or `"batch"`.
        use_bias: Whether the convolutions before a normalization have biases.
        reflect_strided: Whether the halving convolutions pad by reflection too, rather than with zeros.
        enlargement: Transposed convolutions, or nearest-neighbor enlargement and a convolution, which pads with zeros
            or by reflection.
        activation: Activation of the output.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, input_channels]` to float32
        `[batch, height, width, output_channels]`.
    """
    image = keras.Input((None, None, input_channels), name="image")
    normalized = partial(_normalized, kind=normalization)
    x = normalized(_reflected(width, end_kernel_px, use_bias=use_bias, name="from_image")(image), name="from_image")
    for level in range(2):
        pad = ReflectPad(1) if reflect_strided else layers.ZeroPadding2D(1)
        halving = layers.Conv2D(x.shape[-1] * 2, 3, 2, use_bias=use_bias, name=f"down_{level}")
        x = normalized(halving(pad(x)), name=f"down_{level}")
    for index in range(blocks):
        y = _reflected(x.shape[-1], 3, use_bias=use_bias, name=f"block_{index}_conv0")(x)
        y = normalized(y, name=f"block_{index}_conv0")
        y = _reflected(x.shape[-1], 3, use_bias=use_bias, name=f"block_{index}_conv1")(y)
        x = layers.Add(name=f"block_{index}")([x, normalized(y, name=f"block_{index}_conv1", activate=False)])
    for level in range(2):
        x = normalized(_doubled(x, enlargement, use_bias=use_bias, name=f"up_{level}"), name=f"up_{level}")
    x = _reflected(output_channels, end_kernel_px, use_bias=True, name="to_image")(x)
    x = CropLike(name="crop")([x, image])
    return keras.Model(image, layers.Activation(activation, dtype="float32", name="output")(x), name=name)


def _normalized(x, *, kind: str, name: str, activate: bool = True):
    x = normalization_layer(kind, name=f"{name}_norm")(x)
    return layers.ReLU()(x) if activate else x


def normalization_layer(kind: str, *, name: str) -> keras.layers.Layer:
    """Builds a normalization with PyTorch's epsilon: `instance` without gain and bias, `affine` with, or `batch`."""
    if kind not in ("instance", "affine", "batch"):
        raise ValueError(f"`normalization` must be instance, affine or batch. Received: {kind!r}.")
    if kind == "batch":
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)
    affine = kind == "affine"
    return InstanceNormalization(epsilon=1e-5, center=affine, scale=affine, name=name)


def _reflected(channels: int, kernel_px: int, **options):
    convolution = layers.Conv2D(channels, kernel_px, **options)
    return lambda x: convolution(ReflectPad(kernel_px // 2)(x))


def _doubled(x, enlargement: str, *, use_bias: bool, name: str):
    channels = x.shape[-1] // 2
    if enlargement == "transposed":
        x = layers.Conv2DTranspose(channels, 3, 2, use_bias=use_bias, name=name)(x)
        # PyTorch's padding of 1 and output padding of 1.
        return layers.Cropping2D(((1, 0), (1, 0)))(x)
    if enlargement == "nearest":
        return DoublingConv2D(channels, use_bias=use_bias, name=name)(x)
    x = PixelShuffle(2)(layers.Concatenate()([x] * 4))
    return _reflected(channels, 3, use_bias=use_bias, name=name)(x)
