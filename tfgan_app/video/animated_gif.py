"""Frame-by-frame writing of animated GIFs, with at most two frames in memory."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from tfgan_app.image_io import ImageFormat
from tfgan_app.video.animations import AnimationWriter, fitting_image_metadata
from tfgan_app.video.clip import VideoClip, VideoFrame

_GIF = ImageFormat("GIF", max_side=0xFFFF, metadata=frozenset({"comment"}))
_TRANSPARENT = 255
_KEEP, _CLEAR = 1, 2


class GifWriter(AnimationWriter):
    """Animated GIF being written; each frame has its own palette."""

    units_a_second = 100

    def __init__(self, file: IO[bytes], clip: VideoClip, *, on_note: Callable[[str], None]):
        """Writes the file header."""
        super().__init__(clip, on_note=on_note)
        self._file = file
        comment = fitting_image_metadata(clip, _GIF, on_note=on_note).comment
        file.write(b"GIF89a" + struct.pack("<HHBBB", clip.width, clip.height, 0x70, 0, 0))
        if clip.plays != 1:
            # A GIF stores the number of repetitions after the first pass.
            file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", max(0, clip.plays - 1)) + b"\0")
        if comment:
            blocks = [comment[at : at + 255] for at in range(0, len(comment), 255)]
            file.write(b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0")

    def _write_frame(self, frame: VideoFrame, duration: int, following: VideoFrame | None) -> None:
        if 0 < duration < 2:
            self._on_note("frames of less than 0.02 s are shown for 0.1 s by browsers")
        # This frame is cleared only if the next one shows through.
        disposal = _KEEP if following is None or following.alpha is None else _CLEAR
        self._file.write(_encoded(frame, min(duration, 0xFFFF), disposal))

    def _write_end(self) -> None:
        self._file.write(b";")


@contextlib.contextmanager
def open_gif_writer(path: Path, clip: VideoClip, *, on_note: Callable[[str], None]) -> Iterator[GifWriter]:
    """Begins a GIF.

    Args:
        path: Destination.
        clip: The clip to write.
        on_note: Called with one clause for each thing that cannot be kept.

    Yields:
        A `GifWriter`. Its file is whole after `finish`.

    Raises:
        ValueError: If frames are too large for a GIF.
    """
    if max(clip.width, clip.height) > _GIF.max_side:
        raise ValueError(f"a GIF may be at most 65535 px wide and high. Received: {clip.width} x {clip.height}")
    if clip.codec != "gif":
        on_note("a GIF keeps at most 256 colors per frame")
    if clip.codec != "gif" and clip.has_alpha:
        on_note("partial transparency becomes opaque or transparent in a GIF")
    with open(path, "wb") as file:
        yield GifWriter(file, clip, on_note=on_note)


def _encoded(frame: VideoFrame, delay_cs: int, disposal: int) -> bytes:
    """Control block and image of a frame, with the palette of a single-frame file written by Pillow."""
    image = Image.fromarray(frame.pixels)
    colors = 256 if frame.alpha is None else _TRANSPARENT
    # Median cut takes ten times as long and leaves specks in dark and saturated colors.
    indexed = image.quantize(colors, method=Image.Quantize.FASTOCTREE)
    if image.getcolors(colors) is None:
        indexed = image.quantize(palette=indexed, dither=Image.Dither.FLOYDSTEINBERG)
    if frame.alpha is not None:
        indices = np.where(frame.alpha >= 128, np.asarray(indexed), np.uint8(_TRANSPARENT))
        palette = (indexed.getpalette() + [0] * 768)[:768]
        indexed = Image.fromarray(indices)
        indexed.putpalette(palette)
    buffer = io.BytesIO()
    indexed.save(buffer, format="GIF", optimize=False, interlace=0)
    table, image_data = _parts(buffer.getvalue())
    flags = disposal << 2 | (frame.alpha is not None)
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", flags, delay_cs, _TRANSPARENT, 0)
    size_code = (len(table) // 3).bit_length() - 2
    return control + image_data[:9] + bytes([0x80 | size_code]) + table + image_data[10:]


def _parts(gif: bytes) -> tuple[bytes, bytes]:
    """Color table of a single-frame GIF, and its image from the descriptor to the last block."""
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    table = gif[13:at]
    while gif[at] == 0x21:  # Extensions: two bytes, then length-prefixed blocks up to an empty one.
        at += 2
        while gif[at]:
            at += 1 + gif[at]
        at += 1
    return table, gif[at:-1]
