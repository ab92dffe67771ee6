"""Changes of value range between images in [0, 1] and networks in [-1, 1], and the bounds of [0, 1]."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class FromUnitRange(keras.layers.Layer):
    """Maps float32 images in [0, 1] to the networks' [-1, 1]."""

    def call(self, inputs):
        return inputs * 2.0 - 1.0

    def receptive_field(self) -> Window:
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="tfgan_app")
class ToUnitRange(keras.layers.Layer):
    """Maps the networks' output to float32 images in [0, 1], clipped.

    ReLU6 clips six times the values: it is the only activation with two bounds that all LiteRT delegates take in
    integers.
    """

    def call(self, inputs):
        return ops.relu6(inputs * 3.0 + 3.0) / 6.0

    def receptive_field(self) -> Window:
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="tfgan_app")
class ClipToUnitRange(keras.layers.Layer):
    """Clips float32 images to [0, 1], for networks that work in this range; by ReLU6 as `ToUnitRange`."""

    def call(self, inputs):
        return ops.relu6(inputs * 6.0) / 6.0

    def receptive_field(self) -> Window:
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape
