"""EXIF, XMP and color profiles, kept except for what rotating or scaling the pixels invalidates."""

from __future__ import annotations

import contextlib
import re
import struct

from tfgan_app.image_io.directories import (
    DESCRIPTIVE_TAGS,
    EXIF_DIRECTORY,
    ORIENTATION,
    PREVIEW_LENGTH,
    PREVIEW_OFFSET,
    Entry,
    TagFile,
    format_tag_file,
    parse_directory,
    parse_tag_file,
)
from tfgan_app.image_io.tiff_tags import IMAGE_DESCRIPTION, layout_of_description

_EXIF_MARKER = b"Exif\0\0"
_SIZE_TAGS = (0xA002, 0xA003)
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*=\s*[\"']|<tiff:Orientation>)\s*[2-8](?=\s*[\"'<])")
_WRITE_CODES = {3: "H", 4: "I"}
_SIGNATURE, _COLOR_SPACE = slice(36, 40), slice(16, 20)


def upright_exif(exif: bytes) -> bytes:
    """EXIF block of an image that has been turned upright; otherwise unchanged, including maker's notes.

    The orientation becomes 1. The preview, which shows the image as stored, is removed.

    Args:
        exif: With or without the marker `Exif`.

    Returns:
        The block from its byte order mark on.

    Raises:
        ValueError: If the block is damaged.
    """
    block = bytearray(exif.removeprefix(_EXIF_MARKER))
    tags = parse_tag_file(bytes(block))
    if ORIENTATION in tags.entries:
        _set_integer(block, tags.entries[ORIENTATION], 1, tags.order)
    struct.pack_into(f"{tags.order}I", block, tags.next_position, 0)
    if tags.next_offset:
        _cut_preview(block, tags)
    return bytes(block)


def resized_exif(exif: bytes, *, height: int, width: int) -> bytes:
    """Replaces the size in the block, if it has one, by the image's.

    Args:
        exif: The result of `upright_exif`.
        height: Height in pixels.
        width: Width in pixels.
    """
    block = bytearray(exif)
    tags = parse_tag_file(exif)
    sizes = tags.entries.get(EXIF_DIRECTORY, Entry(0, b"", children={})).children or {}
    for tag, value in zip(_SIZE_TAGS, (width, height), strict=True):
        if tag in sizes:
            # A 16-bit field may be too small for the size; nothing depends on it.
            with contextlib.suppress(ValueError):
                _set_integer(block, sizes[tag], value, tags.order)
    return bytes(block)


def exif_of_tiff(tags: TagFile, notes: list[str]) -> bytes | None:
    """EXIF block from the tags of a TIFF file; None if it has no such tags.

    Args:
        tags: Tags of the file.
        notes: Receives one clause for each thing that could not be kept.
    """
    kept = {tag: entry for tag, entry in tags.entries.items() if tag in DESCRIPTIVE_TAGS}
    kept = without_layout_description(kept, notes)
    if not kept:
        return None
    return format_tag_file(kept, tags.order)


def without_layout_description(entries: dict[int, Entry], notes: list[str]) -> dict[int, Entry]:
    """Drops an ImageDescription that describes the page layout of another file, with a note."""
    description = entries.get(IMAGE_DESCRIPTION)
    layout = description and layout_of_description(description.data)
    if not layout:
        return entries
    notes.append(f"its ImageDescription describes the layout of the file ({layout}) and was left out")
    return {tag: entry for tag, entry in entries.items() if tag != IMAGE_DESCRIPTION}


def upright_xmp(xmp: bytes) -> bytes:
    """The packet with its orientation, if it has one, set to 1; its length does not change."""
    return _XMP_ORIENTATION.sub(lambda found: found[0][:-1] + b"1", xmp)


def profile_color_space(profile: bytes) -> str:
    """Color space of a profile: `"RGB"`, `"GRAY"`, `"CMYK"`...; empty for no profile."""
    if len(profile) < 132 or profile[_SIGNATURE] != b"acsp":
        return ""
    return profile[_COLOR_SPACE].decode("ascii", "replace").strip()


def _set_integer(block: bytearray, entry: Entry, value: int, order: str) -> None:
    code = _WRITE_CODES.get(entry.type)
    if code is None or value >= 256 ** struct.calcsize(code):
        raise ValueError("a tag of its EXIF has an unusual type")
    struct.pack_into(order + code, block, entry.position, value)


def _cut_preview(block: bytearray, tags: TagFile) -> None:
    """Removes the preview's bytes if nothing follows them; otherwise blanks them."""
    try:
        second = parse_directory(bytes(block), tags.next_offset, order=tags.order)
        start, length = (second[tag].integers(tags.order)[0] for tag in (PREVIEW_OFFSET, PREVIEW_LENGTH))
    except (ValueError, KeyError):
        return  # Nothing points to it any more, which is enough.
    if start + length == len(block) and start > tags.next_offset:
        del block[start:]
    elif start + length <= len(block):
        block[start : start + length] = bytes(length)
