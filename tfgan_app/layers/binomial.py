"""Resampling by the binomial filter 1, 3, 3, 1 of StyleGAN2."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

_TAPS = np.array([1.0, 3.0, 3.0, 1.0]) / 8.0


def binomial_filter(inputs, *, padding: int, stride: int = 1, gain: float = 1.0):
    """Filters each channel with the products of 1/8, 3/8, 3/8, 1/8; pads with zeros.

    A depthwise convolution: on CPUs faster than slices, pooling or matrix products, forward and backward.

    Args:
        inputs: Tensor `[batch, height, width, channels]`.
        padding: Zeros on each side.
        stride: Steps in both directions.
        gain: Factor of the result.

    Returns:
        Tensor `[batch, (height + 2 * padding - 4) // stride + 1, ..., channels]`.
    """
    if padding:
        inputs = ops.pad(inputs, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    taps = (gain * np.outer(_TAPS, _TAPS)).astype("float32")
    kernel = np.repeat(taps[:, :, None, None], inputs.shape[-1], axis=2)
    kernel = ops.convert_to_tensor(kernel, inputs.dtype)
    return ops.depthwise_conv(inputs, kernel, stride, padding="valid", data_format="channels_last")


@keras.saving.register_keras_serializable(package="tfgan_app")
class BinomialFilter(keras.layers.Layer):
    """Low-pass filter before a smaller grid: `[b, h, w, c]` -> `[b, (h + 2 * padding - 4) // stride + 1, ..., c]`.

    "Making Convolutional Networks Shift-Invariant Again", Zhang 2019, arXiv:1904.11486, as in StyleGAN2 (Karras et al.
    2020, arXiv:1912.04958).

    Args:
        padding: int, zeros on each side.
        stride: int, steps in both directions.
    """

    def __init__(self, padding: int = 1, stride: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding
        self.stride = stride

    def call(self, inputs):
        return binomial_filter(inputs, padding=self.padding, stride=self.stride)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = ((n + 2 * self.padding - 4) // self.stride + 1 for n in (height, width))
        return (batch, height, width, channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "stride": self.stride}
