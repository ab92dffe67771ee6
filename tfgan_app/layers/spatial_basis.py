"""Learned maps between vectors and the smallest grids of generator and discriminator."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class SpatialBasis(keras.layers.Layer):
    """Scales one learned map per channel: `[b, c]` -> `[b, size_px, size_px, c]`.

    The first layer of R3GAN's generator (Huang et al. 2024, arXiv:2501.05441), after a dense layer. The
    maps start normally distributed with standard deviation 1.

    Args:
        size_px: int, height and width of the maps.
    """

    def __init__(self, size_px: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.size_px = size_px

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        shape = (self.size_px, self.size_px, input_shape[-1])
        self.kernel = self.add_weight(shape=shape, initializer=normal, name="kernel")

    def call(self, inputs):
        return ops.expand_dims(inputs, (1, 2)) * self.kernel

    def compute_output_shape(self, input_shape):
        batch, channels = input_shape
        return (batch, self.size_px, self.size_px, channels)

    def get_config(self):
        return {**super().get_config(), "size_px": self.size_px}


@keras.saving.register_keras_serializable(package="tfgan_app")
class SpatialBasisSum(keras.layers.Layer):
    """Weighs each channel by one learned map and sums it: `[b, h, w, c]` -> `[b, c]`, h and w known.

    The last layer but one of R3GAN's discriminator: a depthwise convolution as large as its input, written
    as the product and sum that it is. As in the paper, the output starts with the input's variance.
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        normal = keras.initializers.RandomNormal(stddev=(height * width) ** -0.5)
        self.kernel = self.add_weight(shape=(height, width, channels), initializer=normal, name="kernel")

    def call(self, inputs):
        return ops.sum(inputs * self.kernel, axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable(package="tfgan_app")
class LearnedConstant(keras.layers.Layer):
    """The same learned map for each example: `[b, ...]` -> `[b, size_px, size_px, channels]`.

    The first layer of StyleGAN's synthesis network (Karras et al. 2019, arXiv:1812.04948, section 2). It starts
    normally distributed with standard deviation 1.

    Args:
        size_px: int, height and width of the map.
        channels: int, channels of the map.
    """

    def __init__(self, size_px: int, channels: int, **kwargs):
        super().__init__(**kwargs)
        self.size_px = size_px
        self.channels = channels

    def build(self, input_shape):
        del input_shape
        normal = keras.initializers.RandomNormal(stddev=1.0)
        shape = (self.size_px, self.size_px, self.channels)
        self.kernel = self.add_weight(shape=shape, initializer=normal, name="constant")

    def call(self, inputs):
        shape = (ops.shape(inputs)[0], *self.kernel.shape)
        return ops.broadcast_to(ops.expand_dims(ops.cast(self.kernel, inputs.dtype), 0), shape)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size_px, self.size_px, self.channels)

    def get_config(self):
        return {**super().get_config(), "size_px": self.size_px, "channels": self.channels}
