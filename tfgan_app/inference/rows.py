"""Streams of image rows: default methods of row predictors, and alignment of several streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self


class ScaledRows:
    """Default methods of a row predictor whose results are its inputs scaled by `scale`, without further steps.

    Attributes:
        scale: Output pixels per input pixel along height and width.
    """

    scale: int

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of an image of this size."""
        return self.scale * height, self.scale * width

    def for_alpha(self) -> Self:
        """The predictor of an alpha channel, without steps for color."""
        return self

    def for_frame(self, index: int) -> Self:
        """The predictor of a frame of a video, counted from 0."""
        del index
        return self

    def remarks(self, height: int, width: int) -> list[str]:
        """Steps after the model that matter for an image of this size, one clause each."""
        del height, width
        return []


def aligned(*streams: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
    """Strips of equal height from streams cut differently; ends with the shortest."""
    held = [next(stream, None) for stream in streams]
    while not any(strip is None for strip in held):
        count = min(map(len, held))
        yield tuple(strip[:count] for strip in held)
        held = [
            strip[count:] if count < len(strip) else next(stream, None)
            for strip, stream in zip(held, streams, strict=True)
        ]
