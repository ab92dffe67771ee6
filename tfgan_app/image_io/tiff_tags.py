"""TIFF tags of geographic images (GeoTIFF, GDAL), and descriptions that depend on the file's layout."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import replace

from tfgan_app.image_io.directories import DESCRIPTIVE_TAGS, Entry, TagFile

IMAGE_DESCRIPTION = 270
PHOTOSHOP, IPTC = 34377, 33723

GEO_NAMES = {
    "the georeference (GeoTIFF)": (33550, 33922, 34264, 34735, 34736, 34737, 50844),
    "the GDAL metadata": (42112, 42113),
}
"""Groups of tags by their name in notes."""

_PIXEL_SCALE, _TIE_POINTS, _TRANSFORMATION, _GEO_KEYS, _RPC = 33550, 33922, 34264, 34735, 50844
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
_GEO_TAGS = frozenset(tag for tags in GEO_NAMES.values() for tag in tags)
_RASTER_TYPE_KEY, _PIXEL_IS_POINT = 1025, 2
_STATISTICS = re.compile(rb"[ \t]*<Item\b[^>]*\bname=\"STATISTICS_[^>]*>[^<]*</Item>\r?\n?")
_SIZES_OF_NUMBERS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

# How pixels and other pages are stored, and tags that are read elsewhere.
_HANDLED = DESCRIPTIVE_TAGS | {
    *range(254, 270),
    *(273, 274, *range(277, 285), *range(288, 298), 317, *range(320, 326), *range(330, 348)),
    *(512, 513, 514, 515, *range(517, 522), 529, 530, 531, 532, 559, 700, 32781, 32995, 32996, 32997, 32998),
    *(IPTC, PHOTOSHOP, 34675, *_GEO_TAGS),
}

_LAYOUTS = (
    ("ImageJ", re.compile(rb"ImageJ=")),
    ("tifffile", re.compile(rb'\{.*"shape":|shape=\(', re.DOTALL)),
    ("OME-XML", re.compile(rb".*<(\w+:)?OME[\s>]", re.DOTALL)),
    ("SCIFIO", re.compile(rb"SCIFIO=")),
    ("Aperio", re.compile(rb"Aperio ")),
    ("Leica SCN", re.compile(rb".*<scn[\s>]", re.DOTALL)),
    ("Philips", re.compile(rb".*<DataObject[\s>].*DPUfsImport", re.DOTALL)),
    ("PerkinElmer", re.compile(rb".*<PerkinElmer-QPI-ImageDescription", re.DOTALL)),
    ("MetaMorph", re.compile(rb".*<MetaData>.*PlaneInfo", re.DOTALL)),
    ("ScanImage", re.compile(rb"(state\.|SI\.|scanimage\.SI)")),
)
_HEAD_BYTES = 4096
"""Length of a description's beginning that is searched, to bound the regular expressions."""


def layout_of_description(description: bytes) -> str | None:
    """Name of the software whose ImageDescription describes the page layout; None for a user's text.

    Such a description is wrong for a rewritten file, and readers that trust it fail.
    """
    head = description[:_HEAD_BYTES].lstrip()
    return next((name for name, pattern in _LAYOUTS if pattern.match(head)), None)


def in_order(entry: Entry, order: str, wanted: str) -> Entry:
    """Converts an entry, and those below it, to another byte order, `"<"` or `">"`."""
    if entry.children is not None:
        children = {tag: in_order(child, order, wanted) for tag, child in entry.children.items()}
        return replace(entry, children=children)
    size = _SIZES_OF_NUMBERS.get(entry.type, 1)
    if order == wanted or size == 1:
        return entry
    data = entry.data
    swapped = b"".join(data[at : at + size][::-1] for at in range(0, len(data), size))
    return replace(entry, data=swapped)


def geo_tags(tags: TagFile, *, is_upright: bool, keeps_values: bool, notes: list[str]) -> dict[int, Entry]:
    """Extracts the GeoTIFF and GDAL tags of an image.

    Args:
        tags: Tags of the file.
        is_upright: Whether the pixels were not rotated: the tags refer to rows and columns as stored.
        keeps_values: Whether the pixel values are those of the file, which the "no data" value refers to.
        notes: Receives one clause for each thing that could not be kept.

    Returns:
        The entries by tag, in little-endian order.
    """
    found = {tag: in_order(entry, tags.order, "<") for tag, entry in tags.entries.items() if tag in _GEO_TAGS}
    placed = found.keys() - {_GDAL_NODATA}
    if placed and not is_upright:
        name = "GDAL metadata" if placed == {_GDAL_METADATA} else "georeference"
        notes.append(f"its {name} describes the image before it was rotated and was left out")
        found = {tag: entry for tag, entry in found.items() if tag not in placed}
    if _GDAL_METADATA in found:
        text = found[_GDAL_METADATA]
        found[_GDAL_METADATA] = replace(text, data=_STATISTICS.sub(b"", text.data))
    if _GDAL_NODATA in found and not keeps_values:
        del found[_GDAL_NODATA]
        notes.append('its value for "no data" does not fit the values of the result and was left out')
    return found


def scaled_geo_tags(entries: Mapping[int, Entry], *, x: float, y: float) -> dict[int, Entry]:
    """Scales the tags to an image with `x` times as many columns and `y` times as many rows.

    Pixel sizes shrink, and tie points move with the pixels. In rasters of points (GTRasterType 2) and in rational
    polynomials, whole numbers are pixel centers; elsewhere they are corners.

    Args:
        entries: The result of `geo_tags`.
        x: Ratio of the result's columns to the original's.
        y: Ratio of the result's rows to the original's.
    """
    point = _is_of_points(entries.get(_GEO_KEYS))
    changes = {
        _PIXEL_SCALE: lambda values: [values[0] / x, values[1] / y, *values[2:]],
        _TIE_POINTS: lambda values: _scaled_points(values, x, y, point),
        _TRANSFORMATION: lambda values: _scaled_matrix(values, x, y, point),
        _RPC: lambda values: _scaled_polynomials(values, x, y),
    }
    least = {_PIXEL_SCALE: 2, _TIE_POINTS: 6, _TRANSFORMATION: 16, _RPC: 9}
    result = dict(entries)
    for tag, change in changes.items():
        entry = entries.get(tag)
        if entry is not None and entry.type == _DOUBLE and len(entry.data) >= 8 * least[tag]:
            values = change(struct.unpack(f"<{len(entry.data) // 8}d", entry.data))
            result[tag] = replace(entry, data=struct.pack(f"<{len(values)}d", *values))
    return result


_DOUBLE = 12


def _is_of_points(keys: Entry | None) -> bool:
    if keys is None or keys.type != 3:
        return False
    values = keys.integers("<")
    rows = zip(values[4::4], values[5::4], values[7::4], strict=False)
    return (_RASTER_TYPE_KEY, 0, _PIXEL_IS_POINT) in rows


def _moved(position: float, factor: float, is_center: bool) -> float:
    """New position of a column or row."""
    return factor * position + (factor - 1) / 2 * is_center


def _scaled_points(values: tuple[float, ...], x: float, y: float, point: bool) -> list[float]:
    result = list(values)
    for at in range(0, len(values) - 5, 6):
        result[at], result[at + 1] = _moved(values[at], x, point), _moved(values[at + 1], y, point)
    return result


def _scaled_matrix(values: tuple[float, ...], x: float, y: float, point: bool) -> list[float]:
    """The four-row matrix with positions first mapped back to the original."""
    result = list(values)
    for at in range(0, 12, 4):
        a, b, _, d = values[at : at + 4]
        result[at], result[at + 1] = a / x, b / y
        result[at + 3] = d + (a * (1 / x - 1) + b * (1 / y - 1)) / 2 * point
    return result


def _scaled_polynomials(values: tuple[float, ...], x: float, y: float) -> list[float]:
    """Offset and scale of lines (2 and 7) and samples (3 and 8) of RPCCoefficientTag."""
    result = list(values)
    result[2], result[3] = _moved(values[2], y, True), _moved(values[3], x, True)
    result[7], result[8] = values[7] * y, values[8] * x
    return result


def unknown_tags(tags: TagFile) -> list[int]:
    """Tags whose meaning for another image is unknown, sorted."""
    return sorted(tags.entries.keys() - _HANDLED)
