"""Activations in which one half of the channels gates the other."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class SplitGate(keras.layers.Layer):
    """Multiplies one half of the channels by the other: `[..., 2 * c]` -> `[..., c]`.

    By default the SimpleGate of NAFNet (Chen et al. 2022, arXiv:2204.04676); with `activation="elu",
    gate_activation="sigmoid"` the gate of a gated convolution (Yu et al. 2019, arXiv:1806.03589).

    Args:
        activation: Activation of the first half of the channels, by Keras' name.
        gate_activation: Activation of the second half, by Keras' name.
    """

    def __init__(self, activation: str = "linear", gate_activation: str = "linear", **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.gate_activation = keras.activations.get(gate_activation)

    def build(self, input_shape):
        if input_shape[-1] % 2:
            raise ValueError(f"`SplitGate` needs an even number of channels. Received: {input_shape[-1]}.")

    def call(self, inputs):
        features, gates = ops.split(inputs, 2, axis=-1)
        return self.activation(features) * self.gate_activation(gates)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def get_config(self):
        names = {name: keras.activations.serialize(getattr(self, name)) for name in ("activation", "gate_activation")}
        return {**super().get_config(), **names}
