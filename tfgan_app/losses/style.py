"""Losses of style transfer: content, and style as statistics of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import ops

from tfgan_app.layers import channel_statistics, statistics_maps
from tfgan_app.losses.perceptual import clouds


def style_distance(first: Sequence, second: Sequence):
    """Distance of the statistics of two images' features.

    Huang & Belongie 2017, arXiv:1703.06868, equation (13): means and standard deviations of each level; here the mean
    of squared differences over channels, as in the authors' code, instead of their sum.

    Args:
        first: Features of some levels, float `[batch, height, width, channels]`.
        second: Features of other images at as many levels, of any size.

    Returns:
        float32 `[batch]`.
    """
    pairs = zip(first, second, strict=True)
    differences = [ops.square(channel_statistics(a) - channel_statistics(b)) for a, b in pairs]
    return sum(ops.sum(ops.mean(difference, axis=2), axis=1) for difference in differences)


def content_distance(first, second):
    """Mean squared difference of features, equation (12): two of `[batch, ...]` -> float32 `[batch]`."""
    difference = ops.square(ops.cast(first, "float32") - ops.cast(second, "float32"))
    return ops.mean(difference, axis=tuple(range(1, len(difference.shape))))


def structure_distance(first, second):
    """Difference of the structure of two images, independent of style; a metric, not a loss.

    Mean squared difference of features, after each channel's mean and deviation over its image are taken out.

    Args:
        first: float `[batch, height, width, channels]`.
        second: The same.

    Returns:
        float32 `[batch]`: 0 for the same image, 2 for unrelated ones.
    """
    return content_distance(_normalized(first), _normalized(second))


def _normalized(features):
    mean, deviation = statistics_maps(channel_statistics(features))
    return (ops.cast(features, "float32") - mean) / deviation


@dataclass(frozen=True)
class StyleLosses:
    """Content and style distances, in features of one magnitude.

    The fixed encoder's features of each level are divided by their mean magnitude on a test image, so that a level
    weighs the same with any weights of VGG16. The authors' network is normalized likewise.

    Attributes:
        encoder: float32 `[batch, height, width, 3]` in [-1, 1] -> a list of features.
        scales: Factor of the features of each level.
    """

    encoder: keras.Model
    scales: tuple[float, ...]

    def features(self, images) -> list:
        """Features of each level, of magnitude 1."""
        return self.scaled(self.encoder(images))

    def scaled(self, features: Sequence) -> list:
        """Scales features of the last levels, any number of them, to magnitude 1, in float32."""
        scales = self.scales[-len(features) :]
        return [ops.cast(level, "float32") * scale for level, scale in zip(features, scales, strict=True)]


def build_style_losses(encoder: keras.Model) -> StyleLosses:
    """Builds the losses, after measuring the magnitude of the encoder's features.

    Args:
        encoder: float32 `[batch, height, width, 3]` in [-1, 1] -> a list of features.
    """
    magnitudes = [float(ops.mean(ops.abs(ops.cast(level, "float32")))) for level in encoder(clouds())]
    return StyleLosses(encoder, tuple(1.0 / max(magnitude, 1e-6) for magnitude in magnitudes))
