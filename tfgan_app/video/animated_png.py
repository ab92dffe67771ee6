"""Frame-by-frame writing of animated PNG files (APNG), each frame whole."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from tfgan_app.image_io import IMAGE_FORMATS, PngRows, png_chunk, png_metadata_chunks
from tfgan_app.image_io.png_chunks import PNG_SIGNATURE
from tfgan_app.video.animations import AnimationWriter, fitting_image_metadata
from tfgan_app.video.clip import VideoClip, VideoFrame

_PNG = IMAGE_FORMATS[".png"]
_RGB, _RGBA = 2, 6
_KEEP, _REPLACE = 0, 0
_MAX_SHORT = 0xFFFF


class ApngWriter(AnimationWriter):
    """Animated PNG being written."""

    def __init__(self, file: IO[bytes], clip: VideoClip, *, on_note: Callable[[str], None]):
        """Writes everything before the frames."""
        super().__init__(clip, on_note=on_note)
        self._file = file
        self._frames = self._sequence = 0
        metadata = fitting_image_metadata(clip, _PNG, on_note=on_note)
        kind = _RGBA if clip.has_alpha else _RGB
        file.write(PNG_SIGNATURE)
        file.write(png_chunk(b"IHDR", struct.pack(">IIBBBBB", clip.width, clip.height, 8, kind, 0, 0, 0)))
        for name, data in png_metadata_chunks(metadata):
            file.write(png_chunk(name, data))
        self._control = file.tell()
        self._write_control()

    def _write_control(self) -> None:
        self._file.seek(self._control)
        self._file.write(png_chunk(b"acTL", struct.pack(">II", self._frames, self._clip.plays)))

    def _write_frame(self, frame: VideoFrame, duration: int, following: VideoFrame | None) -> None:
        del following
        height, width = frame.pixels.shape[:2]
        # Milliseconds as a fraction of two 16-bit numbers.
        count, a_second = (duration, 1000) if duration <= _MAX_SHORT else (min(duration // 1000, _MAX_SHORT), 1)
        place = struct.pack(">IIII", width, height, 0, 0) + struct.pack(">HHBB", count, a_second, _KEEP, _REPLACE)
        self._file.write(png_chunk(b"fcTL", self._next_number() + place))
        for data in _compressed(frame, has_alpha=self._clip.has_alpha):
            if self._frames:
                self._file.write(png_chunk(b"fdAT", self._next_number() + data))
            else:
                self._file.write(png_chunk(b"IDAT", data))
        self._frames += 1

    def _write_end(self) -> None:
        self._file.write(png_chunk(b"IEND", b""))
        self._write_control()  # Now that the number of frames is known.

    def _next_number(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)


@contextlib.contextmanager
def open_apng_writer(path: Path, clip: VideoClip, *, on_note: Callable[[str], None]) -> Iterator[ApngWriter]:
    """Begins an animated PNG.

    Args:
        path: Destination.
        clip: The clip to write.
        on_note: Called with one clause for each thing that cannot be kept.

    Yields:
        An `ApngWriter`. Its file is whole after `finish`.
    """
    with open(path, "wb") as file:
        yield ApngWriter(file, clip, on_note=on_note)


def _compressed(frame: VideoFrame, *, has_alpha: bool) -> Iterator[bytes]:
    """Compressed rows of a frame, in parts."""
    height, width, _ = frame.pixels.shape
    rows = PngRows(width=width, channels=3 + has_alpha, dtype=np.dtype(np.uint8))
    count = max(1, 2**20 // (width * 4))
    for top in range(0, height, count):
        block = frame.pixels[top : top + count]
        if has_alpha:
            opaque = np.full(block.shape[:2], 255, np.uint8)
            alpha = opaque if frame.alpha is None else frame.alpha[top : top + count]
            block = np.dstack([block, alpha])
        if data := rows.compress(block):
            yield data
    yield rows.flush()
