"""DCGAN: strided and transposed convolutions with batch normalization."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import build_normalization, conditional_batch_norm, spectral
from tfgan_app.networks.heads import (
    discriminator_inputs,
    generator_inputs,
    generator_model,
    level_widths,
    one_hot_labels,
    pad_to_grid,
    projection_model,
)

MIN_LAST_WIDTH = 8
MAX_FACTOR = 8


def build_dcgan_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 32,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of DCGAN.

    "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", Radford et
    al. 2016, arXiv:1511.06434: the latents are projected to 4 x 4 pixels, each transposed convolution of stride
    2 doubles the size, with batch normalization and ReLU, tanh at the end; weights start normal with standard
    deviation 0.02. Deviations: kernels of 4 instead of 5 pixels (a multiple of the stride, so that all pixels
    are covered equally often); a 3 x 3 convolution from `width / 2` channels to pixels at the end, against the
    strides' pattern on flat colors; a quarter of the width of the paper by default; and any power of
    two besides 64 px. With classes the batch normalization is conditional (see `ClassGainAndBias`).

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector.
        width: Channels at half of the full resolution; doubled at every halving, up to eightfold.
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]` in [-1, 1]. A label outside of
        `[0, classes)` acts as no class: gain 1, bias 0.
    """
    inputs = generator_inputs(latent_dim, classes)
    one_hot = one_hot_labels(inputs, classes)
    widths = _widths(size_px, width)
    x = layers.Dense(16 * widths[-1], use_bias=False, kernel_initializer=_normal(), name="from_latents")(inputs[0])
    x = layers.Reshape((4, 4, widths[-1]))(x)
    for level_width in (*reversed(widths[:-1]), max(width // 2, MIN_LAST_WIDTH)):
        x = layers.ReLU()(conditional_batch_norm(x, one_hot))
        x = layers.Conv2DTranspose(level_width, 4, 2, padding="same", use_bias=False, kernel_initializer=_normal())(x)
    x = layers.ReLU()(conditional_batch_norm(x, one_hot))
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer=_normal(), name="to_image")(x)
    return generator_model(inputs, x, size_px=size_px, activation="tanh", name=name)


def build_dcgan_discriminator(
    *,
    size_px: int,
    channels: int = 3,
    width: int = 32,
    normalization: str = "batch",
    classes: int = 0,
    codes: int = 0,
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the discriminator of DCGAN.

    Radford et al. 2016, arXiv:1511.06434: 4 x 4 convolutions (the paper: 5 x 5) of stride 2 down to 4 x 4
    pixels, leaky ReLU 0.2, batch normalization after all but the first, and one linear layer. With classes a
    projection is added (Miyato & Koyama 2018, arXiv:1802.05637).

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Channels at half of the full resolution; doubled at every halving, up to eightfold.
        normalization: `"batch"`, `"instance"` or `"none"`. A gradient penalty needs `"none"`: batch
            normalization makes a logit depend on the other images (Gulrajani et al. 2017, arXiv:1704.00028).
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every convolution and dense layer in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`. A label outside of `[0, classes)` adds nothing to the logit.
    """
    wrap = spectral(spectral_norm)
    inputs = discriminator_inputs(size_px, channels, classes)
    x = pad_to_grid(inputs[-1])
    for level, level_width in enumerate(_widths(size_px, width)):
        normalize = build_normalization(normalization) if level else None
        convolution = layers.Conv2D(
            level_width, 4, 2, padding="same", use_bias=normalize is None, kernel_initializer=_normal()
        )
        x = wrap(convolution)(x)
        x = layers.LeakyReLU(0.2)(normalize(x) if normalize else x)
    features = layers.Flatten(name="features")(x)
    return projection_model(inputs, features, classes=classes, codes=codes, wrap=wrap, name=name)


def _widths(size_px: int, width: int) -> list[int]:
    """Channels from half of the full grid down to 4 x 4 pixels."""
    return level_widths(size_px, width, width * MAX_FACTOR)[:-1]


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)
