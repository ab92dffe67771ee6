"""Bilinear doubling as two matrix products, for networks whose image size is fixed."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class FixedBilinearUpsampling(keras.layers.Layer):
    """Doubles a known height and width bilinearly: `[b, h, w, c]` -> `[b, 2 * h, 2 * w, c]`.

    The numbers are those of `BilinearUpsampling`. Each axis is multiplied by its `[2 * n, n]` matrix of
    interpolation weights: the product runs in the layer's own precision, where TensorFlow's resize only
    knows float32, and so do its first and second derivatives. On CPUs, forward and backward together take
    as long as nearest-neighbor doubling.

    Raises:
        ValueError: When built for an unknown height or width.
    """

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                "`FixedBilinearUpsampling` needs a known height, width and channels. "
                f"Received: input_shape={input_shape}. Use `BilinearUpsampling` for other images."
            )
        self.rows, self.columns = (_doubling_matrix(n) for n in input_shape[1:3])

    def call(self, inputs):
        height, width, channels = inputs.shape[1:]
        x = ops.reshape(inputs, (-1, height, width * channels))
        x = ops.matmul(ops.convert_to_tensor(self.rows, x.dtype), x)
        x = ops.reshape(x, (-1, width, channels))
        x = ops.matmul(ops.convert_to_tensor(self.columns, x.dtype), x)
        return ops.reshape(x, (-1, 2 * height, 2 * width, channels))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


def _doubling_matrix(size: int) -> np.ndarray:
    """Weights float32 `[2 * size, size]`: the new pixel i lies at (i - 1/2) / 2, clamped to the border."""
    position = np.clip((np.arange(2 * size) - 0.5) / 2, 0, size - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(size))).astype("float32")
