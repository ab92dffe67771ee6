"""StyleGAN2: mapping network, modulated convolutions and residual discriminator, used by the preset `stylegan2`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from tfgan_app.layers import (
    BinomialFilter,
    EqualizedConv2D,
    EqualizedDense,
    FixedBilinearUpsampling,
    LearnedConstant,
    MinibatchDeviation,
    ModulatedConv2D,
    PixelNoise,
    StyleMixing,
    StyleTruncation,
    UnitPower,
    gained_leaky_relu,
    spectral,
)
from tfgan_app.networks.heads import (
    discriminator_inputs,
    embed,
    generator_inputs,
    generator_model,
    level_widths,
    matching_model,
    pad_to_grid,
)

MAPPING_RATE = 0.01
"""Multiplier of the mapping network's learning rate."""

CLASS_DIM = 128

_RGB_STD = 0.25
"""Standard deviation of the stored weights to pixels at the start, so that fresh images stay within [-1, 1]."""


@dataclass(frozen=True)
class StyleNetworks:
    """The parts of a style-based generator, which share its weights.

    Attributes:
        mapping: `latents`, or `[latents, labels]`, to w, float `[batch, dim]`.
        truncation: `StyleTruncation` of w; tracks its mean in training.
        mixing: `StyleMixing`: w, or two of them, to one style for each layer, `[batch, count, dim]`.
        synthesis: Styles `[batch, count, dim]` to images, float32 `[batch, size_px, size_px, channels]`.
    """

    mapping: keras.Model
    truncation: StyleTruncation
    mixing: StyleMixing
    synthesis: keras.Model

    def w(self, inputs: Any, *, training: bool = False) -> Any:
        """Maps the generator's inputs to w, truncated except in training: `[batch, dim]`."""
        return self.truncation(self.mapping(inputs, training=training), training=training)

    def images(self, w: Any, other: Any = None, *, training: bool = False) -> Any:
        """Draws images of w, mixed with those of another w in training: float32 in [-1, 1] nominally."""
        return self.synthesis(self.mixing(w, other, training=training), training=training)


def style_networks(generator: keras.Model) -> StyleNetworks | None:
    """Returns the parts of a style-based generator, such as `build_stylegan2_generator` builds; None for others."""
    names = ("mapping", "truncation", "mixing", "synthesis")
    found = {layer.name: layer for layer in getattr(generator, "layers", ()) if layer.name in names}
    if len(found) < len(names) or not isinstance(found["truncation"], StyleTruncation):
        return None
    return StyleNetworks(**found)


def build_stylegan2_generator(
    *,
    size_px: int,
    channels: int = 3,
    latent_dim: int = 128,
    width: int = 32,
    max_width: int = 256,
    mapping_layers: int = 2,
    mixing: float = 0.9,
    classes: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of StyleGAN2.

    "Analyzing and Improving the Image Quality of StyleGAN", Karras et al. 2020, arXiv:1912.04958, and its class
    conditioning from arXiv:2006.06676: a mapping network from latents (and the embedding of a class) to w; from a
    learned constant of 4 x 4 pixels, two modulated convolutions at each resolution, with noise, biases and leaky ReLU;
    and at each resolution an image that is added to the enlarged one before (skip connections). Learning rates are
    equalized, and enlargement filters by 1, 3, 3, 1. The model has the layers `mapping`, `truncation`, `mixing` and
    `synthesis`; see `style_networks`. The paper's network is `width=32768 / size_px, max_width=512, latent_dim=512,
    mapping_layers=8`.

    Deviations by default, for CPUs: widths, latents, and two mapping layers (as in arXiv:2006.06676 for small
    images). At borders, the enlarged image repeats its edge in place of zeros. The weights to pixels start at a
    quarter, so that fresh images are within the range of real ones.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        latent_dim: Size of the latent vector and of w.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        mapping_layers: Dense layers of the mapping network.
        mixing: Share of the images of a training that mix two styles.
        classes: Number of classes; 0 for none.
        name: Name of the model.

    Returns:
        The generator of `latents` float32 `[batch, latent_dim]`, or with classes of `[latents, labels]`, labels
        int32 `[batch]`, to float32 `[batch, size_px, size_px, channels]`, linear. A label outside of
        `[0, classes)` embeds to zero.
    """
    widths = level_widths(size_px, width, max_width)
    mapping = _build_mapping(latent_dim, mapping_layers, classes)
    synthesis = _build_synthesis(size_px, channels, latent_dim, widths)
    inputs = generator_inputs(latent_dim, classes)
    w = mapping(inputs if classes else inputs[0])
    w = StyleTruncation(name="truncation")(w)
    styles = StyleMixing(2 * len(widths), mixing, name="mixing")(w)
    return keras.Model(inputs if classes else inputs[0], synthesis(styles), name=name)


def _build_mapping(latent_dim: int, depth: int, classes: int) -> keras.Model:
    inputs = generator_inputs(latent_dim, classes)
    x = UnitPower(name="unit_latents")(inputs[0])
    if classes:
        normal = keras.initializers.RandomNormal(stddev=1.0)
        embedded = embed(inputs[1], classes, latent_dim, kernel_initializer=normal)
        x = layers.Concatenate(name="conditioned")([x, UnitPower(name="unit_class")(embedded)])
    for index in range(depth):
        x = EqualizedDense(latent_dim, rate=MAPPING_RATE, activation=gained_leaky_relu, name=f"map_{index}")(x)
    return keras.Model(inputs if classes else inputs[0], x, name="mapping")


def _build_synthesis(size_px: int, channels: int, dim: int, widths: list[int]) -> keras.Model:
    styles = keras.Input((2 * len(widths), dim), name="styles")

    def convolve(x, filters: int, index: int, *, double: bool = False):
        x = ModulatedConv2D(filters, index=index, double=double, name=f"conv_{index}")([x, styles])
        x = PixelNoise(name=f"noise_{index}")(x)
        return layers.Activation(gained_leaky_relu, name=f"act_{index}")(x)

    x, image = LearnedConstant(4, widths[-1], name="constant")(styles), None
    for step, level_width in enumerate(reversed(widths)):
        if step:
            x = convolve(x, level_width, 2 * step - 1, double=True)
        x = convolve(x, level_width, 2 * step)
        to_image = ModulatedConv2D(
            channels, 1, index=2 * step + 1, demodulate=False, weight_std=_RGB_STD, name=f"to_image_{step}"
        )
        y = to_image([x, styles])
        image = y if image is None else layers.Add(name=f"skip_{step}")([FixedBilinearUpsampling()(image), y])
    return generator_model([styles], image, size_px=size_px, activation="linear", name="synthesis")


def build_stylegan2_discriminator(
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
    """Builds the residual discriminator of StyleGAN2.

    Karras et al. 2020, arXiv:1912.04958: 1 x 1 convolution from pixels; residual blocks of two 3 x 3 convolutions, the
    second of stride 2 behind the filter 1, 3, 3, 1, down to 4 x 4 pixels; the minibatch standard deviation, a
    convolution and two dense layers. With classes the second gives a vector, and the logit is its product with the
    label's embedding (arXiv:2006.06676), so that a label outside of `[0, classes)` gives the logit 0. Deviation: the
    embedding is one layer, not a mapping network. Spectral normalization is not in the paper; with it the layers have
    no equalized learning rate.

    Args:
        size_px: Height and width of the image.
        channels: Channels of the image.
        width: Channels at full resolution; doubled at every halving up to `max_width`.
        max_width: Bound on the channels.
        classes: Number of classes; 0 for none.
        codes: Outputs of an InfoGAN head on the same features; 0 for no such head.
        spectral_norm: Wraps every convolution and dense layer in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `image` float32 `[batch, size_px, size_px, channels]`, or with classes of
        `[labels, image]`, labels int32 `[batch]`, to logits float32 `[batch, 1]`, or with codes to
        `[logits, codes float32 [batch, codes]]`.
    """
    wrap = spectral(spectral_norm)
    convolution = layers.Conv2D if spectral_norm else EqualizedConv2D
    dense = layers.Dense if spectral_norm else EqualizedDense

    def convolve(x, filters: int, kernel_px: int = 3, **options):
        options = {"padding": "same", "activation": gained_leaky_relu, **options}
        return wrap(convolution(filters, kernel_px, **options))(x)

    inputs = discriminator_inputs(size_px, channels, classes)
    widths = level_widths(size_px, width, max_width)
    x = convolve(pad_to_grid(inputs[-1]), width, 1, name="from_image")
    for level, next_width in enumerate(widths[1:]):
        y = convolve(x, widths[level])
        y = BinomialFilter(padding=2, stride=1)(y)
        y = convolve(y, next_width, strides=2, padding="valid")
        shortcut = convolve(BinomialFilter()(x), next_width, 1, activation=None, use_bias=False)
        x = layers.Rescaling(0.5**0.5)(layers.Add()([shortcut, y]))
    x = convolve(MinibatchDeviation(name="deviation")(x), widths[-1])
    features = wrap(dense(widths[-1], activation=gained_leaky_relu, name="features"))(layers.Flatten()(x))
    heads = {"classes": classes, "codes": codes, "dim": CLASS_DIM}

    def normal() -> keras.initializers.Initializer:
        return keras.initializers.RandomNormal(stddev=CLASS_DIM**-0.5)

    return matching_model(inputs, features, **heads, dense=dense, embedding_initializer=normal, wrap=wrap, name=name)
