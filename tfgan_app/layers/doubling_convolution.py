"""Nearest-neighbor enlargement and the convolution after it, in one operation."""

from __future__ import annotations

from fractions import Fraction

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import Window
from tfgan_app.layers.resampling import enlarge_nearest

_KERNEL_PX = 3


@keras.saving.register_keras_serializable(package="tfgan_app")
class DoublingConv2D(keras.layers.Conv2D):
    """Repeats each pixel in both directions and convolves the result with 3 x 3 kernels, padded with zeros.

    In training it is one transposed convolution of stride 2 whose 4 x 4 kernels are the flipped ones convolved with
    2 x 2 ones: 4 products for a value of the output instead of 9, and no enlarged copy of the input. The values are the
    same, to rounding. The weights are those of `keras.layers.Conv2D(filters, 3, padding="same")`.

    Args:
        filters: Channels of the output.
        **kwargs: Other arguments of `keras.layers.Conv2D`, without strides, dilation or groups.

    Call arguments:
        inputs: tensor `[batch, height, width, channels]`.

    Returns:
        Tensor `[batch, 2 * height, 2 * width, filters]`.
    """

    def __init__(self, filters: int, **kwargs):
        for name in ("kernel_size", "padding", "strides", "dilation_rate", "groups", "data_format"):
            kwargs.pop(name, None)  # The built layer's own, in a saved configuration.
        super().__init__(filters, _KERNEL_PX, padding="same", data_format="channels_last", **kwargs)

    def call(self, inputs, training=None):
        """Convolves the enlarged input."""
        if training:
            kernel = doubling_kernel(ops.cast(self.kernel, inputs.dtype))
            outputs = ops.conv_transpose(inputs, kernel, 2, padding="same", data_format="channels_last")
        else:  # LiteRT and accelerators resize transposed convolutions badly, if they have them.
            outputs = self.convolution_op(enlarge_nearest(inputs, 2), self.kernel)
        if self.use_bias:
            outputs = ops.add(outputs, ops.cast(self.bias, outputs.dtype))
        return outputs if self.activation is None else self.activation(outputs)

    def receptive_field(self) -> Window:
        """Looks at the input pixel under the output pixel, and at its neighbors."""
        return Window(Fraction(1, 2), before=1, after=Fraction(1, 2))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        height, width = (None if n is None else 2 * n for n in (height, width))
        return (batch, height, width, self.filters)


def doubling_kernel(kernel):
    """The kernels of a transposed convolution of stride 2 that equals repetition and a convolution.

    Args:
        kernel: Tensor `[3, 3, inputs, outputs]`.

    Returns:
        Tensor `[4, 4, outputs, inputs]`.
    """
    flipped = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
    rows = ops.pad(flipped, ((0, 1), (0, 0), (0, 0), (0, 0))) + ops.pad(flipped, ((1, 0), (0, 0), (0, 0), (0, 0)))
    return ops.pad(rows, ((0, 0), (0, 1), (0, 0), (0, 0))) + ops.pad(rows, ((0, 0), (1, 0), (0, 0), (0, 0)))
