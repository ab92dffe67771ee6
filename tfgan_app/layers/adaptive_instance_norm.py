"""Adaptive instance normalization: features of one image with the statistics of another's."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window

EPSILON = 1e-5
"""Added to variances, so that a flat channel has a finite gradient."""


def channel_statistics(features):
    """Mean and standard deviation of each channel over an image, in float32.

    Args:
        features: float `[batch, height, width, channels]`.

    Returns:
        float32 `[batch, 2, channels]`: means, then deviations.
    """
    # Squares with 8 bits of precision are too coarse for a deviation that is small relative to its mean.
    features = ops.cast(features, "float32")
    mean = ops.mean(features, axis=(1, 2), keepdims=True)
    variance = ops.mean(ops.square(features - mean), axis=(1, 2))
    return ops.stack([mean[:, 0, 0], ops.sqrt(variance + EPSILON)], axis=1)


def statistics_maps(statistics) -> tuple:
    """Means and deviations, each `[batch, 1, 1, channels]`, of `[batch, 2, channels]`."""
    # One index with an integer and new axes is read wrongly by TensorFlow 2.21 inside of graphs.
    maps = ops.expand_dims(statistics, (2, 3))
    return maps[:, 0], maps[:, 1]


@keras.saving.register_keras_serializable(package="tfgan_app")
class ChannelStatistics(keras.layers.Layer):
    """`channel_statistics` as a layer: float `[batch, height, width, channels]` -> float32 `[batch, 2, channels]`."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return channel_statistics(inputs)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2, input_shape[3])


@keras.saving.register_keras_serializable(package="tfgan_app")
class AdaptiveInstanceNorm(keras.layers.Layer):
    """Moves the statistics of each channel from those of a content image to those of a style image.

    Huang & Belongie 2017, arXiv:1703.06868, equation (8), and (14) for strengths between 0 and 1. Deviation: the
    statistics are inputs, so that parts of an image can be given those of the whole.

    Call arguments:
        inputs: list of the features, float `[batch, height, width, channels]`; the statistics of the content's and of
            the style's, float32 `[batch, 2, channels]` as `channel_statistics` gives them; and the strength, float32
            `[batch]`: 0 leaves the features as they are, 1 gives them the style's statistics.

    Returns:
        float32 `[batch, height, width, channels]`.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        features, content, style, strength = inputs
        strength = ops.reshape(strength, (-1, 1, 1, 1))
        mean, deviation = statistics_maps(content)
        style_mean, style_deviation = statistics_maps(style)
        styled = (features - mean) / deviation * style_deviation + style_mean
        return features + strength * (styled - features)

    def receptive_field(self) -> Window:
        """Looks at one pixel alone, given the statistics."""
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape[0]
