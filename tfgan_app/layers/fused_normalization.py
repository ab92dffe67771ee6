"""Batch and instance normalization that train in one fused operation on CPUs."""

from __future__ import annotations

import keras
from keras import ops

_MAX_EXAMPLES = 16
"""Instance normalization runs the operation once an example: beyond this the calls cost more than they save."""


@keras.saving.register_keras_serializable(package="tfgan_app")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, by TensorFlow's fused operation while it trains on a CPU.

    Keras computes the moments, the normalization and their gradients by a dozen operations, each of which reads and
    writes the whole tensor. Arguments, weights and values are the same, to rounding; everything else than training on
    a CPU under TensorFlow is left to Keras.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalizes `[batch, height, width, channels]` over all but the channels."""
        plain = self.synchronized or getattr(self, "renorm", False) or mask is not None
        if not training or not self.trainable or plain or self.axis not in (-1, 3) or not _fuses(inputs):
            return super().call(inputs, training=training, mask=mask)
        gamma = self.gamma if self.scale else ops.ones_like(self.moving_mean)
        beta = self.beta if self.center else ops.zeros_like(self.moving_mean)
        outputs, mean, variance = _normalized(inputs, gamma, beta, self.epsilon)
        # The operation gives the unbiased variance; Keras averages the biased one.
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), variance.dtype)
        variance = variance * (ops.maximum(count, 2.0) - 1.0) / ops.maximum(count, 2.0)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.cast(value, moving.dtype) * (1.0 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable(package="tfgan_app")
class InstanceNormalization(keras.layers.GroupNormalization):
    """Instance normalization, by TensorFlow's fused operation while it trains on a CPU.

    "Instance Normalization: The Missing Ingredient for Fast Stylization", Ulyanov et al. 2016, arXiv:1607.08022. The
    weights and values are those of `keras.layers.GroupNormalization(groups=-1)`, to rounding.

    Args:
        epsilon: Added to the variance.
        **kwargs: Other arguments of `keras.layers.GroupNormalization`.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        kwargs.pop("groups", None)  # The built layer's own, in a saved configuration.
        super().__init__(groups=-1, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=None):
        """Normalizes each channel of each example of `[batch, height, width, channels]`."""
        examples = inputs.shape[0]
        if not training and len(inputs.shape) == 4 and self.axis in (-1, 3):
            return self._inferred(inputs)
        if self.axis not in (-1, 3) or examples is None or examples > _MAX_EXAMPLES or not _fuses(inputs):
            return super().call(inputs)
        gamma = self.gamma if self.scale else ops.ones(inputs.shape[-1:])
        beta = self.beta if self.center else ops.zeros(inputs.shape[-1:])
        parts = ops.split(inputs, examples, axis=0) if examples > 1 else [inputs]
        outputs = [_normalized(part, gamma, beta, self.epsilon)[0] for part in parts]
        return ops.concatenate(outputs, axis=0) if examples > 1 else outputs[0]

    def _inferred(self, inputs):
        """By means of rows of means of columns, and not of all pixels at once.

        A running sum of 65,536 numbers in float32 is 12 times less exact, in TensorFlow and in LiteRT, and a channel
        that varies little makes that error large.
        """
        x = ops.cast(inputs, "float32")
        x = x - _mean_of_pixels(x)
        factor = ops.rsqrt(_mean_of_pixels(ops.square(x)) + self.epsilon)
        x = x * (factor * ops.cast(self.gamma, "float32") if self.scale else factor)
        x = x + ops.cast(self.beta, "float32") if self.center else x
        return ops.cast(x, self.compute_dtype)


def _mean_of_pixels(x):
    """`[batch, height, width, channels]` -> `[batch, 1, 1, channels]`."""
    return ops.mean(ops.mean(x, axis=1, keepdims=True), axis=2, keepdims=True)


def _fuses(inputs) -> bool:
    """Whether the fused operation takes these inputs here."""
    if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4:
        return False
    import tensorflow as tf  # Only TensorFlow's backend gets here.

    return inputs.dtype in (tf.float32, tf.bfloat16) and not tf.config.list_logical_devices("GPU")


def _normalized(inputs, gamma, beta, epsilon: float):
    """Outputs, mean and unbiased variance of one fused batch normalization, with gradients of any order."""
    import tensorflow as tf

    outputs = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(gamma, tf.float32),
        offset=tf.cast(beta, tf.float32),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=epsilon,
        is_training=True,
    )
    return outputs[:3]
