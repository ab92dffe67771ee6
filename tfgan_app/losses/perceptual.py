"""Perceptual loss: distance between VGG16 features of two pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from keras import ops

from tfgan_app.layers import build_vgg16_features


def build_perceptual_loss(
    *, weights: str | Path | None = None, level_weights: Sequence[float] = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
) -> Callable:
    """Builds the loss of VGG features between target and output.

    Johnson et al. 2016, arXiv:1603.08155, with mean absolute differences and the level weights of
    pix2pixHD (Wang et al. 2018, arXiv:1711.11585, section 3.3), here on VGG16.

    Args:
        weights: see `build_vgg16_features`.
        level_weights: factor of each of the five levels.

    Returns:
        A function `(target, output) -> float32 scalar` of pictures in [-1, 1].
    """
    features = build_vgg16_features(weights=weights)

    def perceptual_loss(target, output):
        pairs = zip(features(ops.stop_gradient(target)), features(output), strict=True)
        distances = [ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32"))) for a, b in pairs]
        return sum(weight * distance for weight, distance in zip(level_weights, distances, strict=True))

    return perceptual_loss
