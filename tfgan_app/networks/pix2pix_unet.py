"""The U-Net generator of pix2pix in its original form, with transposed convolutions."""

from __future__ import annotations

from typing import Literal

import keras
from keras import layers

from tfgan_app.layers import CropLike, PadToMultiple
from tfgan_app.networks.reflected_resnet import normalization_layer


def build_pix2pix_unet(
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512, 512, 512),
    input_channels: int = 3,
    output_channels: int = 3,
    normalization: Literal["instance", "affine", "batch"] = "batch",
    use_bias: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Builds the encoder-decoder with skips: 4 x 4 convolutions of stride 2, and their transposed counterparts.

    "Image-to-Image Translation with Conditional Adversarial Networks", Isola et al. 2017, arXiv:1611.07004, as in the
    authors' PyTorch code: no normalization outermost and at the bottom. Deviations: dropout is left out, as at
    inference; images are padded by mirroring to a multiple of `2**len(widths)`. `unet` is our variant for training.

    Args:
        widths: Channels after each halving; 8 for 256 px, 7 for 128 px.
        input_channels: Channels of the input image.
        output_channels: Channels of the output image.
        normalization: `"instance"` without gain and bias, `"affine"` with them, or `"batch"`.
        use_bias: Whether the convolutions before a normalization have biases.
        name: Name of the model.

    Returns:
        The generator of `image` float32 `[batch, height, width, input_channels]` in [-1, 1] to float32
        `[batch, height, width, output_channels]`, with tanh.
    """
    depth = len(widths)
    image = keras.Input((None, None, input_channels), name="image")
    x = PadToMultiple(2**depth, name="pad")(image)
    skips = []
    for level, channels in enumerate(widths):
        x = layers.LeakyReLU(0.2)(x) if level else x
        biased = use_bias or level == 0
        x = layers.Conv2D(channels, 4, 2, padding="same", use_bias=biased, name=f"down_{level}")(x)
        if 0 < level < depth - 1:
            x = normalization_layer(normalization, name=f"down_{level}_norm")(x)
        skips.append(x)
    for level in reversed(range(depth)):
        x = layers.ReLU()(x)
        channels = widths[level - 1] if level else output_channels
        biased = use_bias or level == 0
        x = layers.Conv2DTranspose(channels, 4, 2, padding="same", use_bias=biased, name=f"up_{level}")(x)
        if level:
            x = normalization_layer(normalization, name=f"up_{level}_norm")(x)
            x = layers.Concatenate()([skips[level - 1], x])
    x = CropLike(name="crop")([x, image])
    return keras.Model(image, layers.Activation("tanh", dtype="float32", name="output")(x), name=name)
