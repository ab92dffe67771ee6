"""Realness scores and features of a trained discriminator."""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
from keras import layers

from tfgan_app.data.labeled import NO_LABEL
from tfgan_app.layers import MinibatchDeviation, gained_leaky_relu

FEATURE_GRID = 4
CHUNK = 250


class DiscriminatorScorer:
    """A conditional discriminator with a uint8 interface.

    Args:
        discriminator: Model of `[labels, image]` to logits or `[logits, codes]`.
    """

    def __init__(self, discriminator: keras.Model):
        self._discriminator = discriminator

    def scores(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Logits of images uint8 `[count, height, width, channels]` as their classes: float32 `[count]`.

        Compare them with each other only; those of a relativistic discriminator have no zero.
        """
        found = []
        for start in range(0, len(images), CHUNK):
            batch = slice(start, start + CHUNK)
            outputs = self._discriminator([labels[batch], _signed(images[batch])], training=False)
            logits = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
            found.append(np.asarray(logits)[:, 0])
        return np.concatenate(found)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Features float32 `[count, dim]` of images uint8 `[count, height, width, channels]`; see `_feature_model`."""
        found = []
        for start in range(0, len(images), CHUNK):
            batch = images[start : start + CHUNK]
            unlabeled = np.full(len(batch), NO_LABEL, np.int32)
            found.append(np.asarray(self._features([unlabeled, _signed(batch)], training=False)))
        return np.concatenate(found)

    @functools.cached_property
    def _features(self) -> keras.Model:
        return _feature_model(self._discriminator)


def _feature_model(discriminator: keras.Model) -> keras.Model:
    """Builds the model of all rectified feature maps, max-pooled to 4 x 4 and concatenated.

    As in Radford et al. 2016, arXiv:1511.06434, section 5.1; hidden layers without a grid are taken unchanged. None of
    them depends on the label: a projection uses it at the very end, and elsewhere `NO_LABEL` replaces it. Nor on the
    other images of the batch, whose deviation StyleGAN2's last layers see.
    """
    own = itertools.takewhile(lambda layer: not isinstance(layer, MinibatchDeviation), discriminator.layers)
    rectified = [layer.output for layer in own if _is_rectifier(layer)]
    flat = []
    for features in rectified:
        if len(features.shape) == 4:
            size = tuple(max(side // FEATURE_GRID, 1) for side in features.shape[1:3])
            features = layers.Flatten()(layers.MaxPooling2D(size)(features))
        flat.append(features)
    outputs = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return keras.Model(discriminator.inputs, outputs, name="discriminator_features")


def _is_rectifier(layer: layers.Layer) -> bool:
    inner = getattr(layer, "layer", layer)  # Spectral normalization wraps it.
    return isinstance(inner, (layers.LeakyReLU, layers.ReLU)) or getattr(inner, "activation", 0) is gained_leaky_relu


def _signed(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 127.5 - 1.0
