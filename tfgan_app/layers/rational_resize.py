"""Interpolation by a fixed ratio of small integers, of images of any size."""

from __future__ import annotations

import math
from fractions import Fraction

import keras
import numpy as np
from keras import ops

from tfgan_app.layers.receptive_field_rules import Window
from tfgan_app.layers.resampling import PixelShuffle

KERNELS = {"linear": 1, "cubic": 2}
"""Name -> pixels on either side. `cubic` is Keys' with a = -3/4, as in PyTorch, OpenCV and ncnn."""


@keras.saving.register_keras_serializable(package="tfgan_app")
class RationalResize(keras.layers.Layer):
    """Resizes images by `numerator / denominator` between pixel centers, without antialiasing.

    What PyTorch calls `interpolate(..., mode="bilinear" or "bicubic", align_corners=False)`; beyond the border its
    outermost pixels repeat. It is one convolution of stride `denominator` and a pixel shuffle, for images: its cost
    grows with the square of the channels.

    Args:
        numerator: Positive int.
        denominator: Positive int; heights and widths are multiples of it.
        kernel: Key of `KERNELS`.
    """

    def __init__(self, numerator: int, denominator: int = 1, kernel: str = "linear", **kwargs):
        super().__init__(**kwargs)
        if numerator < 1 or denominator < 1:
            raise ValueError(f"The ratio must be of positive integers. Received: {numerator} / {denominator}.")
        if kernel not in KERNELS:
            raise ValueError(f"`kernel` must be one of {', '.join(KERNELS)}. Received: {kernel!r}.")
        self.numerator = numerator
        self.denominator = denominator
        self.kernel_name = kernel
        self.shuffle = PixelShuffle(numerator, dtype=self.dtype_policy)
        self._first, self._weights_by_phase = _phase_weights(numerator, denominator, kernel)

    def build(self, input_shape):
        weights, channels = self._weights_by_phase, input_shape[-1]
        kernel = np.einsum("iy,jx,cd->yxcijd", weights, weights, np.eye(channels))
        self.kernel = kernel.reshape(*kernel.shape[:3], -1).astype("float32")

    def call(self, inputs):
        last = self._first + self._weights_by_phase.shape[1] - 1
        x = _with_edges(inputs, before=-self._first, after=last - (self.denominator - 1))
        kernel = ops.convert_to_tensor(self.kernel, x.dtype)
        x = ops.conv(x, kernel, self.denominator, padding="valid", data_format="channels_last")
        return self.shuffle(x) if self.numerator > 1 else x

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sizes = (None if n is None else n // self.denominator * self.numerator for n in (height, width))
        return (batch, *sizes, channels)

    def receptive_field(self) -> Window:
        stride, radius = Fraction(self.denominator, self.numerator), KERNELS[self.kernel_name]
        starts = [_start(phase, stride, radius) - phase * stride for phase in range(self.numerator)]
        return Window(stride, before=max(-start for start in starts), after=max(starts) + 2 * radius - 1)

    def get_config(self):
        own = {"numerator": self.numerator, "denominator": self.denominator, "kernel": self.kernel_name}
        return {**super().get_config(), **own}


def _center(phase: int, stride: Fraction) -> Fraction:
    """Center of an output pixel, in input pixels."""
    return (phase + Fraction(1, 2)) * stride - Fraction(1, 2)


def _start(phase: int, stride: Fraction, radius: int) -> int:
    """The first input pixel that an output pixel depends on."""
    return math.floor(_center(phase, stride)) - radius + 1


def _phase_weights(numerator: int, denominator: int, kernel: str) -> tuple[int, np.ndarray]:
    """The first input that the outputs of a group depend on, and their weights `[numerator, inputs]`."""
    stride, radius = Fraction(denominator, numerator), KERNELS[kernel]
    starts = [_start(phase, stride, radius) for phase in range(numerator)]
    first, last = min(0, *starts), max(denominator - 1, *starts) + 2 * radius - 1
    weights = np.zeros((numerator, last - first + 1))
    for phase, start in enumerate(starts):
        places = np.arange(start, start + 2 * radius)
        distance = np.abs(places - float(_center(phase, stride)))
        weights[phase, places - first] = np.maximum(1 - distance, 0) if kernel == "linear" else _cubic(distance)
    return first, weights


def _cubic(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
    near = (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    far = a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _with_edges(x, *, before: int, after: int):
    """Repeats the outermost pixels, as slices and a concatenation, which all accelerators have."""
    for axis in (1, 2):
        first, last = (x[:, :1], x[:, -1:]) if axis == 1 else (x[:, :, :1], x[:, :, -1:])
        x = ops.concatenate([*[first] * before, x, *[last] * after], axis=axis)
    return x
