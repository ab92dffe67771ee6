"""Padding an image on all sides to a fixed size."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class CenterPad(keras.layers.Layer):
    """Pads an image on all sides to a square, by mirroring about its border pixels.

    Call arguments:
        inputs: tensor `[batch, height, width, channels]` of known height and width up to `size_px`.

    Args:
        size_px: int, height and width of the square. Where the margin is odd, the smaller part is on
            the top and left.
    """

    def __init__(self, size_px: int, **kwargs):
        super().__init__(**kwargs)
        self.size_px = size_px

    def call(self, inputs):
        for axis in (1, 2):
            size = inputs.shape[axis]
            position = np.abs(np.arange(self.size_px) - (self.size_px - size) // 2)
            period = max(2 * size - 2, 1)
            position = np.minimum(position % period, period - position % period)
            inputs = ops.take(inputs, position.astype("int32"), axis=axis)
        return inputs

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size_px, self.size_px, input_shape[3])

    def get_config(self):
        return {**super().get_config(), "size_px": self.size_px}
