"""Image grids: rows and columns under headers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def spread_indices(total: int, count: int) -> list[int]:
    """Chooses indices from all parts of a sorted set, whose first elements are often alike.

    The set is cut into `count` equal parts, and one index is drawn from each. Equal distances would show only one
    version of each image in a periodic set (such as eight versions per image).

    Args:
        total: Size of the set.
        count: Number of indices wanted.

    Returns:
        Indices in ascending order, the same for the same arguments; all of them if `total` is not above `count`.
    """
    if total <= count:
        return list(range(total))
    draw = np.random.default_rng([total, count])
    edges = [index * total // count for index in range(count + 1)]
    return [int(draw.integers(*part)) for part in itertools.pairwise(edges)]


def make_grid(
    rows: Sequence[Sequence[np.ndarray]], *, padding_px: int = 2, headers: Sequence[str] | None = None
) -> np.ndarray:
    """Lays images out in rows and columns on white.

    Args:
        rows: Rows of uint8 [height, width, 3]. Sizes may differ; a column is as wide as its widest image.
        padding_px: White pixels between and around the images.
        headers: A short text above each column.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: If there is no image, or there are more headers than columns.
    """
    if not any(len(row) for row in rows):
        raise ValueError("`rows` must hold at least one image. Received none.")
    columns = max(len(row) for row in rows)
    if headers is not None and len(headers) > columns:
        raise ValueError(f"`headers` must not outnumber the columns. Received: {len(headers)} for {columns} columns.")
    widths = [max(row[column].shape[1] for row in rows if column < len(row)) for column in range(columns)]
    heights = [max((image.shape[0] for image in row), default=0) for row in rows]
    lefts = _offsets(widths, start=padding_px, gap=padding_px)
    bar = _header_bar(headers, widths, lefts) if headers else np.full((0, lefts[-1], 3), 255, np.uint8)
    tops = _offsets(heights, start=len(bar) + padding_px, gap=padding_px)
    canvas = np.full((tops[-1], lefts[-1], 3), 255, np.uint8)
    canvas[: len(bar)] = bar
    for row, top in zip(rows, tops, strict=False):
        for image, left in zip(row, lefts, strict=False):
            height, width = image.shape[:2]
            canvas[top : top + height, left : left + width] = image
    return canvas


def _offsets(lengths: Sequence[int], *, start: int, gap: int) -> list[int]:
    """Start of each of `lengths` when laid end to end with gaps, followed by the end of the whole."""
    offsets = [start]
    for length in lengths:
        offsets.append(offsets[-1] + length + gap)
    return offsets


def _header_bar(headers: Sequence[str], widths: Sequence[int], lefts: Sequence[int]) -> np.ndarray:
    """Draws each header centered over its column, in the largest of a few sizes that fits all of them."""
    for size_px in (16, 14, 12, 10, 8):
        font = ImageFont.load_default(size=size_px)
        if all(font.getlength(text) <= width for text, width in zip(headers, widths, strict=False)):
            break
    bar = Image.new("RGB", (lefts[-1], size_px + 8), "white")
    draw = ImageDraw.Draw(bar)
    for text, width, left in zip(headers, widths, lefts, strict=False):
        draw.text((left + width / 2, bar.height / 2), text, fill="black", font=font, anchor="mm")
    return np.asarray(bar)


CAPTION_WIDTH_PX = 96
_CAPTION_LINES, _LINE_PX = 3, 13


def captioned(image: np.ndarray, text: str) -> np.ndarray:
    """Draws a text below an image, which is enlarged by a whole factor to about `CAPTION_WIDTH_PX` if it is smaller.

    Args:
        image: uint8 [height, width, 3].
        text: The text; cut after three lines.

    Returns:
        uint8 [height, width, 3].
    """
    factor = max(1, round(CAPTION_WIDTH_PX / image.shape[1]))
    enlarged = image.repeat(factor, axis=0).repeat(factor, axis=1)
    width = enlarged.shape[1]
    bar = Image.new("RGB", (width, _CAPTION_LINES * _LINE_PX + 3), "white")
    font = ImageFont.load_default(size=11)
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    draw = ImageDraw.Draw(bar)
    for row, line in enumerate(lines[:_CAPTION_LINES]):
        draw.text((width / 2, row * _LINE_PX + 2), line, fill="black", font=font, anchor="ma")
    return np.concatenate([enlarged, np.asarray(bar)])
