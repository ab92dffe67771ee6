"""Regions of an image that a model must not change, with soft edges."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from tfgan_app.image_io import read_image


def read_keep_weights(path: Path, *, feather_px: float, wrap: bool, max_pixels: int) -> np.ndarray:
    """Reads a mask that is white in regions to keep.

    Args:
        path: An image; gray values keep proportionally.
        feather_px: Distance in pixels around white areas over which the weight falls to zero.
        wrap: Whether the image continues at its opposite edge.
        max_pixels: Larger images are rejected.

    Returns:
        uint8 [height, width], 255 where all of the input is kept; never below the mask.

    Raises:
        ValueError: If it cannot be read. One line.
        OSError: If there is no such file.
    """
    return _read(path, path.stat().st_mtime_ns, feather_px, wrap, max_pixels)


@functools.lru_cache(maxsize=1)
def _read(path: Path, changed_at: int, feather_px: float, wrap: bool, max_pixels: int) -> np.ndarray:
    """Cached, since one mask may apply to all images of a folder."""
    del changed_at
    pixels = read_image(path, max_pixels=max_pixels).pixels
    shares = np.rint(pixels.mean(axis=-1, dtype=np.float32) * np.float32(255.0 / np.iinfo(pixels.dtype).max)).astype(
        np.uint8
    )
    return feathered(shares, feather_px=feather_px, wrap=wrap)


def feathered(shares: np.ndarray, *, feather_px: float, wrap: bool = False) -> np.ndarray:
    """Softens the edges of a mask outward: uint8 [height, width] -> the same, never below the mask.

    The mask grows by half of `feather_px` and is then blurred by as much (two box filters), so white areas stay
    white. It grows by one more pixel, since upscaling interpolates.
    """
    if not feather_px:
        return shares
    grown_px = math.ceil(feather_px / 2) + 1
    around = 2 * grown_px + 2
    grown = np.pad(shares, around, mode="wrap" if wrap else "edge")
    for axis in (0, 1):
        grown = _running_maximum(grown, grown_px, axis)
    image = Image.fromarray(grown)
    for _ in range(2):
        image = image.filter(ImageFilter.BoxBlur(feather_px / 4))
    return np.maximum(np.asarray(image)[around:-around, around:-around], shares)


def _running_maximum(values: np.ndarray, radius: int, axis: int) -> np.ndarray:
    """Maximum within `radius` on either side, by windows that double."""
    values = np.moveaxis(values, axis, 0)
    padded = np.concatenate([values[:1].repeat(radius, 0), values, values[-1:].repeat(radius, 0)])
    length = 1
    while length < 2 * radius + 1:
        step = min(length, 2 * radius + 1 - length)
        padded = np.maximum(padded[: len(padded) - step], padded[step:])
        length += step
    return np.moveaxis(padded, 0, axis)
