"""Encoder features of a generator: outputs of its layers by name."""

from __future__ import annotations

from collections.abc import Sequence

import keras

ENCODER_LAYERS = {
    "residual_unet": ("pad", "down_0", "down_1", "middle"),
    "unet": ("pad", "down_0", "down_1", "down_2"),
    "resnet_6": ("pad", "down_0", "down_1", "block_0", "block_4"),
    "resnet_9": ("pad", "down_0", "down_1", "block_0", "block_4"),
}
"""Generator -> layers whose patches are compared.

Those of the ResNets are the choice of Park et al. 2020, arXiv:2007.15651, appendix C.1: the pixels, both halvings, the
first and the fifth residual block. Those of the U-Nets are similar: pixels, halvings, and the lowest resolution or near
it.
"""


def encoder_layers(generator: keras.Model, architecture: str) -> list[str]:
    """The layers of `ENCODER_LAYERS` that a generator has; shallow ones lack some.

    Args:
        generator: Built by the architecture's row of `GENERATORS`.
        architecture: Key of `ENCODER_LAYERS`.
    """
    names = {layer.name for layer in generator.layers}
    return [name for name in ENCODER_LAYERS[architecture] if name in names]


def build_encoder(generator: keras.Model, layers: Sequence[str]) -> keras.Model:
    """Builds a view of a generator that ends at its features; it shares the weights.

    Args:
        generator: Functional model of an image.
        layers: Names of its layers.

    Returns:
        Model of the same image to a list of the layers' outputs, `[batch, rows, columns, channels]` each.
    """
    return keras.Model(generator.input, [generator.get_layer(name).output for name in layers], name="encoder")


def build_generator_with_features(generator: keras.Model, layers: Sequence[str]) -> keras.Model:
    """Builds a view of a generator that returns its image and features in one pass; it shares the weights.

    Args:
        generator: Functional model of an image.
        layers: Names of its layers.

    Returns:
        Model of the same image to a list: the generator's output, then the layers' outputs.
    """
    features = [generator.get_layer(name).output for name in layers]
    return keras.Model(generator.input, [*generator.outputs, *features], name="generator_with_features")
