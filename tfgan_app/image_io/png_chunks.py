"""PNG chunks: detection of damage, and the file without damaged chunks."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
XMP_KEYWORD = b"XML:com.adobe.xmp"
RAW_PROFILE = b"Raw profile type "

_PIXEL_CHUNKS = frozenset({b"IDAT", b"fdAT"})
_PART_BYTES = 2**18
_MAX_CHUNKS = 2**20
_MAX_ANCILLARY_BYTES = 2**26
_MAX_CRITICAL_BYTES = 1024
_MAX_REPAIRED_BYTES = 2**30
_FRAMING_BYTES = 12
"""Bytes of a chunk's length, name and checksum."""


@dataclass(frozen=True)
class PngHeader:
    """Fields of IHDR, the first chunk of a PNG file.

    Attributes:
        width: Pixels per row.
        height: Number of rows.
        bit_depth: Bits per sample.
        color_type: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
    """

    width: int
    height: int
    bit_depth: int
    color_type: int


def png_header(head: bytes) -> PngHeader | None:
    """Reads the header from the first 26 bytes of a file; None for another format or a damaged header."""
    if not head.startswith(PNG_SIGNATURE) or head[12:16] != b"IHDR" or len(head) < 26:
        return None
    return PngHeader(*struct.unpack_from(">IIBB", head, 16))


@dataclass(frozen=True)
class PngChunk:
    """A chunk of a PNG file.

    Attributes:
        name: Four letters.
        offset: Start of the chunk in the file.
        length: Length of its data in bytes.
        data: Its data; empty for critical chunks and pixel chunks.
        is_sound: Whether its checksum is right.
    """

    name: bytes
    offset: int
    length: int
    data: bytes = b""
    is_sound: bool = True

    @property
    def is_ancillary(self) -> bool:
        """Whether the image can be decoded without it."""
        return bool(self.name[0] & 0x20)

    @property
    def is_needless(self) -> bool:
        """Whether it is damaged, and the image can be decoded without it."""
        return not self.is_sound and self.is_ancillary and self.name not in _PIXEL_CHUNKS


def scan_png(file: BinaryIO) -> list[PngChunk]:
    """Lists the chunks of an open PNG file up to its end, or to the point where it is truncated.

    Args:
        file: At any position; seekable.

    Returns:
        The chunks in order. Beyond 64 MB in all, data of ancillary chunks is not kept and counts as damaged.
    """
    return list(_chunks(file, check_pixels=True))


def _chunks(file: BinaryIO, *, check_pixels: bool) -> Iterator[PngChunk]:
    offset, budget = len(PNG_SIGNATURE), _MAX_ANCILLARY_BYTES
    for _ in range(_MAX_CHUNKS):
        file.seek(offset)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha():
            return
        length, name = struct.unpack(">I4s", head)
        chunk = PngChunk(name, offset, length)
        if name in _PIXEL_CHUNKS:
            chunk = replace(chunk, is_sound=not check_pixels or _is_sound(file, name, length))
        elif chunk.is_ancillary:
            data = file.read(length) if length <= budget else b""
            budget -= len(data)
            checksum = file.read(4)
            is_sound = checksum == struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
            chunk = PngChunk(name, offset, length, data, is_sound)
        yield chunk
        if name == b"IEND":
            return
        offset += length + _FRAMING_BYTES


def _is_sound(file: BinaryIO, name: bytes, length: int) -> bool:
    """Returns whether the checksum of the data from here on is right, holding little of it in memory."""
    checksum = zlib.crc32(name)
    while length > 0 and (part := file.read(min(length, _PART_BYTES))):
        checksum, length = zlib.crc32(part, checksum), length - len(part)
    return length == 0 and file.read(4) == struct.pack(">I", checksum)


def is_animated_png(file: BinaryIO) -> bool:
    """Returns whether an open PNG file announces an animation of more than one frame before its pixels."""
    for chunk in _chunks(file, check_pixels=False):
        if chunk.name == b"IDAT":
            return False
        if chunk.name == b"acTL" and chunk.is_sound and len(chunk.data) == 8:
            return struct.unpack(">I", chunk.data[:4])[0] > 1
    return False


def damage_note(chunks: Sequence[PngChunk]) -> str | None:
    """One clause that names the damaged chunks that are left out; None if there are none."""
    names = dict.fromkeys(_printable(chunk.name) for chunk in chunks if chunk.is_needless)
    if not names:
        return None
    plural = "chunks" if len(names) > 1 else "chunk"
    return f"its damaged {plural} {', '.join(names)} (wrong checksum) {'were' if len(names) > 1 else 'was'} left out"


def pixels_note(chunks: Sequence[PngChunk]) -> str | None:
    """One clause that warns of damaged but decodable pixels; None if they are sound."""
    if all(chunk.is_sound or chunk.name not in _PIXEL_CHUNKS for chunk in chunks):
        return None
    return "the checksum of its pixels is wrong, so they may be damaged"


def repaired_png(path: str | os.PathLike) -> BinaryIO | None:
    """Copies a PNG file into memory without the chunks that keep Pillow from reading its pixels.

    Damaged ancillary chunks are left out, as in libpng, and texts, which Pillow rejects if they are long.

    Args:
        path: The file.

    Returns:
        The copy, at its beginning; None for a file of another format.

    Raises:
        ValueError: If the damage is elsewhere; the message names it.
    """
    with open(path, "rb") as file:
        if file.read(len(PNG_SIGNATURE)) != PNG_SIGNATURE:
            return None
        chunks = scan_png(file)
        left_out = [chunk for chunk in chunks if chunk.is_needless or _is_plain_text(chunk)]
        damage = _critical_damage(file, chunks)
        if damage or not left_out or os.fstat(file.fileno()).st_size > _MAX_REPAIRED_BYTES:
            raise ValueError(damage or damage_note(left_out) or "its PNG data is damaged")
        file.seek(0)
        data = file.read()
    start, kept = 0, bytearray()
    for chunk in left_out:
        kept += data[start : chunk.offset]
        start = chunk.offset + chunk.length + _FRAMING_BYTES
    return io.BytesIO(kept + data[start:])


def _is_plain_text(chunk: PngChunk) -> bool:
    return chunk.name in TEXT_CHUNKS and not chunk.data.startswith((XMP_KEYWORD, RAW_PROFILE))


def _critical_damage(file: BinaryIO, chunks: Sequence[PngChunk]) -> str:
    """First fault in the critical chunks; empty if there is none."""
    if not chunks or chunks[0].name != b"IHDR":
        return "its header (the PNG chunk IHDR) is damaged"
    for chunk in chunks:
        if chunk.name in (b"IHDR", b"PLTE"):
            file.seek(chunk.offset + 4)
            coded = file.read(min(chunk.length, _MAX_CRITICAL_BYTES) + 4)
            if file.read(4) != struct.pack(">I", zlib.crc32(coded)):
                return f"its PNG chunk {_printable(chunk.name)} is damaged (wrong checksum)"
    return "" if any(chunk.name == b"IDAT" for chunk in chunks) else "it is truncated before its pixels"


def _printable(name: bytes) -> str:
    return name.decode("ascii", "replace")
