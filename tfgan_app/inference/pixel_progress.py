"""Progress of a prediction of many images, in pixels."""

from __future__ import annotations

from collections.abc import Callable


class PixelProgress:
    """Counts input pixels, and estimates those of images that are not yet read."""

    def __init__(self, images: int, on_pixels: Callable[[int, int], None]):
        """Takes the number of images, and a callback for the pixels done and the total."""
        self._images, self._on_pixels = images, on_pixels
        self._read = self._read_pixels = 0
        self._done = 0.0

    def begin(self, pixels: int) -> None:
        """Adds an image that has been read."""
        self._read += 1
        self._read_pixels += pixels

    def advance(self, pixels: float) -> None:
        """Counts finished pixels."""
        self._done += pixels
        self._on_pixels(round(self._done), round(self._read_pixels * self._images / self._read))
