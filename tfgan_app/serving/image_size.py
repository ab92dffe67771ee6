"""Number of pixels that an image file would decode to, read from its header.

Decoders trust these numbers when they allocate, so a file of a few bytes can claim gigabytes.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

from PIL import Image

from tfgan_app.image_io.deep import TiffPage, is_tiff
from tfgan_app.image_io.opening import open_image
from tfgan_app.image_io.png_chunks import PNG_SIGNATURE, png_header

_MAX_JPEG_SCANS = 64
"""Most scans of a progressive JPEG, each of which covers all pixels; encoders write about ten."""

_MAX_BLOCKS = 200_000
"""Most steps from block to block: 50 MB of GIF, a bound on the time that a hostile file can take."""

_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
"""A JPEG marker followed by a segment, or the end: decoders skip fill bytes, stuffed zeros and restart markers.
One byte at a time, since a repetition would retry a run of fill bytes from each position."""

_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END_MARKER, _SCAN_MARKER = 0xD9, 0xDA

_EXPECTED = "expected a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or PNM file"
_BASE64_STARTS = (b"iVBORw0KGgo", b"/9j/", b"R0lGOD", b"UklGR", b"Qk", b"SUkqA", b"TU0AK", b"data:")


def pixels_to_decode(data: bytes) -> int:
    """Counts the pixels that decoding an image takes, in all of its frames.

    Args:
        data: The file.

    Returns:
        Pixels, at least 1.

    Raises:
        ValueError: If the format is not one of these, or the header is truncated or damaged.
    """
    reader = next((reader for magic, reader in _READERS.items() if data.startswith(magic)), _other)
    try:
        pixels = reader(data)
    except (struct.error, IndexError):
        raise ValueError("its header is truncated") from None
    if pixels < 1:
        raise ValueError("its header announces no pixels")
    return pixels


def _png(data: bytes) -> int:
    header = png_header(data)
    if header is None:
        raise ValueError("its header is truncated" if len(data) < 26 else "its header is damaged")
    return header.width * header.height


def _jpeg(data: bytes) -> int:
    """Counts segments up to the end of the image: a video or a second image may follow it."""
    pixels, scans, position = 0, 0, 2
    for _ in range(_MAX_BLOCKS):
        found = _SEGMENT.search(data, position)
        if found is None or found[1][0] == _END_MARKER:
            break
        marker, position = found[1][0], found.end()
        if marker in _SIZE_MARKERS and not pixels:
            height, width = struct.unpack_from(">HH", data, position + 3)
            pixels = height * width
        scans += marker == _SCAN_MARKER
        if scans > _MAX_JPEG_SCANS:
            raise ValueError(f"it has more than {_MAX_JPEG_SCANS} scans")
        if position + 2 > len(data):
            break
        position += max(2, struct.unpack_from(">H", data, position)[0])
    else:
        raise ValueError("it has too many segments")
    if not pixels:
        raise ValueError("its header does not state its size")
    return pixels


def _gif(data: bytes) -> int:
    """Counts all frames, since the decoder decodes each of them even if only the first is wanted."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    frames = _gif_frames(data, 13 + _color_table_bytes(flags))
    return width * height + sum(frames)


def _gif_frames(data: bytes, position: int) -> Iterator[int]:
    """Yields the pixels of each frame."""
    steps = 0
    while position < len(data) and data[position] != 0x3B:
        if data[position] == 0x2C:
            width, height, flags = struct.unpack_from("<4xHHB", data, position + 1)
            yield width * height
            position += 11 + _color_table_bytes(flags)
        elif data[position] == 0x21:
            position += 2
        else:
            raise ValueError("its blocks are damaged")
        while position < len(data) and data[position]:
            position, steps = position + 1 + data[position], steps + 1
            if steps > _MAX_BLOCKS:
                raise ValueError("it has too many blocks")
        position += 1


def _color_table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> int:
    is_core = struct.unpack_from("<I", data, 14)[0] == 12  # The OS/2 header has 16-bit numbers.
    width, height = struct.unpack_from("<HH" if is_core else "<ii", data, 18)
    return abs(width) * abs(height)


def _webp(data: bytes) -> int:
    if data[8:12] != b"WEBP":
        raise ValueError(_EXPECTED)
    kind = data[12:16]
    if kind == b"VP8X":  # An animation is decoded to its first image, on a canvas of this size.
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        _ = data[29]
    elif kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ValueError("its header is damaged")
    return width * height


def _other(data: bytes) -> int:
    hint = ""
    if data.startswith(_BASE64_STARTS):
        hint = '; this is the text of one: send it as {"b64": "..."}'
    try:
        opened = TiffPage(io.BytesIO(data)) if is_tiff(data) else open_image(io.BytesIO(data))
        with opened as image:
            width, height = image.size
    except Image.DecompressionBombError:
        raise ValueError("its header announces more pixels than are ever decoded") from None
    except Exception:  # Decoders fail on hostile bytes with almost any exception type.
        raise ValueError(f"{_EXPECTED}{hint}") from None
    return width * height


_READERS = {
    PNG_SIGNATURE: _png,
    b"\xff\xd8\xff": _jpeg,
    b"GIF87a": _gif,
    b"GIF89a": _gif,
    b"BM": _bmp,
    b"RIFF": _webp,
}

SIGNATURES = (*_READERS, b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
"""Beginnings of image files; no JSON document starts with one of them."""
