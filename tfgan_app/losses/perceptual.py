"""Perceptual loss: distance between VGG16 features of two images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from keras import ops

from tfgan_app.layers import build_vgg16_features

PIX2PIXHD_LEVELS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Level weights of pix2pixHD: Wang et al. 2018, arXiv:1711.11585, section 3.3."""

REAL_ESRGAN_LEVELS = (0.1, 0.1, 1.0, 1.0, 1.0)
"""Level weights of Real-ESRGAN, for features before their ReLU: Wang et al. 2021, arXiv:2107.10833, section 4.1."""

PATTERN_MAGNITUDES = {
    "after_relu": (1.04, 1.6, 1.21, 0.245, 0.0536),
    "before_relu": (2.76, 6.33, 10.8, 8.89, 2.96),
}
"""Mean magnitude of torchvision's features of the test pattern, after and before the ReLU."""


def build_perceptual_loss(
    *,
    weights: str | Path | None = None,
    level_weights: Sequence[float] = PIX2PIXHD_LEVELS,
    taken: Literal["after_relu", "before_relu"] = "after_relu",
) -> Callable:
    """Builds the loss of VGG features between target and output.

    Johnson et al. 2016, arXiv:1603.08155, with mean absolute differences; here on VGG16 where later work takes VGG19.

    Args:
        weights: See `build_vgg16_features`.
        level_weights: Factor of each of the five levels.
        taken: See `build_vgg16_features`.

    Returns:
        A function `(target, output) -> float32 scalar` of images in [-1, 1]. Weights of keras.applications, whose
        features are larger, are brought to the magnitudes of torchvision's, so that one weight of the loss fits both.
    """
    features = build_vgg16_features(weights=weights, taken=taken)
    if weights is None:
        magnitudes = [float(ops.mean(ops.abs(level))) for level in features(clouds())]
        scales = [wanted / found for wanted, found in zip(PATTERN_MAGNITUDES[taken], magnitudes, strict=True)]
        level_weights = [weight * scale for weight, scale in zip(level_weights, scales, strict=True)]

    def perceptual_loss(target, output):
        pairs = zip(features(ops.stop_gradient(target)), features(output), strict=True)
        distances = [ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32"))) for a, b in pairs]
        return sum(weight * distance for weight, distance in zip(level_weights, distances, strict=True))

    return perceptual_loss


def clouds(size_px: int = 128) -> np.ndarray:
    """Colored clouds with the spectrum of photographs, 1/f: float32 `[1, size, size, 3]` in [-1, 1]."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(size_px)[:, None], np.fft.rfftfreq(size_px)[None])
    frequency[0, 0] = 1.0
    waves = rng.normal(size=(3, *frequency.shape)) + 1j * rng.normal(size=(3, *frequency.shape))
    planes = np.fft.irfft2(waves / frequency, s=(size_px, size_px), axes=(1, 2))
    # Light, red against blue, and green against both, of falling strength.
    clouds = np.tensordot([[1.0, 0.3, -0.2], [1.0, 0.0, 0.2], [1.0, -0.3, -0.2]], planes, 1)
    return np.clip(np.moveaxis(clouds / clouds.std() * 0.45, 0, -1), -1.0, 1.0)[None].astype(np.float32)
