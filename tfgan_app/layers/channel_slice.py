"""A slice of an image's channels."""

from __future__ import annotations

import keras

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class ChannelSlice(keras.layers.Layer):
    """Takes channels `start` to `stop - 1`: `[b, h, w, c]` -> `[b, h, w, stop - start]`.

    Args:
        start: First channel.
        stop: The one after the last.
    """

    def __init__(self, start: int, stop: int, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.stop = stop

    def call(self, inputs):
        return inputs[..., self.start : self.stop]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.stop - self.start)

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def get_config(self):
        return {**super().get_config(), "start": self.start, "stop": self.stop}
