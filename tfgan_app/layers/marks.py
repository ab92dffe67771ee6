"""Layers that compute nothing and tell something of a model to whoever loads it."""

from __future__ import annotations

import keras

from tfgan_app.layers.windows import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class MakesColour(keras.layers.Layer):
    """Marks a model whose results have colour where its inputs are gray."""

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def locality(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE


def makes_colour(model: keras.Model) -> bool:
    """Whether gray inputs of an inference model come back in colour."""
    return any(isinstance(layer, MakesColour) for layer in model.layers)
