"""The discriminator of SRGAN, shaped like VGG."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import build_normalization, spectral

LEAK = 0.2
HIDDEN_FACTOR = 16


def build_vgg_discriminator(
    *,
    channels: int = 3,
    width: int = 64,
    normalization: str = "none",
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds SRGAN's discriminator of whole images: one real/fake logit for each.

    Ledig et al. 2017, arXiv:1609.04802, section 2.1.1: eight 3 x 3 convolutions, every second one of stride 2,
    leaky ReLU 0.2, widths 64-128-256-512, and two dense layers. Deviations: the features are averaged over the
    image before the dense layers, so that images may have any size (the paper: 96 px); no normalization by default
    (the paper: batch, after all convolutions but the first); no sigmoid, since the losses take logits.

    Args:
        channels: Channels of the image.
        width: Channels of the first convolution; doubled at every halving up to eightfold.
        normalization: `"none"`, `"instance"` or `"batch"`. A gradient penalty needs `"none"`: batch normalization
            makes a logit depend on the other images (Gulrajani et al. 2017, arXiv:1704.00028).
        spectral_norm: Wraps every convolution and dense layer in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, height, width, channels]` in [-1, 1], of any height and width,
        to logits float32 `[batch, 1]`. A feature sees 61 x 61 pixels, and a logit the mean of all features.

    Raises:
        ValueError: For an unknown normalization.
    """
    wrap = spectral(spectral_norm)
    x = image = keras.Input((None, None, channels), name="image")
    for level in range(4):
        for strides in (1, 2):
            first = x is image
            layer = layers.Conv2D(width * 2**level, 3, strides, padding="same", kernel_initializer="he_normal")
            x = wrap(layer)(x)
            normalize = None if first else build_normalization(normalization)
            x = layers.LeakyReLU(LEAK)(normalize(x) if normalize else x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.LeakyReLU(LEAK)(wrap(layers.Dense(HIDDEN_FACTOR * width, kernel_initializer="he_normal"))(x))
    x = wrap(layers.Dense(1, name="to_logits"))(x)
    outputs = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(image, outputs, name=name)
