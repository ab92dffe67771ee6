"""How far a prediction of many pictures is, in pixels."""

from __future__ import annotations

from collections.abc import Callable


class PixelProgress:
    """Counts input pixels, and estimates those of pictures that are not read yet."""

    def __init__(self, pictures: int, on_pixels: Callable[[int, int], None]):
        """Takes the number of pictures, and whom to tell of the pixels done and those of all."""
        self._pictures, self._on_pixels = pictures, on_pixels
        self._read = self._read_pixels = 0
        self._done = 0.0

    def begin(self, pixels: int) -> None:
        """Adds a picture that has been read."""
        self._read += 1
        self._read_pixels += pixels

    def advance(self, pixels: float) -> None:
        """Counts pixels that are done."""
        self._done += pixels
        self._on_pixels(round(self._done), round(self._read_pixels * self._pictures / self._read))
