"""Streams of image rows: defaults of the models that make them, and strips of several streams side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


class ScaledRows:
    """Defaults of a row predictor whose results are `scale` times as large as its inputs, and nothing else.

    Attributes:
        scale: Output pixels per input pixel along height and width.
    """

    scale: int

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of an image of this size."""
        return self.scale * height, self.scale * width

    def for_alpha(self) -> ScaledRows:
        """The predictor of an alpha channel: the same without what is for colors alone."""
        return self

    def for_frame(self, index: int) -> ScaledRows:
        """The predictor of a frame of a video, counted from 0."""
        del index
        return self

    def remarks(self, height: int, width: int) -> list[str]:
        """Steps behind the model that the reader of an image of this size should know of, one clause each."""
        del height, width
        return []


def aligned(*streams: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
    """Strips of equal height out of streams whose strips need not be; it ends with the shortest."""
    held = [next(stream, None) for stream in streams]
    while not any(strip is None for strip in held):
        count = min(map(len, held))
        yield tuple(strip[:count] for strip in held)
        held = [
            strip[count:] if count < len(strip) else next(stream, None)
            for strip, stream in zip(held, streams, strict=True)
        ]
