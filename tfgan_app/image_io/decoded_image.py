"""An image with all that its file holds: any bit depth, transparency, color profile, EXIF, XMP, resolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tfgan_app.image_io.directories import Entry

MAX_PIXELS = 2**26
"""Images with more pixels than this (67 megapixels, 200 MB decoded) are rejected before they are decoded."""

MAX_OUTPUT_PIXELS = 2**30
"""Larger results are rejected before anything is computed. Encoding a JPEG of this size takes 3 GB."""


@dataclass(frozen=True)
class ImageMetadata:
    """The metadata of an image file: everything besides its pixels.

    Attributes:
        icc_profile: The color profile of the pixels, byte for byte; None means sRGB.
        exif: The EXIF block, from its byte order mark on, with orientation 1 and without the preview.
        xmp: The XMP packet, with orientation 1.
        dpi: Pixels per inch, horizontally and vertically.
        comment: The comment of a JPEG or GIF.
        iptc: The IPTC-IIM record, byte for byte.
        texts: Name and data of the text chunks of a PNG (tEXt, zTXt, iTXt), unchanged.
        geo: GeoTIFF and GDAL tags of a TIFF in little-endian order, valid for an image of `size`.
        size: Height and width of the image that `geo` is valid for.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[bytes, bytes], ...] = ()
    geo: Mapping[int, Entry] = field(default_factory=dict)
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class DecodedImage:
    """An image in memory, upright.

    Attributes:
        pixels: uint8 or uint16 [height, width, 1 (gray) or 3 (RGB)], over the full range of its dtype, or float32
            in [0, 1], which no file holds. Straight color, not premultiplied by `alpha`.
        alpha: The same dtype [height, width], 0 is transparent; None where the image has no transparency.
        metadata: The file's metadata.
        notes: One clause for each thing that could not be kept.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        shape = list(self.pixels.shape)
        if (
            self.pixels.dtype not in (np.uint8, np.uint16, np.float32)
            or len(shape) != 3
            or shape[2] not in (1, 3)
            or 0 in shape
        ):
            expected = "uint8, uint16 or float32 [height, width, 1 or 3]"
            raise ValueError(f"`pixels` must be {expected}. Received: {self.pixels.dtype} {shape}")
        if self.alpha is not None and (self.alpha.dtype != self.pixels.dtype or list(self.alpha.shape) != shape[:2]):
            received = f"{self.alpha.dtype} {list(self.alpha.shape)}"
            raise ValueError(f"`alpha` must be {self.pixels.dtype} {shape[:2]} like `pixels`. Received: {received}")


def apply_orientation(array: np.ndarray, orientation: int) -> np.ndarray:
    """Rotates and flips [height, width, ...] according to an EXIF orientation.

    Args:
        array: The array as stored.
        orientation: 1 (upright already) to 8, as in EXIF 2.3.

    Returns:
        The upright array, contiguous.
    """
    array = array.swapaxes(0, 1) if orientation >= 5 else array
    array = array[::-1] if orientation in (3, 4, 7, 8) else array
    return np.ascontiguousarray(array[:, ::-1] if orientation in (2, 3, 6, 7) else array)
