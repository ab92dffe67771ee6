"""The residual networks of SNGAN and WGAN-GP."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import DoublingConv2D, conditional_batch_norm, spectral
from tfgan_app.networks.heads import (
    discriminator_inputs,
    generator_inputs,
    generator_model,
    level_widths,
    one_hot_labels,
    pad_to_grid,
    projection_model,
)
from tfgan_app.networks.residual_blocks import double, down_block, plain_block, summed_features


def build_resnet_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 32,
    max_width: int = 256,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds the residual generator of SNGAN.

    "Spectral Normalization for Generative Adversarial Networks", Miyato et al. 2018, arXiv:1802.05957, appendix
    B (after Gulrajani et al. 2017, arXiv:1704.00028): a dense layer to 4 x 4 pixels, residual blocks that double
    the size by repeating pixels, with batch normalization and ReLU, then a 3 x 3 convolution and tanh. With
    classes the batch normalization is conditional, as in Miyato & Koyama 2018, arXiv:1802.05637. Deviation by default:
    the widths double with every halving at all sizes, as in the paper from 48 px on, and start narrow enough for
    a CPU. The paper's of 32 px is `width=256, max_width=256`.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]` in [-1, 1]. A label outside of
        `[0, classes)` acts as no class: gain 1, bias 0.
    """
    inputs = generator_inputs(latent_dim, classes)
    one_hot = one_hot_labels(inputs, classes)
    widths = level_widths(size_px, width, max_width)
    x = layers.Dense(16 * widths[-1], name="from_latents")(inputs[0])
    x = layers.Reshape((4, 4, widths[-1]))(x)
    for level_width in reversed(widths[:-1]):
        y = layers.ReLU()(conditional_batch_norm(x, one_hot))
        # No biases: batch normalization removes constants of a channel.
        y = DoublingConv2D(level_width, use_bias=False, kernel_initializer=_initializer())(y)
        y = layers.ReLU()(conditional_batch_norm(y, one_hot))
        y = _convolution(level_width, use_bias=False)(y)
        # A 1 x 1 convolution and the repetition of pixels commute: at the low resolution it costs a quarter.
        x = layers.Add()([double(layers.Conv2D(level_width, 1, use_bias=False)(x)), y])
    # One gain and bias for all classes before the last convolution, as in the projection paper's code.
    x = layers.ReLU()(conditional_batch_norm(x))
    x = layers.Conv2D(channels, 3, padding="same", name="to_image")(x)
    return generator_model(inputs, x, size_px=size_px, activation="tanh", name=name)


def build_resnet_discriminator(
    *,
    size_px: int,
    channels: int = 3,
    width: int = 32,
    max_width: int = 256,
    classes: int = 0,
    codes: int = 0,
    spectral_norm: bool = False,
    halvings: int | None = None,
    plain_blocks: int = 1,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the residual discriminator of SNGAN.

    Miyato et al. 2018, arXiv:1802.05957, appendix B: residual blocks without normalization that halve the size
    by average pooling down to 4 x 4 pixels, one more block, ReLU, the sum over all pixels, a linear layer; with
    classes a projection (Miyato & Koyama 2018, arXiv:1802.05637). Deviations by default: those of the generator, and at
    32 px three halvings and one plain block, as the paper has from 48 px on. The paper's of 32 px is
    `width=128, max_width=128, halvings=2, plain_blocks=2`.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Channels after the first block; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every convolution and dense layer in spectral normalization, as the paper does.
        halvings: Maximum number of halvings; None goes down to 4 x 4 pixels.
        plain_blocks: Residual blocks after the last halving.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`. A label outside of `[0, classes)` adds nothing to the logit.
    """
    wrap = spectral(spectral_norm)
    inputs = discriminator_inputs(size_px, channels, classes)

    def convolution(filters: int, kernel_px: int) -> layers.Layer:
        return wrap(_convolution(filters, kernel_px))

    def shortcut(filters: int, kernel_px: int) -> layers.Layer:
        return wrap(layers.Conv2D(filters, kernel_px))

    x = pad_to_grid(inputs[-1])
    for level, level_width in enumerate(level_widths(size_px, width, max_width)[:-1][:halvings]):
        x = down_block(x, level_width, convolution, shortcut, first=level == 0)
    for _ in range(plain_blocks):
        x = plain_block(x, convolution)
    return projection_model(inputs, summed_features(x), classes=classes, codes=codes, wrap=wrap, name=name)


def _convolution(channels: int, kernel_px: int = 3, *, use_bias: bool = True) -> layers.Layer:
    """Builds a convolution of a residual branch: Glorot's initialization times the gain of ReLU."""
    return layers.Conv2D(channels, kernel_px, padding="same", use_bias=use_bias, kernel_initializer=_initializer())


def _initializer() -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform")
