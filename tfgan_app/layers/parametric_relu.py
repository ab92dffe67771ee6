"""PReLU of operations that accelerators have in integers too."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.windows import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class ParametricReLU(keras.layers.Layer):
    """Multiplies what is negative by a slope of its channel: `x` where `x > 0`, else `slope * x`.

    "Delving Deep into Rectifiers", He et al. 2015, arXiv:1502.01852. It is written as `slope * x` plus
    `relu((1 - slope) * x)`: `keras.layers.PReLU` becomes one operation in LiteRT, which XNNPACK does not take in
    integers. Deviation: slopes are at most 1; a larger one counts as 1.
    """

    def build(self, input_shape):
        self.slope = self.add_weight(
            name="slope", shape=(input_shape[-1],), initializer=keras.initializers.Constant(0.25)
        )

    def call(self, inputs):
        slope = ops.minimum(self.slope, 1.0)
        return inputs * slope + ops.relu(inputs * (1.0 - slope))

    def locality(self) -> Window:
        """Each pixel by itself."""
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape
