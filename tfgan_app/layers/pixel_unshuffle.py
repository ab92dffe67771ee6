"""The inverse of the pixel shuffle: pixels to channels."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class PixelUnshuffle(keras.layers.Layer):
    """Moves space to channels: `[b, h * factor, w * factor, c]` -> `[b, h, w, c * factor**2]`.

    The inverse of `PixelShuffle` (Shi et al. 2016, arXiv:1609.05158), in the same order of the channels.

    Args:
        factor: int, factor of height and width, which must be multiples of it.
    """

    def __init__(self, factor: int = 2, **kwargs):
        super().__init__(**kwargs)
        if factor < 1:
            raise ValueError(f"`factor` must be a positive integer. Received: factor={factor}.")
        self.factor = factor

    def call(self, inputs):
        if hasattr(ops, "space_to_depth"):  # One operation, which Keras 3.12 does not have yet
            return ops.space_to_depth(inputs, self.factor, data_format="channels_last")
        batch, height, width = ops.shape(inputs)[:3]
        height, width = height // self.factor, width // self.factor
        x = ops.reshape(inputs, (batch, height, self.factor, width, self.factor, inputs.shape[-1]))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (batch, height, width, inputs.shape[-1] * self.factor**2))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else n // self.factor for n in (height, width))
        return (batch, height, width, channels * self.factor**2)

    def receptive_field(self) -> Window:
        """Looks at the square of pixels that become one."""
        return Window(self.factor, after=self.factor - 1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
