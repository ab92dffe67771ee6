"""Bicubic enlargement by an integer, of images of any size."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from tfgan_app.layers.receptive_field_rules import Window, interpolation_window
from tfgan_app.layers.resampling import PixelShuffle

REACH_PX = 2


@keras.saving.register_keras_serializable(package="tfgan_app")
class BicubicUpsampling(keras.layers.Layer):
    """Enlarges an image bicubically: `[b, h, w, c]` -> `[b, scale * h, scale * w, c]`.

    Cubic convolution with a = -1/2 between pixel centers, as Pillow's `BICUBIC` and TensorFlow's `bicubic`
    (Keys 1981, "Cubic convolution interpolation for digital image processing"); it overshoots a little at edges.
    Beyond the border the outermost pixels repeat, where Pillow and TensorFlow leave them out of the mean.

    It is one convolution that gives the `scale**2` sub-pixels of each pixel, and a pixel shuffle, so that heights
    and widths need only be known when the graph runs. It is meant for images: its cost grows with the square of
    the channels. With `dtype="float32"` the image keeps its precision in a network that computes in a lower one.

    Args:
        scale: int, factor of height and width.
    """

    def __init__(self, scale: int, **kwargs):
        super().__init__(**kwargs)
        if scale < 1:
            raise ValueError(f"`scale` must be a positive integer. Received: scale={scale}.")
        self.scale = scale
        self.shuffle = PixelShuffle(scale, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.kernel = _sub_pixel_kernel(self.scale, input_shape[-1])

    def call(self, inputs):
        x = inputs
        for _ in range(REACH_PX):
            # One at a time, since "symmetric" padding cannot repeat the only pixel of a row twice.
            x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        return self.shuffle(ops.conv(x, ops.convert_to_tensor(self.kernel, x.dtype), padding="valid"))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else n * self.scale for n in (height, width))
        return (batch, height, width, channels)

    def receptive_field(self) -> Window:
        """Two pixels on either side."""
        return interpolation_window(self.scale, REACH_PX)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def _sub_pixel_kernel(scale: int, channels: int) -> np.ndarray:
    """float32 `[5, 5, channels, scale**2 * channels]`, in the order in which the pixel shuffle reads."""
    weights = _cubic_weights(scale)
    kernel = np.einsum("iy,jx,cd->yxcijd", weights, weights, np.eye(channels))
    return kernel.reshape(*kernel.shape[:3], -1).astype("float32")


def _cubic_weights(scale: int) -> np.ndarray:
    """`[scale, 5]`: weights of the five pixels around a pixel in each of its sub-pixels; each row adds up to 1."""
    offset = (np.arange(scale) + 0.5) / scale - 0.5
    distance = np.abs(np.arange(-REACH_PX, REACH_PX + 1) - offset[:, None])
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
