"""Realness scores and features of a trained discriminator."""

from __future__ import annotations

import functools

import keras
import numpy as np

from tfgan_app.data.labeled import NO_LABEL
from tfgan_app.networks.discriminator_features import build_feature_model

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
        """Returns features float32 `[count, dim]` of images uint8 `[count, height, width, channels]`.

        See `build_feature_model`.
        """
        found = []
        for start in range(0, len(images), CHUNK):
            batch = images[start : start + CHUNK]
            unlabeled = np.full(len(batch), NO_LABEL, np.int32)
            found.append(np.asarray(self._features([unlabeled, _signed(batch)], training=False)))
        return np.concatenate(found)

    @functools.cached_property
    def _features(self) -> keras.Model:
        return build_feature_model(self._discriminator)


def _signed(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 127.5 - 1.0
