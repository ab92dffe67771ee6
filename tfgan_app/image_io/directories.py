"""Tag directories as TIFF 6.0 defines them: the frame of TIFF files and the whole of an EXIF block."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field

ORIENTATION = 0x0112
PREVIEW_OFFSET, PREVIEW_LENGTH = 0x0201, 0x0202
EXIF_DIRECTORY, GPS_DIRECTORY, INTEROPERABILITY_DIRECTORY = 0x8769, 0x8825, 0xA005

DESCRIPTIVE_TAGS = frozenset(
    {
        *(0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298),
        *(*range(0x9C9B, 0x9CA0), EXIF_DIRECTORY, GPS_DIRECTORY),
    }
)
"""Tags of a TIFF's first directory that describe the image, not how its pixels are stored."""

_SUB_DIRECTORIES = frozenset({EXIF_DIRECTORY, GPS_DIRECTORY, INTEROPERABILITY_DIRECTORY})
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER_CODES = {1: "B", 3: "H", 4: "I", 5: "I", 13: "I", 16: "Q", 18: "Q"}
_LONG, _LONG8 = 4, 16
_MAX_DEPTH = 4


@dataclass(frozen=True)
class Entry:
    """One tag of a directory.

    Attributes:
        type: The type's number in TIFF 6.0 or BigTIFF.
        data: The values in the file's byte order; unused where there are `children`.
        position: Position of `data` in the file.
        children: The directory that the tag points to.
    """

    type: int
    data: bytes
    position: int = 0
    children: dict[int, Entry] | None = None

    def integers(self, order: str) -> tuple[int, ...]:
        """Values of an unsigned integer type; numerator and denominator for each rational number."""
        code = _INTEGER_CODES[self.type]
        return struct.unpack(f"{order}{len(self.data) // struct.calcsize(code)}{code}", self.data)


@dataclass(frozen=True)
class TagFile:
    """The first directory of a TIFF file or an EXIF block.

    Attributes:
        order: Byte order in the notation of `struct`: `"<"` or `">"`.
        entries: The tags of the first directory.
        next_position: Position of the offset of the next directory.
        next_offset: That offset; 0 where there is none.
        big: Whether offsets have 64 bits (BigTIFF).
    """

    order: str
    entries: dict[int, Entry] = field(default_factory=dict)
    next_position: int = 0
    next_offset: int = 0
    big: bool = False


def parse_tag_file(block: bytes | mmap.mmap, *, offset: int | None = None) -> TagFile:
    """Reads a directory and the EXIF and GPS directories that it points to.

    Args:
        block: All bytes, or an object that slices and unpacks like bytes, such as a memory map.
        offset: Position of the directory; None for the first.

    Raises:
        ValueError: If the block is damaged.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(block[:2]))
    try:
        version = struct.unpack_from(f"{order}H", block, 2)[0] if order else 0
        if version not in (42, 43):
            raise ValueError("it does not begin with a TIFF header")
        big = version == 43
        if offset is None:
            offset = struct.unpack_from(f"{order}Q" if big else f"{order}I", block, 8 if big else 4)[0]
        entries, end = _parse(block, offset, order, big, 1)
        next_offset = struct.unpack_from(f"{order}Q" if big else f"{order}I", block, end)[0]
    except (struct.error, KeyError, OverflowError) as error:
        raise ValueError("its directory of tags is damaged") from error
    return TagFile(order, entries, end, next_offset, big)


def parse_directory(block: bytes | mmap.mmap, offset: int, *, order: str) -> dict[int, Entry]:
    """Reads one directory of a TIFF file with 32-bit offsets or of an EXIF block.

    Raises:
        ValueError: If the directory is damaged.
    """
    try:
        return _parse(block, offset, order, False, 1)[0]
    except (struct.error, KeyError) as error:
        raise ValueError("its directory of tags is damaged") from error


def _parse(block: bytes | mmap.mmap, offset: int, order: str, big: bool, depth: int) -> tuple[dict[int, Entry], int]:
    """Returns the entries at `offset` and the position behind them."""
    count_code, entry_size, inline = ("Q", 20, 8) if big else ("H", 12, 4)
    (count,) = struct.unpack_from(order + count_code, block, offset)
    start = offset + struct.calcsize(count_code)
    if start + count * entry_size > len(block):
        raise ValueError("its directory of tags is truncated")
    entries = {}
    for position in range(start, start + count * entry_size, entry_size):
        tag, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHI"), block, position)
        size, place = _SIZES.get(kind, 0) * number, position + entry_size - inline
        if size > inline:
            place = struct.unpack_from(order + ("Q" if big else "I"), block, place)[0]
        if size == 0 or place + size > len(block):
            continue  # One invalid tag is no reason to lose the others.
        entry = Entry(kind, bytes(block[place : place + size]), place)
        if tag in _SUB_DIRECTORIES and depth < _MAX_DEPTH:
            children, _ = _parse(block, entry.integers(order)[0], order, big, depth + 1)
            entry = Entry(kind, entry.data, place, children)
        entries[tag] = entry
    return entries, start + count * entry_size


def format_tag_file(entries: dict[int, Entry], order: str) -> bytes:
    """Lays out an EXIF block of entries in the byte order `order`."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return header + format_directory(entries, 8, order=order)


def format_directory(entries: dict[int, Entry], offset: int, *, order: str, big: bool = False) -> bytes:
    """Lays out a directory with no successor, and the directories below it.

    Args:
        entries: Tags with data in the byte order `order`.
        offset: Position of the result in the file; even.
        order: `"<"` or `">"`.
        big: Whether the file is a BigTIFF.

    Returns:
        The bytes of the directory and of all its data.
    """
    count_code, offset_code, entry_size = ("Q", "Q", 20) if big else ("H", "I", 12)
    inline = struct.calcsize(offset_code)
    table = struct.pack(order + count_code, len(entries))
    after = offset + len(table) + len(entries) * entry_size + inline
    tail = bytearray()
    for tag, entry in sorted(entries.items()):
        kind, data = entry.type, entry.data
        if entry.children is not None:
            kind = _LONG8 if big else _LONG
            data = struct.pack(order + offset_code, after + len(tail))
            tail += format_directory(entry.children, after + len(tail), order=order, big=big)
        value = data.ljust(inline, b"\0")
        if len(data) > inline:
            value = struct.pack(order + offset_code, after + len(tail))
            tail += data + b"\0" * (len(data) % 2)
        table += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(data) // _SIZES[kind]) + value
    return table + bytes(inline) + bytes(tail)
