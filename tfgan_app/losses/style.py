"""Losses of style transfer: what an image shows, and the statistics of how it shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import ops

from tfgan_app.layers import channel_statistics, statistics_maps
from tfgan_app.losses.perceptual import clouds


def style_distance(first: Sequence, second: Sequence):
    """How far the statistics of two images' features are apart.

    Huang & Belongie 2017, arXiv:1703.06868, equation (13): means and standard deviations of each level; here the mean
    of squared differences over channels, as the authors' code has it, and not their sum.

    Args:
        first: Features of some levels, float `[batch, height, width, channels]`.
        second: Those of images of any size, as many.

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
    """What of two images is not in the same place, whatever their style: a measure, and no loss.

    Mean squared difference of features, after each channel's mean and deviation over its image are taken out.

    Args:
        first: float `[batch, height, width, channels]`.
        second: The same.

    Returns:
        float32 `[batch]`: 0 for the same, 2 for images that have nothing to do with each other.
    """
    return content_distance(_normalized(first), _normalized(second))


def _normalized(features):
    mean, deviation = statistics_maps(channel_statistics(features))
    return (ops.cast(features, "float32") - mean) / deviation


@dataclass(frozen=True)
class StyleLosses:
    """The two distances of images, in features of one magnitude.

    The fixed encoder's features of each level are divided by their mean magnitude on a test image, so that a level
    weighs the same whatever weights of VGG16 are taken. The authors' network is normalized so as well.

    Attributes:
        encoder: float32 `[batch, height, width, 3]` in [-1, 1] -> a list of features.
        scales: What the features of each level are multiplied by.
    """

    encoder: keras.Model
    scales: tuple[float, ...]

    def features(self, images) -> list:
        """Features of each level, of magnitude 1."""
        return self.scaled(self.encoder(images))

    def scaled(self, features: Sequence) -> list:
        """Features of the last levels as the encoder gives them, however many -> of magnitude 1, in float32."""
        scales = self.scales[-len(features) :]
        return [ops.cast(level, "float32") * scale for level, scale in zip(features, scales, strict=True)]


def build_style_losses(encoder: keras.Model) -> StyleLosses:
    """Measures the magnitude of an encoder's features.

    Args:
        encoder: float32 `[batch, height, width, 3]` in [-1, 1] -> a list of features.
    """
    magnitudes = [float(ops.mean(ops.abs(ops.cast(level, "float32")))) for level in encoder(clouds())]
    return StyleLosses(encoder, tuple(1.0 / max(magnitude, 1e-6) for magnitude in magnitudes))
