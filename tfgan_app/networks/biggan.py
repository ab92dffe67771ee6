"""BigGAN: residual networks with a shared class embedding, hierarchical latents and self-attention."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import BatchNormalization, ChannelSlice, ConditionGainAndBias, self_attention, spectral
from tfgan_app.networks.heads import (
    discriminator_inputs,
    embed,
    generator_inputs,
    generator_model,
    level_widths,
    pad_to_grid,
    projection_model,
)
from tfgan_app.networks.residual_blocks import double, down_block, plain_block, summed_features

CLASS_DIM = 128
ATTENTION_PX = {32: 16, 64: 32}
"""Grid of a network -> resolution of its self-attention; larger grids have it at 64 px, as in the paper."""


def build_biggan_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 32,
    max_width: int = 256,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of BigGAN.

    "Large Scale GAN Training for High Fidelity Natural Image Synthesis", Brock et al. 2019, arXiv:1809.11096, appendix
    B.1: the latents are split into a part for the first layer and one for each residual block; gain and bias of
    each batch normalization are linear functions of the block's part and of a class embedding that all blocks share;
    self-attention at one resolution; spectral normalization of all layers but the embedding. The paper's network of
    128 px is `width=96, max_width=1536, latent_dim=120`.

    Deviations by default: narrow networks for CPUs, and self-attention at 16 px for images of up to 32 px. Gains and
    biases are not spectrally normalized. A split that leaves a rest gives it to the first layer.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector, at least the number of blocks and one.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]` in [-1, 1]. A label outside of
        `[0, classes)` embeds to zero.

    Raises:
        ValueError: For fewer latents than parts.
    """
    widths = level_widths(size_px, width, max_width)
    blocks = len(widths) - 1
    if latent_dim < blocks + 1:
        raise ValueError(f"`latent_dim` must be at least {blocks + 1}, one for each part. Received: {latent_dim}.")
    inputs, wrap = generator_inputs(latent_dim, classes), spectral(True)
    share = latent_dim // (blocks + 1)
    first = latent_dim - blocks * share
    embedded = embed(inputs[1], classes, CLASS_DIM) if classes else None

    def part(start: int, size: int):
        return ChannelSlice(start, start + size)(inputs[0])

    x = wrap(layers.Dense(16 * widths[-1], kernel_initializer=_initializer(), name="from_latents"))(part(0, first))
    x = layers.Reshape((4, 4, widths[-1]))(x)
    for index, level_width in enumerate(reversed(widths[:-1])):
        latents = part(first + index * share, share)
        condition = layers.Concatenate()([latents, embedded]) if classes else latents
        x = _up_block(x, condition, level_width, wrap)
        if x.shape[1] == _attention_px(4 * 2**blocks):
            x = self_attention(x, wrap=wrap, name="self_attention")
    x = layers.ReLU()(BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
    x = wrap(_convolution(channels, name="to_image"))(x)
    return generator_model(inputs, x, size_px=size_px, activation="tanh", name=name)


def _up_block(x, condition, width: int, wrap):
    """Batch normalization, ReLU, doubling and 3 x 3, twice; beside them doubling and 1 x 1, which commute."""
    y = wrap(_convolution(width))(double(layers.ReLU()(_normalized(x, condition))))
    y = wrap(_convolution(width))(layers.ReLU()(_normalized(y, condition)))
    shortcut = wrap(_convolution(width, 1))(x)
    return layers.Add()([double(shortcut), y])


def _normalized(x, condition):
    plain = BatchNormalization(momentum=0.9, epsilon=1e-5, center=False, scale=False)(x)
    return ConditionGainAndBias()([plain, condition])


def build_biggan_discriminator(
    *,
    size_px: int,
    channels: int = 3,
    width: int = 32,
    max_width: int = 256,
    classes: int = 0,
    codes: int = 0,
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the discriminator of BigGAN.

    Brock et al. 2019, arXiv:1809.11096, appendix B.1: residual blocks that halve the size by average pooling down to
    4 x 4 pixels, self-attention at one resolution, one more block, ReLU, the sum over all pixels, and a projection of
    the class (Miyato & Koyama 2018, arXiv:1802.05637). The paper has spectral normalization: `spectral_norm=True`.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Channels after the first block; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every convolution and dense layer in spectral normalization, as the paper does.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`. A label outside of `[0, classes)` adds nothing to the logit.
    """
    wrap, inputs = spectral(spectral_norm), discriminator_inputs(size_px, channels, classes)

    def convolution(filters: int, kernel_px: int) -> layers.Layer:
        return wrap(_convolution(filters, kernel_px))

    x = pad_to_grid(inputs[-1])
    grid = x.shape[1]
    widths = level_widths(size_px, width, max_width)
    for level, level_width in enumerate(widths[:-1]):
        x = down_block(x, level_width, convolution, convolution, first=level == 0)
        if x.shape[1] == _attention_px(grid):
            x = self_attention(x, wrap=wrap, name="self_attention")
    x = plain_block(x, convolution)
    return projection_model(inputs, summed_features(x), classes=classes, codes=codes, wrap=wrap, name=name)


def _attention_px(grid: int) -> int:
    return ATTENTION_PX.get(grid, 64)


def _convolution(channels: int, kernel_px: int = 3, *, name: str | None = None) -> layers.Layer:
    initializer = _initializer()
    return layers.Conv2D(channels, kernel_px, padding="same", kernel_initializer=initializer, name=name)


def _initializer() -> keras.initializers.Initializer:
    """Orthogonal matrices, as in the paper's appendix C."""
    return keras.initializers.Orthogonal()
