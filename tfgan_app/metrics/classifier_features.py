"""Features of a small classifier that learns a data set's classes; no download, trained once and cached."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan_app.files import atomic_path
from tfgan_app.metrics.features import FeatureNetwork, check_images

CLASSIFIER_STEPS = 1800
CLASSIFIER_DIM = 64
MAX_PX = 64

_VERSION = 1
"""Part of a cache file's name; raise it with every change of the network or its training."""
_BATCH = 128
_LEARNING_RATE = 4e-3
_WIDTH = 32


def train_classifier_features(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int,
    seed: int = 0,
    steps: int = CLASSIFIER_STEPS,
    cache_dir: str | Path | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> FeatureNetwork:
    """Trains a small convolutional classifier and takes its last hidden layer as features.

    Six convolutions with batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167), 4 M multiplications for a
    28 px image, trained with Adam (Kingma & Ba 2015, arXiv:1412.6980) and a cosine decay, all in float32. The
    features are the 64 inputs of the last ReLU, standardized by a normalization without scale and offset:
    before the ReLU they are closer to the Gaussian that the Fréchet distance assumes, and with deviations of
    about 1 neither that distance nor the kernel distance depends on the length of the training. Images
    with a side above 64 px are reduced by area until it is 64; the grid is halved once more above 32 px.

    Seed and data determine the weights on one kind of machine; the caller's random state does not change. On
    another machine rounding differs, so that the digest does: share the cache file to compare across machines.

    Args:
        images: uint8 `[count, height, width, 1 or 3]`, all of one size; later images must have the same.
        labels: integers `[count]` in [0, classes).
        classes: Number of classes, at least 2.
        seed: Seed of the initial weights and the order of the images.
        steps: Number of updates, each of 128 images (of all images, if fewer).
        cache_dir: Folder that keeps trained weights as `.npz`; an existing file is loaded instead
            of training again, a damaged one is replaced. `None` keeps nothing.
        on_progress: Called with the number of updates so far and `steps`.

    Returns:
        The network, with 64 features.

    Raises:
        ValueError: For unsuitable images or labels, or a training that diverged.
    """
    _check_labels(images, labels, classes)
    shape = _input_shape(images.shape[1:])
    model = _build_classifier(shape, classes, seed)
    path = Path(cache_dir) / f"classifier_{_key(images, labels, classes, seed, steps)}.npz" if cache_dir else None
    if path is None or not _load(model, path):
        _train(model, _shuffled_batches(images, labels, steps, seed), steps, on_progress)
        if path is not None:
            _save(model, path)
    height, width, channels = images.shape[1:]
    protocol = {
        "features_trained_on": f"{len(images)} images of {classes} classes, {height} x {width} x {channels}",
        "features_resize": "none" if shape[:2] == (height, width) else f"{shape[0]} x {shape[1]} px, area",
    }
    features = keras.Model(model.inputs, model.get_layer("features").output, name="classifier_features")
    return FeatureNetwork(features, name="classifier", prepare=_Preparation(images.shape[1:]), protocol=protocol)


class _Preparation:
    """uint8 images of one shape to the classifier's float32 input."""

    def __init__(self, shape: tuple[int, int, int]):
        self._shape = shape

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        *size, channels = self._shape
        if list(images.shape[1:3]) != size or images.shape[3] > channels:
            raise ValueError(
                f"These features are of images of {size[0]} x {size[1]} px with {channels} channels. "
                f"Received: {images.shape[1]} x {images.shape[2]} px with {images.shape[3]}; measure images of the "
                "training's size and channels."
            )
        return self.to_input(images)

    def to_input(self, images: tf.Tensor) -> tf.Tensor:
        height, width, channels = _input_shape(self._shape)
        images = tf.cast(images, tf.float32)
        if images.shape[3] < channels:
            images = tf.repeat(images, channels, axis=-1)
        if (height, width) != self._shape[:2]:
            images = tf.image.resize(images, (height, width), method="area")
        return images / 127.5 - 1.0


def _input_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    height, width, channels = shape
    scale = min(1.0, MAX_PX / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale)), channels


def _build_classifier(shape: tuple[int, int, int], classes: int, seed: int) -> keras.Model:
    """Model of float32 `[batch, *shape]` to logits; its layer `features` is the input of the last ReLU."""
    seeds = iter(np.random.SeedSequence(seed).generate_state(16).tolist())

    def initializer():
        # One without a seed would draw it from Python's global generator.
        return keras.initializers.HeNormal(seed=next(seeds))

    def convolution(x, channels, *, kernel_size=3, strides=1):
        x = layers.Conv2D(
            channels,
            kernel_size,
            strides,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer(),
            dtype="float32",
        )(x)
        return layers.ReLU(dtype="float32")(_batch_normalization()(x))

    inputs = keras.Input(shape, dtype="float32")
    x = inputs
    if max(shape[:2]) > 32:
        x = convolution(x, _WIDTH // 2, kernel_size=5, strides=2)
    x = convolution(x, _WIDTH, kernel_size=5 if x is inputs else 3, strides=2)
    x = convolution(x, _WIDTH)
    x = convolution(x, 2 * _WIDTH, strides=2)
    x = convolution(x, 2 * _WIDTH)
    x = convolution(x, 4 * _WIDTH, strides=2)
    x = layers.Flatten(dtype="float32")(x)
    x = layers.Dense(CLASSIFIER_DIM, use_bias=False, kernel_initializer=initializer(), dtype="float32")(x)
    x = _batch_normalization(scale=False, center=False, name="features")(x)
    x = layers.ReLU(dtype="float32")(x)
    logits = layers.Dense(classes, kernel_initializer=initializer(), dtype="float32")(x)
    return keras.Model(inputs, logits, name="classifier")


def _batch_normalization(**options) -> layers.BatchNormalization:
    # Statistics with Keras' momentum of 0.99 are still wrong after so short a training.
    return layers.BatchNormalization(momentum=0.9, dtype="float32", **options)


def _train(
    model: keras.Model,
    batches: Iterator[tuple[tf.Tensor, tf.Tensor]],
    steps: int,
    on_progress: Callable[[int, int], Any] | None,
):
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps))
    optimizer.build(model.trainable_variables)

    @tf.function
    def update(inputs, labels):
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    for step, (inputs, labels) in enumerate(batches, start=1):
        loss = update(inputs, labels)
        if on_progress:
            on_progress(step, steps)
    if not np.isfinite(loss):
        raise ValueError(f"The classifier for the features diverged: loss {float(loss)}. Use another `seed`.")


def _shuffled_batches(
    images: np.ndarray, labels: np.ndarray, steps: int, seed: int
) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Yields `steps` batches; every image once before any twice."""
    rng = np.random.default_rng(seed)
    size = min(_BATCH, len(images))
    prepare = _Preparation(images.shape[1:])
    waiting = np.empty(0, np.int64)
    for _ in range(steps):
        if len(waiting) < size:
            waiting = np.concatenate([waiting, rng.permutation(len(images))])
        chosen, waiting = waiting[:size], waiting[size:]
        yield prepare(tf.convert_to_tensor(images[chosen])), tf.convert_to_tensor(labels[chosen], tf.int32)


def _check_labels(images: np.ndarray, labels: np.ndarray, classes: int):
    check_images(images)
    if classes < 2:
        raise ValueError(f"A classifier needs at least 2 classes. Received: {classes}.")
    if not len(images) or labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            "Expected at least one image, and one integer label for each. "
            f"Received: {labels.dtype} {list(labels.shape)} for {len(images)} images."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"Labels must be in [0, {classes}). Received: {labels.min()} to {labels.max()}.")


def _key(images: np.ndarray, labels: np.ndarray, *settings: int) -> str:
    digest = hashlib.sha256(repr((_VERSION, images.shape, *map(int, settings))).encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels, np.int64).data)
    return digest.hexdigest()[:16]


def _save(model: keras.Model, path: Path):
    with atomic_path(path) as unfinished:
        np.savez(unfinished, **{f"weight_{index}": values for index, values in enumerate(model.get_weights())})


def _load(model: keras.Model, path: Path) -> bool:
    """Loads weights if the file exists and is intact, which the checksums of the zip format verify."""
    try:
        # Opened here, as NumPy leaves a damaged archive's file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            values = [archive[f"weight_{index}"] for index in range(len(archive.files))]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return False
    if [value.shape for value in values] != [tuple(weight.shape) for weight in model.weights]:
        return False
    model.set_weights(values)
    return True
