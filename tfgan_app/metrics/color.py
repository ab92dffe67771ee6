"""Perceptual color difference (CIEDE2000), and the color shift of a model."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_SRGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def color_shift(low: np.ndarray, high: np.ndarray) -> float:
    """Color shift: the mean CIEDE2000 between a model's input and its output scaled down to it.

    Scaling is Keys' bicubic (a = -0.5) with antialiasing and clipping, as MATLAB's `imresize`: 0 for an output whose
    bicubic reduction is the input. About 1 is the smallest difference visible side by side. Where the scale is
    1, images are compared pixel by pixel, so detail that was restored counts too.

    Args:
        low: The input, `[height, width, 3]`, sRGB as float in [0, 1] or uint8.
        high: The output, the same but larger.

    Returns:
        The mean over the input's pixels; 0 is best.

    Raises:
        ValueError: For any other image.
    """
    images = []
    for image in (low, high):
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[2] != 3 or not (image.dtype == np.uint8 or image.dtype.kind == "f"):
            raise ValueError(
                "Images must be [height, width, 3], uint8 or floats in [0, 1]. "
                f"Received: {image.dtype} {list(image.shape)}"
            )
        images.append(image.astype(np.float32) / np.float32(255.0 if image.dtype == np.uint8 else 1.0))
    low, high = images
    if low.shape != high.shape:
        high = tf.image.resize(high, low.shape[:2], method="bicubic", antialias=True).numpy()
    return float(ciede2000(srgb_to_lab(low), srgb_to_lab(np.clip(high, 0.0, 1.0))).mean())


def srgb_to_lab(images: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of sRGB (IEC 61966-2-1) under D65, 2 degree observer.

    Args:
        images: float `[..., 3]` in [0, 1].

    Returns:
        float64 `[..., 3]`: L* in [0, 100], a* and b* in about [-128, 127].
    """
    images = np.asarray(images, np.float64)
    linear = np.where(images > 0.04045, ((np.maximum(images, 0.0) + 0.055) / 1.055) ** 2.4, images / 12.92)
    ratio = linear @ _SRGB_TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29), -1, 0)
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def ciede2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIEDE2000 color difference, with all parametric factors 1.

    "The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary Test Data, and Mathematical
    Observations", Sharma, Wu and Dalal 2005; the numbers are those of its equations.

    Args:
        first: L*a*b*, float `[..., 3]`.
        second: The same.

    Returns:
        float64 `[...]`, 0 for equal colors.
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(x, np.float64), -1, 0) for x in (first, second))
    g = 0.5 * (1.0 - _chroma_share((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2.0))  # (3), (4)
    (c1, h1), (c2, h2) = (_polar(a * (1.0 + g), b) for a, b in ((a1, b1), (a2, b2)))  # (5) to (7)
    chromatic = c1 * c2 > 0.0
    turn = np.where(chromatic, (h2 - h1 + 180.0) % 360.0 - 180.0, 0.0)  # (10)
    hue_step = 2.0 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2.0))  # (11)
    l_mean, c_mean = (l1 + l2) / 2.0, (c1 + c2) / 2.0
    h_mean = np.where(chromatic, _mean_hue(h1, h2), h1 + h2)
    s_l = 1.0 + 0.015 * (l_mean - 50.0) ** 2 / np.sqrt(20.0 + (l_mean - 50.0) ** 2)  # (18)
    s_c = 1.0 + 0.045 * c_mean  # (19)
    s_h = 1.0 + 0.015 * c_mean * _hue_weight(h_mean)  # (20)
    rotation = -np.sin(np.radians(60.0 * np.exp(-(((h_mean - 275.0) / 25.0) ** 2)))) * 2.0 * _chroma_share(c_mean)
    l_term, c_term, h_term = (l2 - l1) / s_l, (c2 - c1) / s_c, hue_step / s_h
    return np.sqrt(np.maximum(l_term**2 + c_term**2 + h_term**2 + rotation * c_term * h_term, 0.0))  # (22)


def _chroma_share(chroma: np.ndarray) -> np.ndarray:
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _polar(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chroma, and hue in degrees from 0 up to 360."""
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360.0


def _mean_hue(h1: np.ndarray, h2: np.ndarray) -> np.ndarray:
    """The hue in the middle of the shorter way from one to the other (14)."""
    total = h1 + h2
    across = np.where(total < 360.0, total + 360.0, total - 360.0)
    return np.where(np.abs(h1 - h2) > 180.0, across, total) / 2.0


def _hue_weight(hue: np.ndarray) -> np.ndarray:
    """T of equation (15)."""
    cosines = ((-0.17, 1, -30.0), (0.24, 2, 0.0), (0.32, 3, 6.0), (-0.20, 4, -63.0))
    terms = (weight * np.cos(np.radians(times * hue + shift)) for weight, times, shift in cosines)
    return 1.0 + sum(terms, np.zeros_like(hue))
