"""The U-Net discriminator of Real-ESRGAN: a logit for every pixel."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import CropLike, PadToMultiple, PixelShuffle, spectral

LEAK = 0.2
HALVINGS = 3


def build_unet_discriminator(
    *, channels: int = 3, width: int = 64, spectral_norm: bool = True, name: str = "discriminator"
) -> keras.Model:
    """Builds Real-ESRGAN's discriminator, with a logit for each pixel.

    "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", Wang et al. 2021,
    arXiv:2107.10833, section 3.4: three 4 x 4 convolutions of stride 2, bilinear enlargement, skips that are added,
    leaky ReLU 0.2, and spectral normalization of all but the first and the last convolution, which alone have a
    bias. Deviations: images are padded to a multiple of 8 inside the graph and the logits are cropped, so that any
    size works; and features are enlarged with weights 2/3 and 1/3 instead of 3/4 and 1/4, see `_double`.

    Args:
        channels: Channels of the image.
        width: Channels at full resolution; doubled at every halving.
        spectral_norm: Whether the convolutions but the first and the last are spectrally normalized.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, height, width, channels]` in [-1, 1], of any height and width,
        to logits float32 `[batch, height, width, 1]`.
    """
    wrap = spectral(spectral_norm)

    def convolve(x, channels, kernel_px=3, strides=1):
        layer = layers.Conv2D(
            channels, kernel_px, strides, padding="same", use_bias=False, kernel_initializer="he_normal"
        )
        return layers.LeakyReLU(LEAK)(wrap(layer)(x))

    image = keras.Input((None, None, channels), name="image")
    padded = PadToMultiple(2**HALVINGS, name="pad")(image)
    x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name="from_image")(padded)
    x = layers.LeakyReLU(LEAK)(x)
    skips = []
    for level in range(HALVINGS):
        skips.append(x)
        x = convolve(x, width * 2 ** (level + 1), 4, 2)
    for level in reversed(range(HALVINGS)):
        x = convolve(_double(x), width * 2**level)
        x = layers.Add()([x, skips[level]])
    for _ in range(2):
        x = convolve(x, width)
    x = CropLike(name="crop")([layers.Conv2D(1, 3, padding="same", name="to_logits")(x), image])
    outputs = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(image, outputs, name=name)


def _double(x):
    """Doubles height and width by interpolation: the mean of 3 x 3 pixels after nearest-neighbor doubling.

    TensorFlow silently takes the second derivative of its bilinear resize as zero, so that a gradient
    penalty would not reach the weights below it.
    """
    x = PixelShuffle(2)(layers.Concatenate()([x] * 4))
    return layers.AveragePooling2D(3, 1, padding="same")(x)
