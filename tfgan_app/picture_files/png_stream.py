"""PNG files written row by row, in memory that does not grow with the picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from tfgan_app.picture_files.embedded import text_chunks
from tfgan_app.picture_files.picture import PictureMetadata

MAX_SIDE = 2**31 - 1

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_LEVEL = 6
_MEMORY_LEVEL = 9
_CHUNK_BYTES = 2**16
_BLOCK_BYTES = 2**20
"""Rows are filtered so many bytes at a time: in cache, and few enough for small temporary arrays."""


class PngStream:
    """Writes one picture as PNG (ISO/IEC 15948), row by row.

    Each row takes the one of the five filters whose result has the least sum of absolute values, as the
    standard recommends; all five are computed for a block of rows at once.
    """

    def __init__(
        self, file: BinaryIO, *, height: int, width: int, channels: int, dtype: np.dtype, metadata: PictureMetadata
    ):
        """Writes all that comes before the pixels.

        Args:
            file: Where to.
            height: Rows that will be written.
            width: Pixels of a row.
            channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
            dtype: uint8 or uint16.
            metadata: Kept in the chunks iCCP, eXIf, pHYs, iTXt, tEXt and zTXt.
        """
        self._file = file
        self._dtype = np.dtype(dtype)
        self._pixel_bytes = channels * self._dtype.itemsize
        self._previous = np.zeros(width * self._pixel_bytes, np.uint8)
        self._compressor = zlib.compressobj(_LEVEL, memLevel=_MEMORY_LEVEL, strategy=zlib.Z_FILTERED)
        self._compressed = bytearray()
        file.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", width, height, 8 * self._dtype.itemsize, _COLOUR_TYPES[channels], 0, 0, 0)
        for name, data in [(b"IHDR", header), *_metadata_chunks(metadata)]:
            self._chunk(name, data)

    def write(self, rows: np.ndarray) -> None:
        """Appends rows [count, width, channels]."""
        count = max(1, _BLOCK_BYTES // len(self._previous))
        for start in range(0, len(rows), count):
            # PNG stores the higher byte first.
            block = np.ascontiguousarray(rows[start : start + count], self._dtype.newbyteorder(">"))
            block = block.view(np.uint8).reshape(len(block), -1)
            filtered = filter_rows(block, self._previous, pixel_bytes=self._pixel_bytes)
            self._previous = block[-1].copy()
            self._compressed += self._compressor.compress(filtered)
            if len(self._compressed) >= _CHUNK_BYTES:
                self._write_compressed()

    def close(self) -> None:
        """Writes the end of the file; the file itself stays open."""
        self._compressed += self._compressor.flush()
        self._write_compressed()
        self._chunk(b"IEND", b"")

    def _write_compressed(self) -> None:
        self._chunk(b"IDAT", bytes(self._compressed))
        self._compressed.clear()

    def _chunk(self, name: bytes, data: bytes) -> None:
        checksum = zlib.crc32(data, zlib.crc32(name))
        self._file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum))


def filter_rows(rows: np.ndarray, previous: np.ndarray, *, pixel_bytes: int) -> np.ndarray:
    """Filters rows for compression, each by the filter that leaves the smallest values.

    Args:
        rows: uint8 [count, bytes], consecutive rows.
        previous: uint8 [bytes], the row above the first; zeros where there is none.
        pixel_bytes: Bytes from one pixel to the next.

    Returns:
        uint8 [count, 1 + bytes]: the filter's number, then the filtered row.
    """
    above = np.concatenate([previous[None], rows[:-1]])
    left, above_left = _shifted(rows, pixel_bytes), _shifted(above, pixel_bytes)
    candidates = [
        rows,
        rows - left,
        rows - above,
        rows - ((left & above) + ((left ^ above) >> 1)),
        rows - _paeth(left, above, above_left),
    ]
    costs = [np.minimum(candidate, -candidate).sum(axis=1, dtype=np.int64) for candidate in candidates]
    best = np.argmin(costs, axis=0)
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = best
    for number, candidate in enumerate(candidates):
        chosen = best == number
        filtered[chosen, 1:] = candidate[chosen]
    return filtered


def _shifted(rows: np.ndarray, pixel_bytes: int) -> np.ndarray:
    """The pixel to the left of each, zero before the first."""
    shifted = np.zeros_like(rows)
    shifted[:, pixel_bytes:] = rows[:, :-pixel_bytes]
    return shifted


def _paeth(left: np.ndarray, above: np.ndarray, above_left: np.ndarray) -> np.ndarray:
    """Whichever of three neighbours is nearest to left + above - above_left; ties go in that order."""
    corner = above_left.astype(np.int16)
    from_left, from_above = above - corner, left - corner
    from_corner = np.abs(from_left + from_above)
    np.abs(from_left, out=from_left)
    np.abs(from_above, out=from_above)
    is_left = (from_left <= from_above) & (from_left <= from_corner)
    return np.where(is_left, left, np.where(from_above <= from_corner, above, above_left))


def _metadata_chunks(metadata: PictureMetadata) -> Sequence[tuple[bytes, bytes]]:
    chunks = []
    if metadata.icc_profile:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc_profile, 9)))
    if metadata.dpi:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(dpi / 0.0254) for dpi in metadata.dpi), 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    return [*chunks, *text_chunks(metadata.comment, metadata.iptc), *metadata.texts]
