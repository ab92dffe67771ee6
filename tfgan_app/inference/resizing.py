"""Resizing of a stream of rows to any size, band by band."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

_BAND_BYTES = 2**25
_BAND_ROWS = 64
_BLOCK_COLUMNS = 128
_STRIP_PIXELS = 2**20


@dataclass(frozen=True)
class Sizing:
    """Size of the results, by exactly one of the first three attributes.

    Attributes:
        scale: Factor for height and width.
        width: Width in pixels; the height keeps the aspect ratio.
        height: Height in pixels; the width keeps the aspect ratio.
        even: Whether derived sides are rounded to even numbers, for videos.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    even: bool = False

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of an image of this size, at least one pixel each."""
        factor = self.scale or (self.width / width if self.width else self.height / height)
        return self.height or self._rounded(height * factor), self.width or self._rounded(width * factor)

    def evened(self) -> Sizing:
        """The same size, even for videos."""
        return replace(self, even=True)

    def _rounded(self, side: float) -> int:
        return max(2, 2 * math.floor(side / 2 + 0.5)) if self.even else max(1, math.floor(side + 0.5))


def resized_rows(
    strips: Iterable[np.ndarray],
    *,
    source: tuple[int, int],
    target: tuple[int, int],
    margin: int = 0,
    method: str = "bicubic",
) -> Iterator[np.ndarray]:
    """Resizes an image from the top down, antialiased, in memory that does not grow with its height.

    The values equal those of `tfgan_app.degradations.resampling.resize`, MATLAB's `imresize`: Keys' cubic kernel with
    a = -1/2, widened by the factor of a reduction, normalized. Like it and Pillow, it works on gamma-encoded values,
    not on linear light. Bands have fixed positions, so the result does not depend on how the strips are cut.

    Args:
        strips: float32 [rows, width + 2 * margin, channels], together height + 2 * margin rows.
        source: Height and width of the image.
        target: Height and width of the result.
        margin: Rows and columns around the image that continue it. 0 reflects the image at its edges.
        method: `"bicubic"` or `"bilinear"`.

    Yields:
        float32 [rows, new width, channels], clipped to [0, 1].
    """
    if source == target and not margin:
        yield from strips
        return
    rows, columns = (_Taps.of(*sizes, margin, method) for sizes in zip(source, target, strict=True))
    widest, per_row = max(source[1] + 2 * margin, target[1]), max(1.0, source[0] / target[0])
    count, held, bottom = None, [], 0
    strips = iter(strips)
    for start in itertools.count():
        if count is None:
            held = [next(strips)]
            bottom = len(held[0])
            count = min(_BAND_ROWS, max(1, int(_BAND_BYTES / (4 * widest * held[0].shape[2] * per_row))))
        first, stop = start * count, min((start + 1) * count, target[0])
        if first >= target[0]:
            return
        low, high, weights = rows.matrix(first, stop)
        while bottom < high:
            held.append(next(strips))
            bottom += len(held[-1])
        buffer = held[0] if len(held) == 1 else np.concatenate(held)
        top = bottom - len(buffer)
        yield _band(buffer[low - top : high - top], weights, columns, target[1])
        keep = rows.lowest_from(stop) - top
        held = [buffer[max(keep, 0) :]]


def float_rows(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of an image in a predictor's format: uint8 or uint16 [height, width, channels] -> float32 strips."""
    count = max(1, _STRIP_PIXELS // pixels.shape[1])
    peak = np.iinfo(pixels.dtype).max
    for top in range(0, len(pixels), count):
        yield np.divide(pixels[top : top + count], peak, dtype=np.float32)


def _band(rows: np.ndarray, weights: np.ndarray, columns: _Taps, width: int) -> np.ndarray:
    """Rows [count, old width, channels], weights [new count, count] -> [new count, new width, channels]."""
    count, old_width, channels = rows.shape
    mixed = (weights @ rows.reshape(count, -1)).reshape(len(weights), old_width, channels)
    # Columns first, so that a block of them is one matrix product.
    across = np.ascontiguousarray(mixed.transpose(1, 0, 2)).reshape(old_width, -1)
    result = np.empty((width, across.shape[1]), np.float32)
    for first in range(0, width, _BLOCK_COLUMNS):
        stop = min(first + _BLOCK_COLUMNS, width)
        low, high, block = columns.matrix(first, stop)
        np.matmul(block, across[low:high], out=result[first:stop])
    return np.clip(result.reshape(width, len(weights), channels).transpose(1, 0, 2), 0.0, 1.0)


@dataclass(frozen=True)
class _Taps:
    """Source elements and weights for each element of a resized axis.

    Attributes:
        places: int64 [new size, taps].
        weights: float32 [new size, taps].
        lows: int64 [new size], the first source element needed by a new one or any after it.
    """

    places: np.ndarray
    weights: np.ndarray
    lows: np.ndarray

    @classmethod
    def of(cls, size: int, new_size: int, margin: int, method: str) -> _Taps:
        """Taps of an axis with `margin` more elements at both ends, or with reflected ends."""
        kernel, width = {"bicubic": (_cubic, 4.0), "bilinear": (_triangle, 2.0)}[method]
        ratio = new_size / size
        stretch = min(ratio, 1.0)
        support = width / stretch
        centers = (np.arange(new_size) + 0.5) / ratio - 0.5
        places = np.floor(centers - support / 2)[:, None] + np.arange(math.ceil(support) + 2)
        weights = kernel(np.abs(centers[:, None] - places) * stretch)
        weights /= weights.sum(axis=1, keepdims=True)
        places = places.astype(np.int64)
        if margin:
            places = np.clip(places + margin, 0, size + 2 * margin - 1)
        else:
            places %= 2 * size
            places = np.minimum(places, 2 * size - 1 - places)
        lows = np.minimum.accumulate(places.min(axis=1)[::-1])[::-1]
        return cls(places, weights.astype(np.float32), lows)

    def matrix(self, first: int, stop: int) -> tuple[int, int, np.ndarray]:
        """The part of the axis that new elements `first` to `stop` need, and its float32 [new, old] weights."""
        places = self.places[first:stop]
        low, high = int(places.min()), int(places.max()) + 1
        matrix = np.zeros((stop - first, high - low), np.float32)
        np.add.at(matrix, (np.arange(stop - first)[:, None], places - low), self.weights[first:stop])
        return low, high, matrix

    def lowest_from(self, first: int) -> int:
        """First source element needed from a new one on; beyond the end, that of the last."""
        return int(self.lows[min(first, len(self.lows) - 1)])


def reach_px(size: int, new_size: int) -> int:
    """Pixels beyond the edge of an axis that a bicubic resize reads."""
    return math.ceil(2 * max(1.0, size / new_size)) + 1


def _cubic(x: np.ndarray) -> np.ndarray:
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1.0, near, np.where(x <= 2.0, far, 0.0))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1.0 - x, 0.0)
