"""A channel of one value, such as the noise level that a network takes as input."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class ConstantChannel(keras.layers.Layer):
    """Appends a channel that is `value` everywhere: `[b, h, w, c]` -> `[b, h, w, c + 1]`.

    Args:
        value: Value of all its pixels.
    """

    def __init__(self, value: float, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def call(self, inputs):
        return ops.concatenate([inputs, inputs[..., :1] * 0.0 + self.value], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def get_config(self):
        return {**super().get_config(), "value": self.value}
