"""PReLU from operations that accelerators also have in integers."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class ParametricReLU(keras.layers.Layer):
    """Multiplies negative values by a slope of their channel: `x` where `x > 0`, else `slope * x`.

    "Delving Deep into Rectifiers", He et al. 2015, arXiv:1502.01852. It is written as `slope * x` plus
    `relu((1 - slope) * x)`: `keras.layers.PReLU` becomes one operation in LiteRT, which XNNPACK does not take in
    integers.

    Args:
        steep: Whether slopes may be above 1, which takes two more operations; else they count as 1.
    """

    def __init__(self, steep: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.steep = steep

    def build(self, input_shape):
        self.slope = self.add_weight(
            name="slope", shape=(input_shape[-1],), initializer=keras.initializers.Constant(0.25)
        )

    def call(self, inputs):
        slope = self.slope if self.steep else ops.minimum(self.slope, 1.0)
        outputs = inputs * slope + ops.relu(inputs * ops.maximum(1.0 - slope, 0.0))
        return outputs - ops.relu(inputs * ops.maximum(slope - 1.0, 0.0)) if self.steep else outputs

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "steep": self.steep}
