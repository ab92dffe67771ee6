"""Pixel levels: integers over the whole range of their dtype, or floats in [0, 1]."""

from __future__ import annotations

import numpy as np

LEVEL_DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


def peak_of(dtype: np.dtype) -> float:
    """The level of white: 255, 65535, or 1 for floats."""
    return 1.0 if np.issubdtype(dtype, np.floating) else float(np.iinfo(dtype).max)


def unit_of(pixels: np.ndarray) -> np.ndarray:
    """Levels as float32 in [0, 1]."""
    return np.divide(pixels, peak_of(pixels.dtype), dtype=np.float32)


def to_levels(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounds levels to a dtype; floats are returned unchanged.

    Args:
        values: From 0 to `peak_of(dtype)`.
        dtype: One of `LEVEL_DTYPES`.
    """
    return (values if np.issubdtype(dtype, np.floating) else np.rint(values)).astype(dtype)
