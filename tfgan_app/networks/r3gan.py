"""R3GAN: residual networks without normalization, used by the preset `r3gan`."""

from __future__ import annotations

import math

import keras
from keras import layers

from tfgan_app.layers import FixedBilinearUpsampling, SpatialBasis, SpatialBasisSum, spectral
from tfgan_app.networks.heads import (
    conditioned,
    discriminator_inputs,
    generator_inputs,
    generator_model,
    level_widths,
    matching_model,
    pad_to_grid,
)

LEAK = 0.2
CLASS_DIM = 128


def build_r3gan_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 32,
    max_width: int = 256,
    blocks: int = 1,
    expansion: int = 1,
    group_width: int | None = None,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of R3GAN.

    "The GAN is dead; long live the GAN! A Modern GAN Baseline", Huang et al. 2024, arXiv:2501.05441: from a
    learned basis of 4 x 4 pixels, stages of residual blocks without normalization, interpolation between them,
    a linear 1 x 1 convolution to pixels. A block is a 1 x 1, a 3 x 3 and a 1 x 1 convolution with leaky ReLU
    0.2 between; the last one starts at zero, the others are scaled by blocks^(-1/4) (Fixup, Zhang et al. 2019,
    arXiv:1901.09321). The embedding of a class is appended to the latents.

    Deviations, for CPUs: the blocks are not inverted bottlenecks of grouped convolutions (`expansion=2,
    group_width=16`) but as wide inside as outside, with all channels in one group; widths double with each
    halving (the paper: equal, 768 for CIFAR-10); one block in each stage instead of two. On a CPU, forward and
    backward, TensorFlow's grouped convolutions took about 1.4 times as long as dense ones of the same number of
    products (at 16 px, in groups of 32), and Keras sends them through XLA, 49 times as long again. Interpolation
    is bilinear, with weights 3/4 and 1/4 (the paper's filter: 1/4, 1/2, 1/4); on the way down it is the mean of
    two by two pixels.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        blocks: Residual blocks in each stage.
        expansion: Factor of the channels inside of a block.
        group_width: Channels in one group of the 3 x 3 convolutions; `None` for one group of all (see above).
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]`, linear. A label outside of
        `[0, classes)` embeds to zero.

    Raises:
        ValueError: For widths that the groups do not divide.
    """
    widths = level_widths(size_px, width, max_width)
    block = _block_builder(len(widths) * blocks, expansion, group_width)
    inputs = generator_inputs(latent_dim, classes)
    x = inputs[0]
    if classes:
        x = conditioned(x, inputs[1], classes, latent_dim, kernel_initializer=_normal(1))
    x = layers.Dense(widths[-1], use_bias=False, kernel_initializer=_normal(1), name="from_latents")(x)
    x = SpatialBasis(4, name="basis")(x)
    for level in reversed(range(len(widths))):
        if level < len(widths) - 1:
            if x.shape[-1] != widths[level]:
                x = _linear(widths[level], name=f"up_{level}")(x)
            x = FixedBilinearUpsampling()(x)
        for _ in range(blocks):
            x = block(x)
    x = _linear(channels, name="to_image")(x)
    return generator_model(inputs, x, size_px=size_px, activation="linear", name=name)


def build_r3gan_discriminator(
    *,
    size_px: int,
    channels: int = 3,
    width: int = 32,
    max_width: int = 256,
    blocks: int = 1,
    expansion: int = 1,
    group_width: int | None = None,
    classes: int = 0,
    codes: int = 0,
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds the discriminator of R3GAN, the mirror image of `build_r3gan_generator`.

    Huang et al. 2024, arXiv:2501.05441: 1 x 1 convolution from pixels, stages of the same residual blocks
    with average pooling between them, a depthwise 4 x 4 convolution to one number per channel, and a linear
    layer. With classes that layer gives a vector, and the logit is its product with the label's embedding, so
    that a label outside of `[0, classes)` gives the logit 0. Spectral normalization is not in the paper; it
    sets the norm of every kernel to 1, so that with it no convolution starts at zero.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        blocks: Residual blocks in each stage.
        expansion: Factor of the channels inside of a block.
        group_width: Channels in one group of the 3 x 3 convolutions; `None` for one group of all.
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every convolution and dense layer in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`.

    Raises:
        ValueError: For widths that the groups do not divide.
    """
    wrap = spectral(spectral_norm)
    widths = level_widths(size_px, width, max_width)
    block = _block_builder(len(widths) * blocks, expansion, group_width, spectral_norm=spectral_norm)
    inputs = discriminator_inputs(size_px, channels, classes)
    x = wrap(_linear(width, name="from_image"))(pad_to_grid(inputs[-1]))
    for level, level_width in enumerate(widths):
        if level:
            x = layers.AveragePooling2D(2)(x)
            if x.shape[-1] != level_width:
                x = wrap(_linear(level_width, name=f"down_{level}"))(x)
        for _ in range(blocks):
            x = block(x)
    features = wrap(SpatialBasisSum(name="basis"))(x)
    heads = {"classes": classes, "codes": codes, "dim": CLASS_DIM}

    def normal() -> keras.initializers.Initializer:
        return _normal(CLASS_DIM**-0.5)

    return matching_model(inputs, features, **heads, dense=_dense, embedding_initializer=normal, wrap=wrap, name=name)


def _normal(gain: float) -> keras.initializers.Initializer:
    """Normal weights of variance gain^2 / inputs, not truncated."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def _linear(channels: int, *, name: str) -> layers.Layer:
    return layers.Conv2D(channels, 1, use_bias=False, kernel_initializer=_normal(1), name=name)


def _dense(units: int, *, name: str, use_bias: bool = False) -> layers.Layer:
    return layers.Dense(units, use_bias=use_bias, kernel_initializer=_normal(1), name=name)


def _block_builder(total_blocks: int, expansion: int, group_width: int | None, *, spectral_norm: bool = False):
    """Returns a function that adds one residual block; `total_blocks` of the network set the scale of its weights."""
    # Fixup with three layers in a branch: the first two are scaled by blocks^(-1/4), the last one is zero.
    gain = math.sqrt(2 / (1 + LEAK**2)) * total_blocks**-0.25
    wrap = spectral(spectral_norm)

    def add_block(x):
        channels = x.shape[-1]
        inside = channels * expansion
        group = min(group_width or inside, inside)
        if inside % group:
            raise ValueError(
                "`width * expansion` must be a multiple of `group_width`. "
                f"Received: {channels} channels, expansion={expansion}, group_width={group_width}."
            )
        y = wrap(layers.Conv2D(inside, 1, kernel_initializer=_normal(gain)))(x)
        y = layers.LeakyReLU(LEAK)(y)
        y = wrap(layers.Conv2D(inside, 3, padding="same", groups=inside // group, kernel_initializer=_normal(gain)))(y)
        y = layers.LeakyReLU(LEAK)(y)
        last = _normal(gain) if spectral_norm else "zeros"
        y = wrap(layers.Conv2D(channels, 1, use_bias=False, kernel_initializer=last))(y)
        return layers.Add()([x, y])

    return add_block
