"""Layers with an equalized learning rate: unit normal weights that are scaled when they are used."""

from __future__ import annotations

import keras
from keras import ops


def equalized_scale(inputs: int, rate: float = 1.0) -> float:
    """Factor of the stored weights of a layer: `rate / sqrt(inputs)` keeps the variance of its inputs.

    "Progressive Growing of GANs", Karras et al. 2018, arXiv:1710.10196, section 4.1, without the gain of ReLU, which
    StyleGAN2 has in its activations.

    Args:
        inputs: Numbers that are summed for one number of the output.
        rate: Multiplier of the learning rate; the stored weights start with standard deviation `1 / rate`.
    """
    return rate * inputs**-0.5


@keras.saving.register_keras_serializable(package="tfgan_app")
def gained_leaky_relu(x):
    """Leaky ReLU of slope 0.2 times the root of 2, which keeps the mean square of normal numbers about."""
    return ops.leaky_relu(x, 0.2) * 2.0**0.5


@keras.saving.register_keras_serializable(package="tfgan_app")
class EqualizedDense(keras.layers.Dense):
    """Dense layer with an equalized learning rate: `[batch, inputs]` -> `[batch, units]`.

    Karras et al. 2018, arXiv:1710.10196, section 4.1. Stored weights are standard normal, so that Adam changes all
    layers at the same relative rate.

    Args:
        units: Size of the output.
        rate: Multiplier of the learning rate of weights and biases.
        bias: Initial value of the biases.
        **kwargs: Other arguments of `keras.layers.Dense`, without initializers.
    """

    def __init__(self, units: int, *, rate: float = 1.0, bias: float = 0.0, **kwargs):
        kwargs.pop("kernel_initializer", None)
        kwargs.pop("bias_initializer", None)
        super().__init__(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=1.0 / rate),
            bias_initializer=keras.initializers.Constant(bias / rate),
            **kwargs,
        )
        self.rate = rate
        self.bias_value = bias

    def call(self, inputs, training=None):
        """Multiplies by the scaled weights."""
        del training
        kernel = ops.cast(self.kernel, inputs.dtype) * equalized_scale(inputs.shape[-1], self.rate)
        outputs = ops.matmul(inputs, kernel)
        if self.use_bias:
            outputs = outputs + ops.cast(self.bias, outputs.dtype) * self.rate
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "bias": self.bias_value}


@keras.saving.register_keras_serializable(package="tfgan_app")
class EqualizedConv2D(keras.layers.Conv2D):
    """Convolution with an equalized learning rate; see `EqualizedDense`.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of the kernels.
        **kwargs: Other arguments of `keras.layers.Conv2D`, without a kernel initializer.

    Call arguments:
        inputs: tensor `[batch, height, width, channels]`.
    """

    def __init__(self, filters: int, kernel_size, **kwargs):
        kwargs.pop("kernel_initializer", None)
        super().__init__(filters, kernel_size, kernel_initializer=keras.initializers.RandomNormal(stddev=1.0), **kwargs)

    def convolution_op(self, inputs, kernel):
        """Convolves with the scaled weights."""
        height, width, channels, _ = kernel.shape
        return super().convolution_op(inputs, kernel * equalized_scale(height * width * channels))


@keras.saving.register_keras_serializable(package="tfgan_app")
class UnitPower(keras.layers.Layer):
    """Scales each vector to a mean square of 1: float `[batch, dim]`, computed in float32.

    "Pixelwise feature vector normalization" of Karras et al. 2018, arXiv:1710.10196, section 4.2; of images
    `[batch, height, width, channels]` it scales each pixel. A vector of zeros stays zero.
    """

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        return ops.cast(x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-8), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
