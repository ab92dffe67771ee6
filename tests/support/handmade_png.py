"""PNG files that no library would write, byte by byte."""

from __future__ import annotations

import struct
import zlib


def png_bytes(header: tuple[int, int, int, int], rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of width, height, bit depth and color type, of rows with their filter bytes."""
    width, height, depth, color_type = header
    start = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
    parts = [start, *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    coded = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(coded)


def with_damaged_chunk(png: bytes, name: bytes, data: bytes, *, behind: bool = False) -> bytes:
    """A PNG with one more chunk, whose checksum is wrong, before or behind its pixels."""
    at = png.index(b"IEND") - 4 if behind else 33
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ 1)
    return png[:at] + chunk + png[at:]
