"""Metadata besides EXIF, XMP and profiles: comments, IPTC, PNG texts, and notes on what cannot be kept."""

from __future__ import annotations

import binascii
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tfgan_app.image_io.directories import TagFile
from tfgan_app.image_io.opening import open_image
from tfgan_app.image_io.png_chunks import (
    PNG_SIGNATURE,
    RAW_PROFILE,
    TEXT_CHUNKS,
    XMP_KEYWORD,
    PngChunk,
    damage_note,
    pixels_note,
    repaired_png,
    scan_png,
)
from tfgan_app.image_io.tiff_tags import IPTC, PHOTOSHOP, unknown_tags

MAX_SEGMENT_BYTES = 65533
PHOTOSHOP_MARKER = b"Photoshop 3.0\0"

_IPTC_RESOURCE = 0x0404
_PATH_RESOURCES = range(2000, 2999)
_MAX_PROFILE_BYTES = 2**24
_COMMENT = b"Comment"
_HEX_PROFILE = re.compile(rb"\s*\w+\s+\d+\s+([0-9a-fA-F\s]*)")
# Chunks that describe the pixels as stored, that Pillow reads, or that belong to animations.
_HANDLED_CHUNKS = frozenset(
    {
        *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"tIME", b"eXIf"),
        *(b"acTL", b"fcTL", b"fdAT", b"iDOT", b"orNT", b"vpAg", *TEXT_CHUNKS),
    }
)
_SRGB_PRIMARIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"


def photoshop_block(iptc: bytes) -> bytes:
    """An IPTC record as Photoshop's image resource, the form in which JPEG and PNG hold it."""
    return b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def photoshop_resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Image resources of a block, number and data, up to the first damaged one."""
    at = 0
    while block[at : at + 4] == b"8BIM" and at + 7 < len(block):
        number, name_length = struct.unpack_from(">HB", block, at + 4)
        at += 6 + (1 + name_length + 1) // 2 * 2
        if at + 4 > len(block):
            return
        size = struct.unpack_from(">I", block, at)[0]
        at += 4
        if at + size > len(block):
            return
        yield number, bytes(block[at : at + size])
        at += size + size % 2


def open_sound(path: Path, head: bytes, notes: list[str], chunks: list[PngChunk]) -> Image.Image:
    """Opens a file without damaged parts that its pixels do not need.

    Args:
        path: The file.
        head: First bytes of the file.
        notes: Receives one clause for each part that is left out.
        chunks: Receives the chunks of a PNG.
    """
    if not head.startswith(PNG_SIGNATURE):
        return open_image(path)
    with path.open("rb") as file:
        chunks += scan_png(file)
    if note := pixels_note(chunks):
        notes.append(note)
    if note := damage_note(chunks):
        notes.append(note)
        return open_image(repaired_png(path), formats=("PNG",))
    try:
        return open_image(path, formats=("PNG",))
    except ValueError:  # Its texts exceed Pillow's limit.
        return open_image(repaired_png(path), formats=("PNG",))


def image_extras(image: Image.Image, chunks: Sequence[PngChunk], notes: list[str]) -> dict[str, Any]:
    """Comment, IPTC record and texts of a loaded image, and an EXIF block that is stored as text.

    Args:
        image: A loaded image of any format but TIFF.
        chunks: The chunks, for a PNG.
        notes: Receives one clause for each thing that cannot be kept.
    """
    if chunks:
        return png_extras(chunks, notes)
    if image.format in ("JPEG", "MPO"):
        return jpeg_extras(image, notes)
    comment = image.info.get("comment")
    return {"comment": comment.encode() if isinstance(comment, str) else comment or None}


def jpeg_extras(image: Image.Image, notes: list[str]) -> dict[str, Any]:
    """Comment and IPTC record of a loaded JPEG; other data in its segments is noted."""
    segments = getattr(image, "applist", [])
    comments = [data for name, data in segments if name == "COM" and data.strip(b"\0 ")]
    blocks = [data for name, data in segments if name == "APP13" and data.startswith(PHOTOSHOP_MARKER)]
    resources = list(photoshop_resources(b"".join(block[len(PHOTOSHOP_MARKER) :] for block in blocks)))
    if any(number in _PATH_RESOURCES for number, _ in resources):
        notes.append("its clipping paths were left out")
    if any(name == "APP11" and data[:2] == b"JP" for name, data in segments):
        notes.append("its content credentials (C2PA) apply to the original and were left out")
    if any(name == "APP1" and data.startswith(_EXTENDED_XMP) for name, data in segments):
        notes.append("the extended part of its XMP packet was left out")
    iptc = b"".join(data for number, data in resources if number == _IPTC_RESOURCE)
    return {"comment": b"\n".join(comments) or None, "iptc": iptc or None}


def tiff_extras(tags: TagFile, notes: list[str]) -> dict[str, Any]:
    """IPTC record of a TIFF; tags of unknown meaning are noted."""
    iptc = tags.entries[IPTC].data if IPTC in tags.entries else b""
    if not iptc and PHOTOSHOP in tags.entries:
        resources = photoshop_resources(tags.entries[PHOTOSHOP].data)
        iptc = b"".join(data for number, data in resources if number == _IPTC_RESOURCE)
    if unknown := unknown_tags(tags):
        names = ", ".join(map(str, unknown[:8])) + (", ..." if len(unknown) > 8 else "")
        tag = "tags" if len(unknown) > 1 else "tag"
        notes.append(f"its {tag} {names} may not hold for the result and {'were' if unknown[1:] else 'was'} left out")
    # Photoshop wrote the record as 32-bit numbers, padded with zeros.
    return {"iptc": iptc.rstrip(b"\0") or None}


def png_extras(chunks: Sequence[PngChunk], notes: list[str]) -> dict[str, Any]:
    """Texts and IPTC record of a PNG; other chunks are noted."""
    sound = [chunk for chunk in chunks if chunk.is_sound]
    texts, profiles = [], {}
    for chunk in sound:
        if chunk.name in TEXT_CHUNKS and chunk.data.startswith(RAW_PROFILE):
            profiles[text_keyword(chunk.data)[len(RAW_PROFILE) :]] = _raw_profile(chunk)
        elif chunk.name in TEXT_CHUNKS and not chunk.data.startswith(XMP_KEYWORD):
            texts.append((chunk.name, chunk.data))
    has_profile = any(chunk.name == b"iCCP" for chunk in sound)
    lost = dict.fromkeys(chunk.name.decode("ascii") for chunk in sound if _is_lost(chunk, has_profile))
    if "caBX" in lost:
        del lost["caBX"]
        notes.append("its content credentials (C2PA) apply to the original and were left out")
    if lost:
        plural = len(lost) > 1
        notes.append(f"its chunk{'s' * plural} {', '.join(lost)} {'were' if plural else 'was'} left out")
    exif = profiles.get("exif") or profiles.get("APP1")
    return {"texts": tuple(texts), "iptc": _iptc_of(profiles), "exif": exif}


def _is_lost(chunk: PngChunk, has_profile: bool) -> bool:
    if chunk.name == b"cHRM":
        return not has_profile and chunk.data != _SRGB_PRIMARIES
    return chunk.is_ancillary and chunk.name not in _HANDLED_CHUNKS


def _iptc_of(profiles: dict[str, bytes]) -> bytes | None:
    block = profiles.get("iptc") or profiles.get("8bim") or b""
    if block[:1] == b"\x1c":
        return block
    block = block.removeprefix(PHOTOSHOP_MARKER)
    return b"".join(data for number, data in photoshop_resources(block) if number == _IPTC_RESOURCE) or None


def _raw_profile(chunk: PngChunk) -> bytes:
    """Bytes that ImageMagick and others write as text: a name, a count and hexadecimal digits."""
    text = chunk.data.partition(b"\0")[2]
    try:
        if chunk.name == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MAX_PROFILE_BYTES)
        digits = _HEX_PROFILE.match(text)
        return binascii.unhexlify(b"".join(digits[1].split())) if digits else b""
    except (zlib.error, ValueError):
        return b""


def text_keyword(data: bytes) -> str:
    """The keyword of a text chunk."""
    return data.partition(b"\0")[0].decode("latin-1")


def comment_of_texts(texts: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The text of a PNG with the keyword `Comment`, encoded as in a JPEG."""
    for name, data in texts:
        keyword, _, text = data.partition(b"\0")
        if keyword == _COMMENT and name == b"tEXt":
            return text.decode("latin-1").encode()
        if keyword == _COMMENT and name == b"iTXt" and text[:1] == b"\0":
            return text[2:].split(b"\0", 2)[-1]
    return None


def text_chunks(comment: bytes | None, iptc: bytes | None) -> list[tuple[bytes, bytes]]:
    """A comment and an IPTC record as the PNG text chunks that other programs look for."""
    chunks = []
    if comment:
        chunks.append((b"iTXt", _COMMENT + bytes(5) + _as_utf8(comment)))
    if iptc:
        block = photoshop_block(iptc)
        digits = block.hex().encode()
        lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
        text = b"\niptc\n%8d\n%s\n" % (len(block), lines)
        chunks.append((b"zTXt", RAW_PROFILE + b"iptc\0\0" + zlib.compress(text, 9)))
    return chunks


def _as_utf8(text: bytes) -> bytes:
    text = text.replace(b"\0", b"")
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1").encode()
    return text
