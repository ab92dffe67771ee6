"""Tiled inference: memory does not grow with the image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tfgan_app.inference.errors import memory_errors
from tfgan_app.receptive_field import ReceptiveField

EFFICIENT_TILE_PX = 256
"""Most efficient tile on CPUs. For a megapixel of output, a network of 12 convolutions of 64 channels with scale 4
and a halo of 12 pixels takes 0.69 CPU seconds in tiles of 38 pixels, 0.34 of 102, 0.28 of 166, 0.26 of 230, and 0.25 to
0.26 from 294 to 998: the context matters less, and larger feature maps fit the cache less."""

_TILE_PER_CONTEXT = 6
"""For models with a large halo: 1.8 times the work of the whole."""

MIN_TILE_PX = 32
"""Smaller tiles save little memory, since the context around them stays."""

_OVERHEAD = 2
"""Memory relative to feature maps: models were measured to take 1.04 to 1.7 times as much on CPUs."""

UNKNOWN_BYTES = 2048
"""Bytes of feature maps per output pixel for unknown models: eight maps of 64 channels."""

_MODEST_BYTES = 2**30
"""Memory limit for a tile of a local model, unless most of it would be context."""

_EXACT_BYTES = 2**32

_STRIP_BYTES = 2**27
_BYTES_PER_OUTPUT = 12
_PIECE_PIXELS = 2**18

_BLEND_PX = 64
_BLEND_MARGIN_PX = 64
"""For inexact tiles: width in input pixels of the blended seam, and of the border beyond it that is dropped because
it shows the edge of the tile most."""


@dataclass(frozen=True)
class TileLimits:
    """Tile limits of an engine.

    Attributes:
        efficient_px: Height and width above which a tile of a local model gains nothing.
        strip_bytes: Limit on a row of result tiles, float32.
    """

    efficient_px: int = EFFICIENT_TILE_PX
    strip_bytes: int = _STRIP_BYTES


TENSORFLOW_LIMITS = TileLimits()


@dataclass(frozen=True)
class Span:
    """A tile's extent along one axis, in input pixels.

    Attributes:
        start: Start of the part that the model receives.
        stop: End of the part that the model receives.
        keep_start: Start of the part whose result is kept.
        keep_stop: End of that part; the next one may begin before it, and the two are blended.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int


@dataclass(frozen=True)
class Cutter:
    """Splits images into tiles so that the results equal those for the whole image.

    All tiles of an image have the same size, so that the model runs on one shape. Each begins at a multiple of
    `multiple`, and its size has the same remainder as the image's, so that layers with strides pad and sample as in the
    whole. Results closer than `halo_px` to a cut are not kept, and the borders of the image remain borders, with the
    padding of each layer.

    Attributes:
        halo_px: Halo of the model.
        multiple: See `ReceptiveField`.
        overlap_px: Overlap of the kept parts in pixels.
        part_px: Size of all tiles, for a model of a fixed size; see `of_fixed_size`.
    """

    halo_px: int
    multiple: int = 1
    overlap_px: int = 0
    part_px: int | None = None

    @classmethod
    def of(cls, receptive_field: ReceptiveField) -> Cutter:
        """Cutter for a receptive field; tiles of a model that is not local overlap enough to be blended."""
        if receptive_field.halo_px is None:
            return cls(_BLEND_MARGIN_PX, receptive_field.multiple, overlap_px=_BLEND_PX)
        return cls(receptive_field.halo_px, receptive_field.multiple)

    @classmethod
    def of_fixed_size(cls, size_px: int) -> Cutter:
        """Cutter for a model of a fixed size: tiles of that size, which overlap by at least half."""
        return cls(size_px // 8, overlap_px=size_px // 4, part_px=size_px)

    def seen_px(self, tile_px: int) -> int:
        """Approximate number of pixels that the model receives to keep `tile_px` of them."""
        return tile_px + 2 * (self.halo_px + self.multiple) + self.overlap_px

    def cut(self, length: int, tile_px: int, *, begin: int = 0) -> list[Span]:
        """Splits one axis.

        Args:
            length: Length of the image in pixels.
            tile_px: Pixels kept from an inner tile, at most, except for rounding up to a multiple.
            begin: The `keep_start` of a span of an earlier split: only the rest is split.

        Returns:
            Spans whose kept parts cover the image from `begin` on, in order. A single one if it fits in a tile.
        """
        if self.part_px is not None:
            return self._cut_fixed(length)
        before = self._round_up(self.halo_px)
        needed = self.halo_px + self.overlap_px
        after = needed + (length - needed) % self.multiple
        origin = max(0, begin - before)
        inner = length - origin - before - after
        tiles = math.ceil(inner / self._round_up(tile_px))
        if tiles <= 1:
            return [Span(origin, length, begin, length)]
        step = self._round_up(math.ceil(inner / tiles))
        last = length - (step + before + after)
        starts = [*range(origin, last, step), last]
        keeps = [begin, *(start + before for start in starts[1:])]
        stops = [*(keep + self.overlap_px for keep in keeps[1:]), length]
        return [
            Span(start, start + step + before + after, keep, stop)
            for start, keep, stop in zip(starts, keeps, stops, strict=True)
        ]

    def _cut_fixed(self, length: int) -> list[Span]:
        """Evenly spaced tiles of one size, blended in the middle of their overlaps."""
        size = self.part_px
        if length <= size:
            return [Span(0, length, 0, length)]
        gaps = math.ceil((length - size) / max(size // 2, 1))
        starts = [round(index * (length - size) / gaps) for index in range(gaps + 1)]
        shared = [last + size - start for last, start in itertools.pairwise(starts)]
        keeps = [
            start + (both - min(both, self.overlap_px)) // 2 for start, both in zip(starts[1:], shared, strict=True)
        ]
        stops = [keep + min(both, self.overlap_px) for keep, both in zip(keeps, shared, strict=True)]
        return [
            Span(start, start + size, keep, stop)
            for start, keep, stop in zip(starts, [0, *keeps], [*stops, length], strict=True)
        ]

    def _round_up(self, size: int) -> int:
        return -(-size // self.multiple) * self.multiple


def tiles_exactly(receptive_field: ReceptiveField, *, bytes_per_px: int | None) -> bool:
    """Returns whether the tiles of a model include all pixels that their results depend on.

    This is not the case if the model sees the whole image, or if tiles half as large as the halo would take 25
    times the work and 4 GiB. An RRDB network of 23 blocks, for example, has a halo of 349 pixels, but pixels beyond a
    tenth of that have hardly any effect.

    Args:
        receptive_field: Receptive field of the model.
        bytes_per_px: As for `choose_tile_px`.
    """
    if receptive_field.halo_px is None:
        return False
    return (5 / 2 * receptive_field.halo_px) ** 2 * _total_bytes(receptive_field, bytes_per_px) <= _EXACT_BYTES


def _total_bytes(receptive_field: ReceptiveField, bytes_per_px: int | None) -> int:
    return _OVERHEAD * (bytes_per_px or UNKNOWN_BYTES * receptive_field.scale**2)


def choose_tile_px(
    height: int,
    width: int,
    *,
    receptive_field: ReceptiveField,
    bytes_per_px: int | None,
    free_bytes: int,
    limits: TileLimits = TENSORFLOW_LIMITS,
) -> int:
    """Number of input pixels that a tile should keep along each axis.

    Args:
        height: Height of the image.
        width: Width of the image.
        receptive_field: Receptive field of the model.
        bytes_per_px: Memory of the model's feature maps per input pixel, or None if unknown.
        free_bytes: Available memory, of which at most half is used.
        limits: Tile limits of the engine.

    Returns:
        For a local model the size above which nothing is gained, or less if memory is short. Otherwise the largest size
        that fits the memory, since tiles change the result.
    """
    cutter = Cutter.of(receptive_field)
    bytes_per_px = _total_bytes(receptive_field, bytes_per_px)

    def fitting(size: float) -> int:
        return math.isqrt(int(size / bytes_per_px)) - cutter.seen_px(0)

    if receptive_field.halo_px is None:
        whole = height * width * bytes_per_px <= free_bytes / 2
        return max(height, width) if whole else max(MIN_TILE_PX, fitting(free_bytes / 2))
    modest = fitting(min(free_bytes / 2, _MODEST_BYTES))
    if modest < 2 * receptive_field.halo_px:
        # Smaller tiles would spend most of the time on the context.
        modest = min(2 * receptive_field.halo_px, fitting(free_bytes / 2))
    return max(MIN_TILE_PX, min(modest, max(limits.efficient_px, _TILE_PER_CONTEXT * receptive_field.halo_px)))


def tiled_rows(
    run: Callable[[np.ndarray], np.ndarray],
    pixels: np.ndarray,
    *,
    cutter: Cutter,
    scale: int,
    tile_px: int,
    on_smaller: Callable[[int], None] = lambda tile_px: None,
    strip_bytes: int = _STRIP_BYTES,
) -> Iterator[np.ndarray]:
    """Runs a model tile by tile and yields the result from the top down.

    If a tile is too large for the memory, the rest of the image uses smaller ones.

    Args:
        run: Crop of the image [height, width, channels] -> float32 [scale * height, scale * width, result's channels].
            Raises one of `memory_errors()` if the memory is too small.
        pixels: The image [height, width, channels].
        cutter: Cutter for the model.
        scale: Output pixels per input pixel along height and width.
        tile_px: Height and width that each tile adds, in input pixels. An image that fits in one tile is run whole.
        on_smaller: Called with the size that is tried next.
        strip_bytes: Limit on a row of result tiles.

    Yields:
        float32 [rows, scale * width, result's channels] in about [0, 1].

    Raises:
        ValueError: If the memory is too small for the smallest tiles. One line.
    """
    height, width = pixels.shape[:2]
    # Flat tiles keep the rows of a wide image small; if tiles change the result, there should be few.
    most_rows = strip_bytes // (width * scale**2 * _BYTES_PER_OUTPUT) if not cutter.overlap_px else height
    most_rows = max(MIN_TILE_PX, most_rows)
    columns, waiting = cutter.cut(width, tile_px), cutter.cut(height, min(tile_px, most_rows))
    tail = np.empty((0, width * scale, 1), np.float32)
    while waiting:
        row = waiting[0]
        try:
            strip = _run_strip(run, pixels, row, columns=columns, scale=scale)
        except memory_errors() as error:
            tile_px = _smaller(min(tile_px, max(height, width)), cutter, error)
            on_smaller(tile_px)
            columns = cutter.cut(width, tile_px)
            waiting = cutter.cut(height, min(tile_px, most_rows), begin=row.keep_start)
            continue
        strip[: len(tail)] = _blend(tail, strip[: len(tail)], axis=0)
        waiting = waiting[1:]
        done = (waiting[0].keep_start - row.keep_start) * scale if waiting else len(strip)
        tail = strip[done:].copy()
        yield from _pieces(strip[:done])
        del strip  # Freed before the next one is computed.


def _run_strip(run: Callable, pixels: np.ndarray, row: Span, *, columns: list[Span], scale: int) -> np.ndarray:
    """The kept part of one row of tiles: float32 [rows, scale * width, result's channels]."""
    rows = slice((row.keep_start - row.start) * scale, (row.keep_stop - row.start) * scale)
    strip: np.ndarray | None = None
    filled = 0
    for column in columns:
        left, right = column.keep_start * scale, column.keep_stop * scale
        result = run(pixels[row.start : row.stop, column.start : column.stop])
        if strip is None:
            strip = np.empty((rows.stop - rows.start, pixels.shape[1] * scale, result.shape[-1]), np.float32)
        tile = result[rows, left - column.start * scale : right - column.start * scale]
        overlap = filled - left
        strip[:, left:filled] = _blend(strip[:, left:filled], tile[:, :overlap], axis=1)
        strip[:, filled:right] = tile[:, overlap:]
        filled = right
    return strip


def _blend(earlier: np.ndarray, later: np.ndarray, *, axis: int) -> np.ndarray:
    """Blends one tile into the next along half a cosine; both [rows, columns, 3]."""
    count = later.shape[axis]
    share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count, dtype=np.float32) + 0.5) / max(count, 1))
    return earlier + (later - earlier) * share.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))


def _pieces(strip: np.ndarray) -> Iterator[np.ndarray]:
    """Pieces of a few megabytes, clipped to [0, 1], so that processing them takes little memory too."""
    count = max(1, _PIECE_PIXELS // strip.shape[1])
    for start in range(0, len(strip), count):
        yield np.clip(strip[start : start + count], 0.0, 1.0)


def _smaller(tile_px: int, cutter: Cutter, error: Exception) -> int:
    if tile_px <= MIN_TILE_PX:
        seen = cutter.seen_px(tile_px)
        raise ValueError(
            f"There is not enough memory to run the model on {seen} x {seen} pixels, the smallest part of an image "
            "that it can process: close other programs, or use a smaller model."
        ) from error
    return max(MIN_TILE_PX, tile_px // 2)
