"""Frame-by-frame writing of animated WebP files, each frame whole, in the container of the WebP specification."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from tfgan_app.image_io import IMAGE_FORMATS
from tfgan_app.video.animations import AnimationWriter, fitting_image_metadata
from tfgan_app.video.clip import VideoClip, VideoFrame

_WEBP = IMAGE_FORMATS[".webp"]
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG, _XMP_FLAG, _ANIMATION_FLAG = 0x20, 0x10, 0x08, 0x04, 0x02
_DO_NOT_BLEND = 0x02
_FRAME_CHUNKS = (b"ALPH", b"VP8 ", b"VP8L")
_LOSSLESS_QUALITY, _LOSSLESS_EFFORT, _DEFAULT_QUALITY = 100, 75, 95


class WebpWriter(AnimationWriter):
    """Animated WebP being written."""

    def __init__(self, file: IO[bytes], clip: VideoClip, *, quality: int | None, on_note: Callable[[str], None]):
        """Writes the file header."""
        super().__init__(clip, on_note=on_note)
        self._file = file
        self._metadata = fitting_image_metadata(clip, _WEBP, on_note=on_note)
        is_lossless = quality == _LOSSLESS_QUALITY if quality else clip.is_lossless
        quality = _LOSSLESS_EFFORT if is_lossless else quality or _DEFAULT_QUALITY
        self._options = {"quality": quality, "lossless": is_lossless, "exact": is_lossless}
        flags = _ANIMATION_FLAG | _ALPHA_FLAG * clip.has_alpha
        for flag, block in (
            (_ICC_FLAG, self._metadata.icc_profile),
            (_EXIF_FLAG, self._metadata.exif),
            (_XMP_FLAG, self._metadata.xmp),
        ):
            flags |= flag * bool(block)
        file.write(b"RIFF\0\0\0\0WEBP")
        self._chunk(b"VP8X", struct.pack("<I", flags) + _three_bytes(clip.width - 1) + _three_bytes(clip.height - 1))
        if self._metadata.icc_profile:
            self._chunk(b"ICCP", self._metadata.icc_profile)
        self._chunk(b"ANIM", struct.pack("<IH", 0, min(clip.plays, 0xFFFF)))

    def _write_frame(self, frame: VideoFrame, duration: int, following: VideoFrame | None) -> None:
        del following
        pixels = frame.pixels if frame.alpha is None else np.dstack([frame.pixels, frame.alpha])
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="WEBP", **self._options)
        height, width = frame.pixels.shape[:2]
        head = bytes(6) + b"".join(map(_three_bytes, (width - 1, height - 1, min(duration, 0xFFFFFF))))
        self._chunk(b"ANMF", head + bytes([_DO_NOT_BLEND]) + _frame_chunks(buffer.getvalue()))

    def _write_end(self) -> None:
        if self._metadata.exif:
            self._chunk(b"EXIF", self._metadata.exif)
        if self._metadata.xmp:
            self._chunk(b"XMP ", self._metadata.xmp)
        size = self._file.seek(0, os.SEEK_END) - 8
        if size > 0xFFFFFFFE:
            raise ValueError("the result exceeds 4 GB, the limit of a WebP: write a video")
        self._file.seek(4)
        self._file.write(struct.pack("<I", size))

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._file.write(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))


@contextlib.contextmanager
def open_webp_writer(
    path: Path, clip: VideoClip, *, quality: int | None, on_note: Callable[[str], None]
) -> Iterator[WebpWriter]:
    """Begins an animated WebP.

    Args:
        path: Destination.
        clip: The clip to write.
        quality: 1 to 100 (lossless); by default 95, or lossless if the clip is.
        on_note: Called with one clause for each thing that cannot be kept.

    Yields:
        A `WebpWriter`. Its file is whole after `finish`.

    Raises:
        ValueError: If the quality is out of range, or frames are too large for a WebP.
    """
    if quality is not None and not 1 <= quality <= _LOSSLESS_QUALITY:
        raise ValueError(f"`quality` must be from 1 to 100. Received: {quality}")
    if max(clip.width, clip.height) > _WEBP.max_side:
        side = f"a WebP may be at most {_WEBP.max_side} px wide and high"
        raise ValueError(f"{side}. Received: {clip.width} x {clip.height}")
    with open(path, "wb") as file:
        yield WebpWriter(file, clip, quality=quality, on_note=on_note)


def _frame_chunks(webp: bytes) -> bytes:
    """Chunks of a still WebP that hold its pixels."""
    kept, at = bytearray(), 12
    while at + 8 <= len(webp):
        size = struct.unpack_from("<I", webp, at + 4)[0]
        end = at + 8 + size + size % 2
        if webp[at : at + 4] in _FRAME_CHUNKS:
            kept += webp[at:end]
        at = end
    return bytes(kept)


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")
