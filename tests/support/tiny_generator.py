"""Generative models of 4 x 4 pixels whose images can be computed by hand."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfgan_app.layers import ClassNames, ToUnitRange

SIZE_PX = 4
CLASS_STEP = 0.25
"""What each label adds to the [-1, 1] image over the label before it."""


def build_tiny_generator(*, channels: int = 1, class_names: tuple[str, ...] = ()) -> keras.Model:
    """An inference model as the task `generate` saves it: each latent is a pixel, each class a brightness."""
    latents = inputs = keras.Input((SIZE_PX * SIZE_PX * channels,), name="latents")
    image = keras.layers.Reshape((SIZE_PX, SIZE_PX, channels))(latents)
    if class_names:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        shift = keras.layers.Embedding(len(class_names), 1)
        named = ClassNames(list(class_names), name="class_names")(labels)
        image = keras.layers.Add()([image, ops.reshape(shift(named), (-1, 1, 1, 1))])
        shift.set_weights([CLASS_STEP * np.arange(len(class_names), dtype=np.float32)[:, None]])
    return keras.Model(inputs, ToUnitRange()(image), name="generate")


def expected_image(seed: int, *, channels: int = 1, label: int = 0) -> np.ndarray:
    """What a tiny generator draws for a seed: uint8 `[4, 4, channels]`."""
    latents = tf.random.stateless_normal([SIZE_PX * SIZE_PX * channels], [seed, 0], alg="philox").numpy()
    image = np.clip((latents + CLASS_STEP * label) * 0.5 + 0.5, 0.0, 1.0) * 255.0
    return np.rint(image).astype(np.uint8).reshape(SIZE_PX, SIZE_PX, channels)
