"""Class labels as vectors."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class OneHot(keras.layers.Layer):
    """Class numbers as unit vectors: int32 `[b]` -> float `[b, classes]`.

    Followed by a dense layer without bias it is an embedding, with a gradient that is a plain tensor and a kernel
    that spectral normalization can wrap. A label outside of `[0, classes)` becomes a vector of zeros, so that
    it embeds to zero ("no class") instead of reading beyond the table or failing.

    Args:
        classes: int, number of classes.
    """

    def __init__(self, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def call(self, labels):
        # Neither `ops.one_hot` nor a cast: LiteRT fuses these and the following dense layer into a look-up, which in
        # full integers is wrong by the ratio of two scales.
        classes = ops.arange(self.classes, dtype=labels.dtype)
        one, zero = (ops.cast(value, self.compute_dtype) for value in (1.0, 0.0))
        return ops.where(ops.equal(ops.expand_dims(labels, -1), classes), one, zero)

    def compute_output_shape(self, labels_shape):
        return (*labels_shape, self.classes)

    def compute_output_spec(self, labels):
        return keras.KerasTensor(self.compute_output_shape(labels.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}
