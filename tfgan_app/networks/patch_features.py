"""Patches of feature maps as unit vectors, for contrastive losses."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops


def take_patches(features, draws):
    """Samples feature vectors at random distinct places.

    Deviation from Park et al. 2020, arXiv:2007.15651, section 3.2, who draw from a permutation: one place in each of
    equally long stretches of the map, row by row, so that a place is a function of one number.

    Args:
        features: float tensor `[batch, rows, columns, channels]`, rows and columns known.
        draws: float32 `[batch, patches]`, uniform in [0, 1).

    Returns:
        `[batch, min(patches, rows * columns), channels]`; all places, in order, if there are no more of them.
    """
    _, rows, columns, channels = features.shape
    places, patches = rows * columns, draws.shape[1]
    vectors = ops.reshape(features, (-1, places, channels))
    if patches >= places:
        return vectors
    stretches = ops.cast(ops.arange(patches), "float32") + draws
    chosen = ops.cast(ops.floor(stretches * (places / patches)), "int32")
    return ops.take_along_axis(vectors, ops.minimum(chosen, places - 1)[:, :, None], axis=1)


def build_patch_features(channels: Sequence[int], *, dim: int = 256, name: str = "patch_features") -> keras.Model:
    """Builds a two-layer perceptron for each feature map, with unit vectors as output.

    "Contrastive Learning for Unpaired Image-to-Image Translation", Park et al. 2020, arXiv:2007.15651, section 3.2:
    `H_l` with 256 units, ReLU between, and L2 normalization. Deviation: Glorot's initialization.

    Args:
        channels: Number of channels of each feature map.
        dim: Units of each layer.
        name: Name of the model.

    Returns:
        Model of a list of float `[batch, patches, channels]` to a list of float32 `[batch, patches, dim]` of length 1.
    """
    inputs = [keras.Input((None, count), name=f"patches_{level}") for level, count in enumerate(channels)]
    outputs = []
    for level, patches in enumerate(inputs):
        x = layers.Dense(dim, activation="relu", name=f"hidden_{level}")(patches)
        x = layers.Dense(dim, name=f"features_{level}")(x)
        outputs.append(layers.UnitNormalization(dtype="float32", name=f"unit_{level}")(x))
    return keras.Model(inputs, outputs, name=name)
