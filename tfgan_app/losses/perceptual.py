"""Perceptual loss: distance between VGG16 features of two pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from keras import ops

from tfgan_app.layers import build_vgg16_features

PIX2PIXHD_LEVELS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Level weights of pix2pixHD: Wang et al. 2018, arXiv:1711.11585, section 3.3."""

REAL_ESRGAN_LEVELS = (0.1, 0.1, 1.0, 1.0, 1.0)
"""Level weights of Real-ESRGAN, for features before their ReLU: Wang et al. 2021, arXiv:2107.10833, section 4.1."""


def build_perceptual_loss(
    *,
    weights: str | Path | None = None,
    level_weights: Sequence[float] = PIX2PIXHD_LEVELS,
    taken: Literal["after_relu", "before_relu"] = "after_relu",
) -> Callable:
    """Builds the loss of VGG features between target and output.

    Johnson et al. 2016, arXiv:1603.08155, with mean absolute differences; here on VGG16 where later work takes VGG19.

    Args:
        weights: see `build_vgg16_features`.
        level_weights: factor of each of the five levels.
        taken: see `build_vgg16_features`.

    Returns:
        A function `(target, output) -> float32 scalar` of pictures in [-1, 1].
    """
    features = build_vgg16_features(weights=weights, taken=taken)

    def perceptual_loss(target, output):
        pairs = zip(features(ops.stop_gradient(target)), features(output), strict=True)
        distances = [ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32"))) for a, b in pairs]
        return sum(weight * distance for weight, distance in zip(level_weights, distances, strict=True))

    return perceptual_loss
