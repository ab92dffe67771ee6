"""Reading of images of any kind with full bit depth, transparency and metadata."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tfgan_app.files import check_regular, printable
from tfgan_app.image_io import deep
from tfgan_app.image_io.color import split_channels
from tfgan_app.image_io.decoded_image import MAX_PIXELS, DecodedImage, ImageMetadata, apply_orientation
from tfgan_app.image_io.directories import ORIENTATION, Entry, TagFile, parse_tag_file
from tfgan_app.image_io.embedded import image_extras, open_sound, tiff_extras
from tfgan_app.image_io.metadata import exif_of_tiff, profile_color_space, upright_exif, upright_xmp
from tfgan_app.image_io.opening import open_image
from tfgan_app.image_io.orientation import UPRIGHT
from tfgan_app.image_io.png_chunks import PngChunk, png_header
from tfgan_app.image_io.tiff_tags import geo_tags
from tfgan_app.image_io.value_range import InputRange

_HEAD_BYTES = 2**14
_ICC_TAG, _XMP_TAG, _X_RESOLUTION_TAG, _Y_RESOLUTION_TAG, _UNIT_TAG = 34675, 700, 282, 283, 296
_UNITS_PER_INCH = {2: 1.0, 3: 2.54}

# Pillow warns of damaged metadata; the pixels are readable all the same.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def read_image(
    path: str | os.PathLike,
    *,
    page: int | None = None,
    max_pixels: int = MAX_PIXELS,
    input_range: InputRange | None = None,
) -> DecodedImage:
    """Reads the first frame of an image file with its metadata.

    Gray stays gray, 16 bits stay 16 bits, and color values are not changed: their profile is kept beside them.
    Palettes become RGB, 1 bit becomes 8-bit gray, CMYK and CIELAB become sRGB. Floats, signed integers and 32-bit
    integers become 16 bits, over the range that `value_range` chooses. EXIF orientation is applied, once.

    Args:
        path: The file; its content determines the format, not its suffix.
        page: Index of the page of a TIFF, from 0; None for the first, with a note if there are others.
        max_pixels: Images with more pixels are rejected before decoding. Pillow's own limit of twice
            `PIL.Image.MAX_IMAGE_PIXELS` (179 megapixels) also applies to most formats.
        input_range: Values of black and white in files of more than 8 bits; by default those that `value_range`
            chooses.

    Returns:
        A `DecodedImage`; its notes name what could not be kept, and the range that was used.

    Raises:
        ValueError: If the file is missing, empty, too large or not a readable image. One line that names it.
    """
    path = Path(path)
    try:
        check_regular(path)
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if not head:
            raise ValueError("the file is empty")
        if deep.is_tiff(head):
            return _read_tiff(path, page, max_pixels, input_range)
        return _read_other(path, head, max_pixels, input_range)
    except Exception as error:  # Decoders fail on hostile bytes with almost any exception type.
        raise ValueError(f"Cannot read the image '{printable(path)}': {read_failure(error, max_pixels)}") from error


def _read_other(path: Path, head: bytes, max_pixels: int, input_range: InputRange | None) -> DecodedImage:
    notes: list[str] = []
    chunks: list[PngChunk] = []
    with open_sound(path, head, notes, chunks) as image:
        _check_size(image, max_pixels)
        notes += _frame_notes(image)
        image.load()  # Deep files too: Pillow checks them a second time, and finds the metadata behind the pixels.
        pixels, alpha = _decode(path, image, head, notes, input_range)
        metadata, orientation = _all_metadata(image, chunks, notes, channels=pixels.shape[2])
    alpha = None if alpha is None else apply_orientation(alpha, orientation)
    return DecodedImage(apply_orientation(pixels, orientation), alpha, metadata, tuple(notes))


def open_still(
    path: str | os.PathLike, notes: list[str]
) -> tuple[Image.Image, Callable[[], tuple[ImageMetadata, int]]]:
    """Opens a file of a format other than TIFF without decoding it.

    Args:
        path: The file.
        notes: Receives one clause for each thing that cannot be kept.

    Returns:
        The image, for the caller to close, and a function that returns its metadata and EXIF orientation.

    Raises:
        OSError, ValueError, SyntaxError: If it cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    chunks: list[PngChunk] = []
    image = open_sound(Path(path), head, notes, chunks)
    return image, lambda: _all_metadata(image, chunks, notes, channels=3)


def _decode(
    path: Path, image: Image.Image, head: bytes, notes: list[str], input_range: InputRange | None
) -> tuple[np.ndarray, np.ndarray | None]:
    png, ppm = png_header(head), deep.deep_ppm_header(head)
    key = image.info.get("transparency")
    if ppm:
        return deep.read_deep_ppm(path, ppm, notes, input_range), None
    if png and png.bit_depth == 16:
        return deep.read_deep_png(path, key, notes, input_range)
    if png and png.color_type == 0 and png.bit_depth in (2, 4) and isinstance(key, int):
        # Pillow scales gray values to 0..255, but not the transparent one.
        image.info["transparency"] = key * 255 // (2**png.bit_depth - 1)
    bits = max(deep.coded_bits(head, image.format), image.info.get("bit_depth") or 8)  # `bit_depth` is set for HEIC.
    if bits > 8 and not image.mode.startswith("I"):
        notes.append(f"{bits} bits per channel were reduced to 8")
    if abs(image.info.get("gamma", 1 / 2.2) - 1 / 2.2) > 0.02 and "icc_profile" not in image.info:
        notes.append("its gamma value cannot be kept and was left out")
    return split_channels(image, notes, input_range)


def _read_tiff(path: Path, index: int | None, max_pixels: int, input_range: InputRange | None) -> DecodedImage:
    """Reads a TIFF: tifffile decodes gray and RGB, since Pillow reduces 16 bits to 8 and loses planar alpha."""
    notes: list[str] = []
    with deep.TiffPage(path, index) as page:
        page.check_size(max_pixels)
        tags = _tiff_tags(path, notes, offset=page.offset if index else None)
        orientation = _tiff_orientation(tags)
        if len(page.pages) > 1:
            notes.append(f"only the first of {len(page.pages)} pages was read")
        if page.has_mask:
            notes.append("its mask, a separate page, was left out")
        if page.has_copies:
            notes.append("its smaller copies, separate pages, were left out")
        keeps_values = page.keeps_values and input_range is None
        if page.is_plain and page.bits >= 8:
            pixels, alpha = page.read(notes, input_range)
            pixels, alpha = (
                apply_orientation(pixels, orientation),
                None if alpha is None else apply_orientation(alpha, orientation),
            )
        else:
            with open_image(path, formats=("TIFF",)) as image:
                image.seek(index or 0)
                image.load()  # Applies the orientation too.
                pixels, alpha = split_channels(image, notes, input_range)
            if page.bits > 8:
                notes.append(f"{page.bits} bits per channel were reduced to 8")
    metadata = _tiff_metadata(tags, orientation, notes)
    metadata["geo"] = geo_tags(tags, is_upright=orientation == UPRIGHT, keeps_values=keeps_values, notes=notes)
    metadata |= {"size": pixels.shape[:2], **tiff_extras(tags, notes)}
    metadata["icc_profile"] = _fitting_profile(metadata["icc_profile"], pixels.shape[2], notes)
    return DecodedImage(pixels, alpha, ImageMetadata(**metadata), tuple(notes))


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if min(width, height) < 1 or width * height > max_pixels:
        raise ValueError(deep.size_reason(width, height, max_pixels))


def _frame_notes(image: Image.Image) -> list[str]:
    try:
        frames = getattr(image, "n_frames", 1)
    except Exception:  # Damage behind the first frame.
        return ["only the first frame was read"]
    return [f"only the first of {frames} frames was read"] if frames > 1 else []


def _orientation(image: Image.Image) -> int:
    """EXIF orientation of a loaded image, 1 to 8; 1 where the tag is missing or damaged."""
    try:
        orientation = image.getexif().get(ORIENTATION, UPRIGHT)
    except Exception:  # A damaged EXIF block is no reason to reject the pixels.
        return UPRIGHT
    return orientation if orientation in range(1, 9) else UPRIGHT


def _all_metadata(
    image: Image.Image, chunks: list[PngChunk], notes: list[str], *, channels: int
) -> tuple[ImageMetadata, int]:
    orientation = _orientation(image)
    metadata = _metadata(image, orientation, notes)
    extras = image_extras(image, chunks, notes)
    exif = extras.pop("exif", None)
    if exif and not metadata["exif"]:
        metadata["exif"] = _upright_exif(exif, notes)
    metadata |= extras
    metadata["icc_profile"] = _fitting_profile(metadata["icc_profile"], channels, notes)
    return ImageMetadata(**metadata), orientation


def _metadata(image: Image.Image, orientation: int, notes: list[str]) -> dict:
    info = image.info
    exif, xmp = info.get("exif"), info.get("xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return {
        "icc_profile": info.get("icc_profile"),
        "exif": _upright_exif(exif, notes) if exif else None,
        "xmp": upright_xmp(xmp) if xmp else None,
        "dpi": _valid_dpi(info.get("dpi"), orientation),
    }


def _upright_exif(exif: bytes, notes: list[str]) -> bytes | None:
    try:
        return upright_exif(exif)
    except ValueError:
        notes.append("its EXIF block is damaged and was left out")
        return None


def _fitting_profile(profile: bytes | None, channels: int, notes: list[str]) -> bytes | None:
    """Returns the profile, unless it is for another color space than that of the pixels."""
    space = profile_color_space(profile or b"")
    if not profile or (space == "CMYK" and channels == 3):  # Already applied.
        return None
    if space == ("RGB" if channels == 3 else "GRAY"):
        return profile
    notes.append(f"its color profile is not for {'RGB' if channels == 3 else 'gray'} and was left out")
    return None


def _valid_dpi(dpi: Any, orientation: int) -> tuple[float, float] | None:
    """Horizontal and vertical resolution of the upright image."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and 0.1 <= value <= 1e5 for value in (x, y)):
        return None
    return (y, x) if orientation >= 5 else (x, y)


def _tiff_tags(path: Path, notes: list[str], *, offset: int | None) -> TagFile:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as block:
            return parse_tag_file(block, offset=offset)
    except ValueError:
        notes.append("its metadata is damaged and was left out")
        return TagFile("<")


def tiff_orientation(path: Path) -> int:
    """EXIF orientation of a TIFF file, 1 to 8; 1 where the tag is missing or damaged."""
    return _tiff_orientation(_tiff_tags(path, [], offset=None))


def tiff_geo_tags(path: Path, notes: list[str]) -> dict[int, Entry]:
    """GeoTIFF and GDAL tags of a TIFF whose values are kept as they are; see `geo_tags`."""
    tags = _tiff_tags(path, notes, offset=None)
    return geo_tags(tags, is_upright=_tiff_orientation(tags) == UPRIGHT, keeps_values=True, notes=notes)


def _tiff_orientation(tags: TagFile) -> int:
    with contextlib.suppress(KeyError):
        orientation = tags.entries[ORIENTATION].integers(tags.order)[0]
        return orientation if orientation in range(1, 9) else UPRIGHT
    return UPRIGHT


def _tiff_metadata(tags: TagFile, orientation: int, notes: list[str]) -> dict:
    entries = tags.entries
    exif = exif_of_tiff(tags, notes)
    return {
        "icc_profile": entries[_ICC_TAG].data if _ICC_TAG in entries else None,
        "exif": _upright_exif(exif, notes) if exif else None,
        "xmp": upright_xmp(entries[_XMP_TAG].data) if _XMP_TAG in entries else None,
        "dpi": _valid_dpi(_tiff_dpi(tags), orientation),
    }


def _tiff_dpi(tags: TagFile) -> tuple[float, float] | None:
    try:
        unit = tags.entries[_UNIT_TAG].integers(tags.order)[0] if _UNIT_TAG in tags.entries else 2
        ratios = [tags.entries[tag].integers(tags.order) for tag in (_X_RESOLUTION_TAG, _Y_RESOLUTION_TAG)]
        x, y = (above / below * _UNITS_PER_INCH[unit] for above, below in ratios)
        return x, y
    except (KeyError, ValueError, ZeroDivisionError):
        return None


def read_failure(error: Exception, max_pixels: int = MAX_PIXELS) -> str:
    """Reason why a file could not be read, in one line."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {max_pixels} pixels; scale it down or crop it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
