"""Row-by-row writing of PNG files in constant memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.embedded import text_chunks

MAX_SIDE = 2**31 - 1

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_MEMORY_LEVEL = 9
_WINDOW_BITS = 15

_RUNS = (1, zlib.Z_RLE)
"""Level and strategy for photographs. 9.6 MB of a filtered one take 0.08 s and 2.43 MB, against 0.66 s and 2.38 MB
with `_MATCHES`, which is longer than a model that runs at the same time."""

_MATCHES = (6, zlib.Z_FILTERED)
"""Level and strategy for drawings and screenshots, whose shapes repeat."""

_SAMPLE_BYTES = 2**14
_WORTH_IT = 0.9
_CHUNK_BYTES = 2**16
_BLOCK_BYTES = 2**20
"""Bytes of rows filtered at a time: they fit the cache and need only small temporary arrays."""


class PngStream:
    """Writes one image as PNG (ISO/IEC 15948), row by row.

    Each row uses whichever of the five filters gives the smallest sum of absolute values, as the standard
    recommends; all five are computed for a block of rows at once.
    """

    def __init__(
        self, file: BinaryIO, *, height: int, width: int, channels: int, dtype: np.dtype, metadata: ImageMetadata
    ):
        """Writes everything before the pixels.

        Args:
            file: Destination.
            height: Number of rows that will be written.
            width: Pixels per row.
            channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
            dtype: uint8 or uint16.
            metadata: Kept in the chunks iCCP, eXIf, pHYs, iTXt, tEXt and zTXt.
        """
        self._file = file
        self._rows = PngRows(width=width, channels=channels, dtype=dtype)
        file.write(b"\x89PNG\r\n\x1a\n")
        bits = 8 * np.dtype(dtype).itemsize
        header = struct.pack(">IIBBBBB", width, height, bits, _COLOR_TYPES[channels], 0, 0, 0)
        for name, data in [(b"IHDR", header), *png_metadata_chunks(metadata)]:
            file.write(png_chunk(name, data))

    def write(self, rows: np.ndarray) -> None:
        """Appends rows [count, width, channels]."""
        if data := self._rows.compress(rows):
            self._file.write(png_chunk(b"IDAT", data))

    def close(self) -> None:
        """Writes the end of the file; the file itself stays open."""
        self._file.write(png_chunk(b"IDAT", self._rows.flush()) + png_chunk(b"IEND", b""))


class PngRows:
    """Filters and compresses the rows of one image, as the data of its chunks."""

    def __init__(self, *, width: int, channels: int, dtype: np.dtype):
        """Begins an image; the arguments are those of `PngStream`."""
        self._dtype = np.dtype(dtype)
        self._pixel_bytes = channels * self._dtype.itemsize
        self._previous = np.zeros(width * self._pixel_bytes, np.uint8)
        self._blocks = _ZlibBlocks()
        self._compressed = bytearray()

    def compress(self, rows: np.ndarray) -> bytes:
        """Compresses rows [count, width, channels]; returns data for a chunk, or nothing while that would be short."""
        count = max(1, _BLOCK_BYTES // len(self._previous))
        for start in range(0, len(rows), count):
            # PNG stores the higher byte first.
            block = np.ascontiguousarray(rows[start : start + count], self._dtype.newbyteorder(">"))
            block = block.view(np.uint8).reshape(len(block), -1)
            filtered = filter_rows(block, self._previous, pixel_bytes=self._pixel_bytes)
            self._previous = block[-1].copy()
            self._compressed += self._blocks.compress(filtered.tobytes())
        return self._taken() if len(self._compressed) >= _CHUNK_BYTES else b""

    def flush(self) -> bytes:
        """Returns the rest of the data."""
        self._compressed += self._blocks.finish()
        return self._taken()

    def _taken(self) -> bytes:
        data = bytes(self._compressed)
        self._compressed.clear()
        return data


class _ZlibBlocks:
    """One zlib stream (RFC 1950) of blocks that are compressed separately, each with the strategy that suits it."""

    def __init__(self):
        self._checksum = zlib.adler32(b"")
        self._head = b"\x78\x01"

    def compress(self, block: bytes) -> bytes:
        """Returns the next part of the stream; it ends at a whole byte."""
        self._checksum = zlib.adler32(block, self._checksum)
        head, self._head = self._head, b""
        return head + _deflated(block, *_suiting(block), end=zlib.Z_FULL_FLUSH)

    def finish(self) -> bytes:
        """Returns the end of the stream."""
        head, self._head = self._head, b""
        return head + _deflated(b"", *_RUNS, end=zlib.Z_FINISH) + struct.pack(">I", self._checksum)


def _suiting(block: bytes) -> tuple[int, int]:
    """Level and strategy for a block of filtered rows, chosen by a sample from its middle."""
    middle = max(0, (len(block) - _SAMPLE_BYTES) // 2)
    sample = block[middle : middle + _SAMPLE_BYTES]
    runs, matches = (len(_deflated(sample, *way, end=zlib.Z_FINISH)) for way in (_RUNS, _MATCHES))
    return _MATCHES if matches < _WORTH_IT * runs else _RUNS


def _deflated(block: bytes, level: int, strategy: int, *, end: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -_WINDOW_BITS, _MEMORY_LEVEL, strategy)
    return compressor.compress(block) + compressor.flush(end)


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Frames the data of a chunk with its length, name and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def filter_rows(rows: np.ndarray, previous: np.ndarray, *, pixel_bytes: int) -> np.ndarray:
    """Filters rows for compression, each by the filter that gives the smallest values.

    Args:
        rows: uint8 [count, bytes], consecutive rows.
        previous: uint8 [bytes], the row above the first; zeros if there is none.
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
    """The Paeth predictor: the neighbor nearest to left + above - above_left; ties go in that order."""
    corner = above_left.astype(np.int16)
    from_left, from_above = above - corner, left - corner
    from_corner = np.abs(from_left + from_above)
    np.abs(from_left, out=from_left)
    np.abs(from_above, out=from_above)
    is_left = (from_left <= from_above) & (from_left <= from_corner)
    return np.where(is_left, left, np.where(from_above <= from_corner, above, above_left))


def png_metadata_chunks(metadata: ImageMetadata) -> Sequence[tuple[bytes, bytes]]:
    """Metadata chunks, name and data, which go before the pixels."""
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
