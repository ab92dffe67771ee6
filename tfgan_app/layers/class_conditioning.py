"""Conditioning of feature maps on a class label."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.fused_normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="tfgan_app")
class ClassGainAndBias(keras.layers.Layer):
    """Multiplies and shifts each channel by learned numbers for each class.

    Behind a `BatchNormalization(center=False, scale=False)` this is conditional batch normalization:
    Dumoulin et al. 2017, arXiv:1610.07629; de Vries et al. 2017, arXiv:1707.00683. It starts as the
    identity, and stays that for a one-hot vector of zeros.

    Call arguments:
        inputs: pair `(x, one_hot)`: float `[batch, height, width, channels]`, float `[batch, classes]`.

    Returns:
        Tensor like `x`.
    """

    def build(self, input_shape):
        x_shape, one_hot_shape = input_shape
        shape = (one_hot_shape[-1], x_shape[-1])
        # The gain is stored less 1: weights of zero mean no change.
        self.gain = self.add_weight(shape=shape, initializer="zeros", name="gain")
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    def call(self, inputs):
        x, one_hot = inputs
        gain, bias = (ops.expand_dims(ops.matmul(one_hot, table), (1, 2)) for table in (self.gain, self.bias))
        return x * (1 + gain) + bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable(package="tfgan_app")
class ConditionGainAndBias(keras.layers.Layer):
    """Multiplies and shifts each channel by linear functions of a vector.

    Conditional batch normalization of BigGAN (Brock et al. 2019, arXiv:1809.11096, appendix B.1), behind a
    `BatchNormalization(center=False, scale=False)`: gains are around 1.

    Call arguments:
        inputs: pair `(x, condition)`: float `[batch, height, width, channels]`, float `[batch, dim]`.

    Returns:
        Tensor like `x`.
    """

    def build(self, input_shape):
        x_shape, condition_shape = input_shape
        shape = (condition_shape[-1], x_shape[-1])
        self.gain = self.add_weight(shape=shape, initializer="glorot_uniform", name="gain")
        self.bias = self.add_weight(shape=shape, initializer="glorot_uniform", name="bias")

    def call(self, inputs):
        x, condition = inputs
        condition = ops.cast(condition, x.dtype)
        gain, bias = (ops.expand_dims(ops.matmul(condition, table), (1, 2)) for table in (self.gain, self.bias))
        return x * (1 + gain) + bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def conditional_batch_norm(x, one_hot=None):
    """Batch normalization (momentum 0.9), with a gain and bias for each class, if any.

    Args:
        x: Keras tensor `[batch, height, width, channels]`.
        one_hot: Keras tensor `[batch, classes]`, or `None` for ordinary batch normalization.

    Returns:
        Keras tensor like `x`.
    """
    unconditional = one_hot is None
    # Momentum 0.9 as in `build_normalization`.
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, center=unconditional, scale=unconditional)(x)
    return x if unconditional else ClassGainAndBias()([x, one_hot])
