"""Strip-by-strip writing of TIFF files in constant memory."""

from __future__ import annotations

import os
import struct
import zlib
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.directories import DESCRIPTIVE_TAGS, Entry, format_directory, parse_tag_file
from tfgan_app.image_io.tiff_tags import IPTC, in_order

_SHORT, _LONG, _RATIONAL, _BYTE, _UNDEFINED, _LONG8 = 3, 4, 5, 1, 7, 16
_STRIP_BYTES = 2**18
_LEVEL = 6
_CLASSIC_BYTES = 2**32 - 2**26
"""Size that is sure to fit a file with 32-bit offsets, even where compression gains nothing."""
_DEFLATE, _HORIZONTAL_DIFFERENCES, _STRAIGHT_ALPHA, _INCH = 8, 2, 2, 2


class TiffStream:
    """Writes a page as TIFF 6.0 with deflate and horizontal differencing; as BigTIFF where it may exceed 4 GB."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype,
        metadata: ImageMetadata,
        pages: int = 1,
        previous: TiffStream | None = None,
    ):
        """Prepares the file.

        Args:
            file: Destination.
            height: Number of rows that will be written.
            width: Pixels per row.
            channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
            dtype: Type of the values.
            metadata: Kept in the tags of the page.
            pages: Number of pages of the file, each of about this size.
            previous: The page before, already closed; None for the first.
        """
        exif = parse_tag_file(metadata.exif) if metadata.exif else None
        self._order: str = previous._order if previous else exif.order if exif else "<"
        self._dtype = np.dtype(dtype).newbyteorder("<" if self._order == "<" else ">")
        self._shape = (height, width, channels)
        self._metadata = metadata
        self._described = {
            tag: in_order(entry, exif.order, self._order)
            for tag, entry in (exif.entries if exif else {}).items()
            if tag in DESCRIPTIVE_TAGS
        }
        row_bytes = width * channels * self._dtype.itemsize
        self._strip_rows = min(height, max(1, _STRIP_BYTES // row_bytes))
        self._strip = np.empty((self._strip_rows, width, channels), self._dtype)
        self._filled = 0
        self._big: bool = previous._big if previous else pages * height * row_bytes > _CLASSIC_BYTES
        self._offsets: list[int] = []
        self._counts: list[int] = []
        self._file = file
        self._link: int = previous._next_link if previous else 8 if self._big else 4
        self._next_link: int = 0
        if previous:
            return
        file.write(b"II" if self._order == "<" else b"MM")
        file.write(self._pack("HHHQ", 43, 8, 0, 0) if self._big else self._pack("HI", 42, 0))

    def write(self, rows: np.ndarray) -> None:
        """Appends rows [count, width, channels]."""
        while len(rows):
            count = min(len(rows), self._strip_rows - self._filled)
            self._strip[self._filled : self._filled + count] = rows[:count]
            self._filled += count
            rows = rows[count:]
            if self._filled == self._strip_rows:
                self._write_strip()

    def close(self) -> None:
        """Writes the directory; the file itself stays open."""
        if self._filled:
            self._write_strip()
        offset, directory = self._align(), self._directory()
        self._file.write(format_directory(directory, offset, order=self._order, big=self._big))
        # The offset of the next page goes behind this page's table.
        self._next_link = offset + (8 + 20 * len(directory) if self._big else 2 + 12 * len(directory))
        self._file.seek(self._link)
        self._file.write(self._pack("Q" if self._big else "I", offset))
        self._file.seek(0, os.SEEK_END)

    def _write_strip(self) -> None:
        strip = self._strip[: self._filled].copy()
        strip[:, 1:] -= self._strip[: self._filled, :-1]
        compressed = zlib.compress(strip.data, _LEVEL)
        self._offsets.append(self._align())
        self._counts.append(len(compressed))
        self._file.write(compressed)
        self._filled = 0

    def _align(self) -> int:
        """Pads the file to an even offset and returns it."""
        self._file.write(b"\0" * (self._file.tell() % 2))
        return self._file.tell()

    def _directory(self) -> dict[int, Entry]:
        height, width, channels = self._shape
        has_alpha, is_color = channels in (2, 4), channels >= 3
        offset_type, offset_code = (_LONG8, "Q") if self._big else (_LONG, "I")
        metadata = self._metadata
        entries = {
            **self._described,
            256: self._integers(_LONG, "I", width),
            257: self._integers(_LONG, "I", height),
            258: self._integers(_SHORT, "H", *[8 * self._dtype.itemsize] * channels),
            259: self._integers(_SHORT, "H", _DEFLATE),
            262: self._integers(_SHORT, "H", 2 if is_color else 1),
            273: self._integers(offset_type, offset_code, *self._offsets),
            277: self._integers(_SHORT, "H", channels),
            278: self._integers(_LONG, "I", self._strip_rows),
            279: self._integers(offset_type, offset_code, *self._counts),
            317: self._integers(_SHORT, "H", _HORIZONTAL_DIFFERENCES),
        }
        if metadata.dpi:
            for tag, dpi in zip((282, 283), metadata.dpi, strict=True):
                ratio = Fraction(dpi).limit_denominator(10000)
                entries[tag] = self._integers(_RATIONAL, "I", ratio.numerator, ratio.denominator)
            entries[296] = self._integers(_SHORT, "H", _INCH)
        if has_alpha:
            entries[338] = self._integers(_SHORT, "H", _STRAIGHT_ALPHA)
        if metadata.xmp:
            entries[700] = Entry(_BYTE, metadata.xmp)
        if metadata.icc_profile:
            entries[34675] = Entry(_UNDEFINED, metadata.icc_profile)
        if metadata.iptc:
            entries[IPTC] = Entry(_UNDEFINED, metadata.iptc)
        entries |= {tag: in_order(entry, "<", self._order) for tag, entry in metadata.geo.items()}
        return entries

    def _integers(self, kind: int, code: str, *values: int) -> Entry:
        return Entry(kind, self._pack(f"{len(values)}{code}", *values))

    def _pack(self, codes: str, *values: int) -> bytes:
        return struct.pack(self._order + codes, *values)
