"""Retrieval precision: how often an image's own caption is the nearest of several."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan_app.files import atomic_path
from tfgan_app.layers import TokenEmbedding, TokenMask, TokenMean

CANDIDATES = 50
"""Captions that an image is compared with, its own among them."""

_VERSION = 1
"""Part of a cache file's name; raise it with every change of the networks or their training."""
_STEPS, _BATCH, _DIM, _WIDTH = 800, 128, 64, 32
_LEARNING_RATE, _TEMPERATURE = 2e-3, 0.1
_MAX_PX = 64
_CHUNK = 500


class TextRetrieval:
    """Encoders of images and captions, trained on real pairs, that tell which caption belongs to an image.

    R-precision as in "AttnGAN", Xu et al. 2018, arXiv:1711.10485, section 4, with one relevant caption and 49 others.
    Deviation: a small convolutional network and the mean of token embeddings, trained on the data itself by a
    symmetric contrastive loss (Radford et al. 2021, arXiv:2103.00020, figure 3), in place of pretrained encoders.

    Seed and data determine the weights on one kind of machine.

    Args:
        images: Training images uint8 `[count, height, width, 1 or 3]`.
        labels: int32 `[count]`, index of each image's caption.
        tokens: int32 `[captions, length]`, tokens of all captions.
        steps: Updates of the training.
        cache_dir: Folder that keeps the trained weights; None keeps nothing.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        tokens: np.ndarray,
        *,
        steps: int = _STEPS,
        cache_dir: str | Path | None = None,
    ):
        self._tokens = tokens
        self._image_encoder, self._text_encoder = _build(images.shape[1:], tokens)
        digest = hashlib.sha256(repr((_VERSION, steps, images.shape)).encode())
        for array in (images, labels, tokens):
            digest.update(np.ascontiguousarray(array).data)
        path = Path(cache_dir) / f"retrieval_{digest.hexdigest()[:16]}.npz" if cache_dir else None
        if path is None or not self._load(path):
            self._train(images, labels, steps)
            if path is not None:
                with atomic_path(path) as unfinished:
                    np.savez(unfinished, *self._weights())

    def precision(self, images: np.ndarray, labels: np.ndarray, *, candidates: int = CANDIDATES) -> float:
        """Share of images whose own caption is nearest among others.

        Args:
            images: uint8 `[count, height, width, 1 or 3]`.
            labels: int32 `[count]`, index of each image's caption.
            candidates: Captions for each image; the others are drawn from the captions of `labels`, and where these
                are too few, from all.

        Returns:
            The share; chance is one in `candidates`.
        """
        texts = self._encoded(self._text_encoder, self._tokens)
        found = self._encoded(self._image_encoder, images)
        near, everything = np.unique(labels), np.arange(len(self._tokens))
        pool = near if len(near) >= candidates else everything
        count = min(candidates, len(pool))
        hits = 0
        for index, label in enumerate(labels):
            rng = np.random.default_rng([0, index])
            others = rng.permutation(pool[pool != label])[: count - 1]
            # Captions of the same tokens are the same text.
            others = others[(self._tokens[others] != self._tokens[label]).any(axis=1)]
            scores = texts[np.concatenate([[label], others])] @ found[index]
            hits += bool((scores[0] > scores[1:]).all())
        return hits / len(labels)

    def _encoded(self, encoder: keras.Model, inputs: np.ndarray) -> np.ndarray:
        prepare = _to_input if inputs.dtype == np.uint8 else tf.constant
        return np.concatenate(
            [
                np.asarray(encoder(prepare(inputs[start : start + _CHUNK]), training=False))
                for start in range(0, len(inputs), _CHUNK)
            ]
        )

    def _weights(self) -> list[np.ndarray]:
        return [*self._image_encoder.get_weights(), *self._text_encoder.get_weights()]

    def _load(self, path: Path) -> bool:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                values = [archive[f"arr_{index}"] for index in range(len(archive.files))]
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return False
        if [value.shape for value in values] != [value.shape for value in self._weights()]:
            return False
        count = len(self._image_encoder.weights)
        self._image_encoder.set_weights(values[:count])
        self._text_encoder.set_weights(values[count:])
        return True

    def _train(self, images: np.ndarray, labels: np.ndarray, steps: int) -> None:
        variables = [*self._image_encoder.trainable_variables, *self._text_encoder.trainable_variables]
        schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.05)
        optimizer.build(variables)

        @tf.function
        def update(pixels: tf.Tensor, tokens: tf.Tensor) -> None:
            same = tf.reduce_all(tokens[:, None] == tokens[None], axis=-1)
            targets = tf.cast(same, tf.float32) / tf.reduce_sum(tf.cast(same, tf.float32), axis=1, keepdims=True)
            with tf.GradientTape() as tape:
                found = self._image_encoder(pixels, training=True)
                texts = self._text_encoder(tokens, training=True)
                scores = tf.matmul(found, texts, transpose_b=True) / _TEMPERATURE
                loss = tf.nn.softmax_cross_entropy_with_logits(targets, scores)
                loss += tf.nn.softmax_cross_entropy_with_logits(targets, tf.transpose(scores))
                loss = tf.reduce_mean(loss)
            optimizer.apply(tape.gradient(loss, variables), variables)

        rng = np.random.default_rng(0)
        size = min(_BATCH, len(images))
        for step in range(steps):
            chosen = rng.permutation(len(images))[:size]
            draws = tf.random.stateless_uniform([size, 3], [0, step], minval=-1.0)
            update(_moved(_to_input(images[chosen]), draws), tf.constant(self._tokens[labels[chosen]]))


def _moved(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Images of other brightness, contrast and place, the same for all images of a batch in place."""
    side = images.shape[1]
    shift = tf.cast(tf.round(draws[0, :2] * side / 8), tf.int32)
    images = tf.roll(images, shift, axis=(1, 2))
    brightness = draws[:, 2, None, None, None]
    return images * (1.0 + 0.2 * brightness) + 0.2 * draws[:, 0, None, None, None]


def _to_input(images: np.ndarray) -> tf.Tensor:
    """uint8 images to float32 in [-1, 1], reduced to 64 px."""
    values = tf.cast(images, tf.float32) / 127.5 - 1.0
    side = max(images.shape[1:3])
    return values if side <= _MAX_PX else tf.image.resize(values, (_MAX_PX, _MAX_PX), method="area")


def _build(shape: tuple[int, ...], tokens: np.ndarray) -> tuple[keras.Model, keras.Model]:
    seeds = iter(np.random.SeedSequence(0).generate_state(16).tolist())

    def normal() -> keras.initializers.Initializer:
        return keras.initializers.HeNormal(seed=next(seeds))

    side = shape[0] if max(shape[:2]) <= _MAX_PX else _MAX_PX
    image = keras.Input((side, shape[1] if side == shape[0] else _MAX_PX, shape[2]))
    x = image
    for factor in (1, 2, 4, 4):
        x = layers.Conv2D(
            factor * _WIDTH, 3, 2, padding="same", use_bias=False, kernel_initializer=normal(), dtype="float32"
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9, dtype="float32")(x))
    x = layers.Dropout(0.3, seed=0)(layers.Flatten()(x))
    x = layers.Dense(_DIM, kernel_initializer=normal(), dtype="float32")(x)
    found = layers.UnitNormalization(dtype="float32")(x)
    ids = keras.Input((tokens.shape[1],), dtype="int32")
    options = {"dtype": "float32"}
    embedding = TokenEmbedding(int(tokens.max()) + 1, _DIM, **options)
    y = TokenMean(**options)([embedding(ids), TokenMask(**options)(ids)])
    y = layers.Dense(_DIM, activation="gelu", kernel_initializer=normal(), **options)(y)
    y = layers.Dense(_DIM, kernel_initializer=normal(), **options)(y)
    texts = layers.UnitNormalization(dtype="float32")(y)
    return keras.Model(image, found, name="image_encoder"), keras.Model(ids, texts, name="text_encoder")
