"""The image formats that can be written, and the metadata that each of them holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.directories import format_tag_file, parse_tag_file
from tfgan_app.image_io.embedded import (
    MAX_SEGMENT_BYTES,
    PHOTOSHOP_MARKER,
    comment_of_texts,
    photoshop_block,
    text_keyword,
)
from tfgan_app.image_io.metadata import resized_exif, without_layout_description
from tfgan_app.image_io.png_stream import MAX_SIDE
from tfgan_app.image_io.tiff_tags import GEO_NAMES, scaled_geo_tags


@dataclass(frozen=True)
class ImageFormat:
    """Capabilities of an image format.

    Attributes:
        name: Pillow's name of the format.
        max_side: Largest width and height in pixels.
        alpha: Whether the format supports transparency.
        deep: Whether the format supports 16 bits per channel.
        metadata: Attributes of `ImageMetadata` that the format supports.
    """

    name: str
    max_side: int = MAX_SIDE
    alpha: bool = False
    deep: bool = False
    metadata: frozenset[str] = frozenset()


_COMMON = frozenset({"icc_profile", "exif", "xmp", "dpi"})
_JPEG = ImageFormat("JPEG", max_side=65500, metadata=_COMMON | {"comment", "iptc"})
_TIFF = ImageFormat("TIFF", alpha=True, deep=True, metadata=_COMMON | {"iptc", "geo"})
IMAGE_FORMATS = {
    ".png": ImageFormat("PNG", alpha=True, deep=True, metadata=_COMMON | {"comment", "iptc", "texts"}),
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), _JPEG),
    ".webp": ImageFormat("WEBP", max_side=16383, alpha=True, metadata=_COMMON - {"dpi"}),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".bmp": ImageFormat("BMP", metadata=frozenset({"dpi"})),
    ".ppm": ImageFormat("PPM", deep=True),
}
"""Writable formats by lower-case suffix. libjpeg itself stops at 65,500 pixels a side."""

_MAX_BYTES_IN_JPEG = {
    "exif": MAX_SEGMENT_BYTES - len(b"Exif\0\0"),
    "xmp": MAX_SEGMENT_BYTES - len(b"http://ns.adobe.com/xap/1.0/\0"),
    "comment": MAX_SEGMENT_BYTES,
    "iptc": MAX_SEGMENT_BYTES - len(PHOTOSHOP_MARKER) - len(photoshop_block(b"")) - 1,
}
"""Capacity of one marker segment of a JPEG file in bytes."""


def _geo_names(geo: Mapping[int, Any]) -> list[str]:
    return [name for name, tags in GEO_NAMES.items() if geo.keys() & set(tags)]


def _text_names(texts: tuple[tuple[bytes, bytes], ...]) -> list[str]:
    keywords = dict.fromkeys(text_keyword(data) for _, data in texts)
    shown = ", ".join(f"'{keyword}'" for keyword in [*keywords][:_SHOWN_TEXTS])
    return [f"the text{'s' * (len(keywords) > 1)} {shown}{', ...' * (len(keywords) > _SHOWN_TEXTS)}"]


_SHOWN_TEXTS = 5
_NAMES: dict[str, Callable[[Any], list[str]]] = {
    "icc_profile": lambda _: ["the color profile"],
    "exif": lambda _: ["the EXIF block"],
    "xmp": lambda _: ["the XMP packet"],
    "dpi": lambda _: ["the resolution"],
    "comment": lambda _: ["the comment"],
    "iptc": lambda _: ["the IPTC record"],
    "texts": _text_names,
    "geo": _geo_names,
}


def fitting_metadata(
    metadata: ImageMetadata, image_format: ImageFormat, *, height: int, width: int, notes: list[str]
) -> ImageMetadata:
    """Adapts metadata to an image of another size, and drops what its format cannot hold.

    Args:
        metadata: Metadata of the source image.
        image_format: Format of the file to write.
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        notes: Receives one clause for each thing that is dropped.
    """
    kept = {field.name: getattr(metadata, field.name) for field in dataclasses.fields(metadata)}
    size = kept.pop("size")
    if kept["exif"]:
        kept["exif"] = _fitting_exif(kept["exif"], image_format, height=height, width=width, notes=notes)
    if kept["geo"] and size:
        kept["geo"] = scaled_geo_tags(kept["geo"], x=width / size[1], y=height / size[0])
    if kept["texts"] and "texts" not in image_format.metadata and "comment" in image_format.metadata:
        kept["comment"] = kept["comment"] or comment_of_texts(kept["texts"])
        if kept["comment"]:
            kept["texts"] = tuple(it for it in kept["texts"] if text_keyword(it[1]) != "Comment")
    empty = ImageMetadata()
    for name, value in kept.items():
        too_long = image_format.name == "JPEG" and value and len(value) > _MAX_BYTES_IN_JPEG.get(name, len(value))
        if value and (too_long or name not in image_format.metadata):
            reason = "is too long for" if too_long else "has no place in"
            notes.extend(
                f"{lost} {_plural(reason, lost)} {image_format.name} and {_plural('was', lost)} left out"
                for lost in _NAMES[name](value)
            )
            kept[name] = getattr(empty, name)
    return ImageMetadata(**kept, size=(height, width))


def _plural(verb: str, name: str) -> str:
    if not name.startswith("the texts"):
        return verb
    return {"was": "were"}.get(verb, verb.replace("has ", "have ").replace("is ", "are "))


def _fitting_exif(exif: bytes, image_format: ImageFormat, *, height: int, width: int, notes: list[str]) -> bytes | None:
    """The block with the new size; for a TIFF without a description that would mislead its readers."""
    exif = resized_exif(exif, height=height, width=width)
    if image_format.name != "TIFF":
        return exif
    tags = parse_tag_file(exif)
    entries = without_layout_description(tags.entries, notes)
    return exif if len(entries) == len(tags.entries) else format_tag_file(entries, tags.order)
