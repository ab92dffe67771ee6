"""The fully connected networks of the first GAN."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import spectral
from tfgan_app.networks.heads import (
    check_size,
    conditioned,
    discriminator_inputs,
    discriminator_model,
    generator_inputs,
    generator_model,
)

CLASS_DIM = 64


def build_mlp_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 512,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds a fully connected generator: two hidden layers with ReLU.

    "Generative Adversarial Networks", Goodfellow et al. 2014, arXiv:1406.2661. Classes as in "Conditional
    Generative Adversarial Nets", Mirza & Osindero 2014, arXiv:1411.1784: their embedding is appended to the
    latents. Deviation: tanh instead of a sigmoid, for images in [-1, 1].

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector.
        width: Units in each hidden layer.
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]` in [-1, 1]. A label outside of
        `[0, classes)` embeds to zero.
    """
    check_size(size_px)
    inputs = generator_inputs(latent_dim, classes)
    x = inputs[0]
    if classes:
        x = conditioned(x, inputs[1], classes, CLASS_DIM, kernel_initializer=_normal())
    for _ in range(2):
        x = layers.ReLU()(layers.Dense(width, kernel_initializer="he_normal")(x))
    x = layers.Dense(size_px * size_px * channels, name="to_image")(x)
    x = layers.Reshape((size_px, size_px, channels))(x)
    return generator_model(inputs, x, size_px=size_px, activation="tanh", name=name)


def build_mlp_discriminator(
    *,
    size_px: int,
    channels: int = 3,
    width: int = 512,
    classes: int = 0,
    codes: int = 0,
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds a fully connected discriminator: two hidden layers with leaky ReLU 0.2.

    Goodfellow et al. 2014, arXiv:1406.2661; the embedding of a class is appended to the pixels (Mirza &
    Osindero 2014, arXiv:1411.1784). Deviation: leaky ReLU instead of maxout with dropout.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Units in each hidden layer.
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every dense layer in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`. A label outside of `[0, classes)` embeds to zero.
    """
    wrap = spectral(spectral_norm)
    inputs = discriminator_inputs(size_px, channels, classes)
    x = layers.Flatten()(inputs[-1])
    if classes:
        x = conditioned(x, inputs[0], classes, CLASS_DIM, kernel_initializer=_normal(), wrap=wrap)
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(wrap(layers.Dense(width, kernel_initializer="he_normal"))(x))
    logits = wrap(layers.Dense(1, name="to_logits"))(x)
    code_outputs = wrap(layers.Dense(codes, name="to_codes"))(x) if codes else None
    return discriminator_model(inputs, logits, code_outputs, name=name)


def _normal() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=1.0)
