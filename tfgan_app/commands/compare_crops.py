"""Crops of an image for comparing models: given crops, or those with the most detail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_SURVEY_PIXELS = 2**22
"""Larger images are subsampled to about this number of pixels for the detail search."""


@dataclass(frozen=True)
class Crop:
    """A square of an image, in input pixels.

    Attributes:
        x: First column.
        y: First row.
        size: Side length.
    """

    x: int
    y: int
    size: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.size}"

    def with_margin(
        self, shape: tuple[int, int], *, margin: int, multiple: int = 1
    ) -> tuple[slice, slice, tuple[int, int]]:
        """Returns the part of an image that a model needs for this crop.

        Args:
            shape: Height and width of the image.
            margin: Radius of the model's receptive field in pixels.
            multiple: Alignment of the part's start and size, as in `ReceptiveField`.

        Returns:
            Rows and columns of the part, and row and column of the crop in it.
        """
        (rows, top), (columns, left) = (
            _around(start, self.size, length, margin, multiple)
            for start, length in zip((self.y, self.x), shape, strict=True)
        )
        return rows, columns, (top, left)


def _around(start: int, size: int, length: int, margin: int, multiple: int) -> tuple[slice, int]:
    first = max(0, start - margin) // multiple * multiple
    stop = min(length, start + size + margin)
    stop = min(length, stop + (length - stop) % multiple)
    return slice(first, stop), start - first


def choose_crops(pixels: np.ndarray, *, size: int, count: int) -> list[Crop]:
    """Returns the squares of an image with the most detail, without overlap.

    Detail is the mean absolute difference of neighboring pixels in luma.

    Args:
        pixels: uint8 [height, width, 3].
        size: Side of the squares, at most height and width.
        count: Maximum number of squares.

    Returns:
        At least one square, ordered by decreasing detail.
    """
    height, width = pixels.shape[:2]
    step = max(1, math.ceil(math.sqrt(height * width / _SURVEY_PIXELS)))
    luma = pixels[::step, ::step].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    detail = np.zeros_like(luma)
    detail[1:] += np.abs(np.diff(luma, axis=0))
    detail[:, 1:] += np.abs(np.diff(luma, axis=1))
    sums = np.pad(detail, ((1, 0), (1, 0))).astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    tops, lefts = (_starts(side, size) for side in (height, width))
    side = max(1, size // step)
    y, x = (np.minimum(places // step, len_ - side) for places, len_ in zip((tops, lefts), luma.shape, strict=True))
    found = sums[y + side][:, x + side] - sums[y][:, x + side] - sums[y + side][:, x] + sums[y][:, x]
    chosen: list[Crop] = []
    for index in np.argsort(-found, axis=None, kind="stable"):
        row, column = divmod(int(index), len(lefts))
        crop = Crop(int(lefts[column]), int(tops[row]), size)
        if all(max(abs(crop.x - other.x), abs(crop.y - other.y)) >= size for other in chosen):
            chosen.append(crop)
        if len(chosen) == count:
            break
    return chosen


def _starts(length: int, size: int) -> np.ndarray:
    """Returns the candidate start positions: every half square, and the last possible one."""
    return np.unique(np.append(np.arange(0, length - size + 1, max(1, size // 2)), length - size))
