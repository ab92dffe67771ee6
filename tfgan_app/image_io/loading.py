"""Faithful reading and atomic writing of RGB images.

No TensorFlow here. An image in memory is upright RGB: `uint8 [height, width, 3]`.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tfgan_app.files import atomic_path, check_regular, printable
from tfgan_app.image_io import DecodedImage, read_image
from tfgan_app.image_io.decoded_image import MAX_PIXELS
from tfgan_app.image_io.deep import TiffPage, is_tiff
from tfgan_app.image_io.embedded import open_sound
from tfgan_app.image_io.file_tree import walk_tree
from tfgan_app.image_io.heif import HEIF_SUFFIXES, can_read_heif
from tfgan_app.image_io.opening import open_image
from tfgan_app.image_io.orientation import FIRST_SIDEWAYS, UPRIGHT, exif_orientation
from tfgan_app.image_io.png_chunks import PngChunk
from tfgan_app.image_io.reading import read_failure, tiff_orientation
from tfgan_app.image_io.value_range import InputRange
from tfgan_app.image_io.writing import to_eight_bits

IMAGE_SUFFIXES = frozenset(
    {
        *(
            ".png",
            ".jpg",
            ".jpeg",
            ".jpe",
            ".jfif",
            ".bmp",
            ".dib",
            ".gif",
            ".tif",
            ".tiff",
            ".webp",
            ".avif",
        ),
        *(".apng", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
        *(HEIF_SUFFIXES if can_read_heif() else ()),
    }
)
"""Lower-case suffixes of the files that `find_images` finds."""

WRITABLE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})
"""Lower-case suffixes that `write_image` can write without reducing the number of colors."""

# The stricter bound above reports this in one line and as an error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_HEAD_BYTES = 16


@dataclass(frozen=True)
class ImageHeader:
    """Properties of an image file that are known before its pixels are decoded.

    Attributes:
        width: Displayed width in pixels, after `orientation` is applied.
        height: Displayed height in pixels.
        mode: Pillow's name of the pixel format, such as `"RGB"`, `"P"` or `"I;16"`.
        format: Pillow's name of the file format, such as `"JPEG"`.
        orientation: EXIF orientation that a reader still has to apply, 1 (upright) to 8.
        plain: Whether TensorFlow decodes the same image as `read_rgb`, with
            `tf.io.decode_png(data, channels=3)` or
            `tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")`.
    """

    width: int
    height: int
    mode: str
    format: str
    orientation: int
    plain: bool


def read_rgb(
    path: str | os.PathLike,
    *,
    background: tuple[int, int, int] = (255, 255, 255),
    max_pixels: int = MAX_PIXELS,
    input_range: InputRange | None = None,
) -> np.ndarray:
    """Reads the first frame of an image in any supported format.

    EXIF orientation is applied. Transparency is composited on `background`. Values of more than 8 bits are rounded to
    8; floats, signed integers and 32-bit integers use the range that `image_io.value_range` chooses. CMYK, palette
    and gray become RGB. Embedded color profiles are not applied, except to CMYK.

    Args:
        path: The file; its content determines the format, not its suffix.
        background: Color behind transparent pixels.
        max_pixels: Images with more pixels are rejected before decoding.
        input_range: User-chosen values of black and white, for files of more than 8 bits.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: If the file is missing, empty, too large or not a readable image. One line that names it.
    """
    return flattened(read_image(path, max_pixels=max_pixels, input_range=input_range), background)


def image_header(path: str | os.PathLike) -> ImageHeader:
    """Reads size and kind of an image without decoding its pixels.

    Args:
        path: The file.

    Returns:
        An `ImageHeader`. Oversized images have one too, unless they exceed Pillow's own limit (twice
        `PIL.Image.MAX_IMAGE_PIXELS`).

    Raises:
        ValueError: If the file is missing, empty or not an image. One line that names it.
    """
    path = Path(path)
    try:
        check_regular(path)
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if not head:
            raise ValueError("the file is empty")
        header = _tiff_header(path) if is_tiff(head) else _header(path, head)
        if min(header.width, header.height) < 1:
            raise ValueError(f"it is {header.width} x {header.height} pixels")
        return header
    except Exception as error:  # Parsers fail on hostile bytes with almost any exception type.
        raise ValueError(f"Cannot read the image '{printable(path)}': {read_failure(error)}") from error


def find_images(folder: str | os.PathLike, *, suffixes: Set[str] = IMAGE_SUFFIXES) -> list[Path]:
    """Finds the images in a folder and its subfolders by suffix, ignoring case.

    Args:
        folder: The root folder of `tfgan_app.image_io.file_tree.walk_tree`.
        suffixes: Lower-case suffixes of the files that are wanted.

    Returns:
        Paths that start with `folder`, sorted by their place in it. Broken links, pipes and devices with the name of
        an image are among them: reading one reports it.
    """
    return [path for path in walk_tree(folder).files if path.suffix.lower() in suffixes]


def is_image(path: Path) -> bool:
    """Returns whether a file counts as an image, by its suffix."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def write_image(path: str | os.PathLike, rgb: np.ndarray, *, quality: int = 95) -> None:
    """Writes an image in the format that its suffix names, creating missing folders.

    The file is written beside its destination and renamed into place, so a reader never sees a partial image.

    Args:
        path: Destination; its suffix is one of `WRITABLE_SUFFIXES`.
        rgb: uint8 [height, width, 3].
        quality: 1 to 100, for JPEG and WebP. JPEG color is not subsampled.

    Raises:
        ValueError: If the suffix is not writable or `rgb` is not a uint8 RGB image.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        known = ", ".join(sorted(WRITABLE_SUFFIXES))
        raise ValueError(f"The suffix of an image to write must be one of {known}. Received: '{printable(path)}'")
    image = _as_image(rgb)
    options = {"JPEG": {"quality": quality, "subsampling": 0}, "WEBP": {"quality": quality}}
    file_format = Image.registered_extensions()[suffix]
    with atomic_path(path) as unfinished:
        image.save(unfinished, format=file_format, **options.get(file_format, {}))


def encode_png(rgb: np.ndarray) -> bytes:
    """Encodes uint8 [height, width, 3] as the bytes of a PNG file."""
    buffer = io.BytesIO()
    _as_image(rgb).save(buffer, format="PNG")
    return buffer.getvalue()


def _header(path: Path, head: bytes) -> ImageHeader:
    """Header of a file that is not a TIFF."""
    chunks: list[PngChunk] = []
    with open_sound(path, head, [], chunks) as image:
        orientation = _orientation(image, chunks)
        width, height = image.size[::-1] if orientation >= FIRST_SIDEWAYS else image.size
        plain = orientation == UPRIGHT and _is_plain(image)
        return ImageHeader(width, height, image.mode, image.format or "", orientation, plain)


def _tiff_header(path: Path) -> ImageHeader:
    """Header of a TIFF file, read by the decoder of its pixels."""
    with TiffPage(path) as page:
        if page.is_plain and page.bits:
            sideways = tiff_orientation(path) >= FIRST_SIDEWAYS
            width, height = page.size[::-1] if sideways else page.size
            return ImageHeader(width, height, page.mode, "TIFF", UPRIGHT, False)
    with open_image(path, formats=("TIFF",)) as image:
        return ImageHeader(*image.size, image.mode, "TIFF", UPRIGHT, False)


def _orientation(image: Image.Image, chunks: Sequence[PngChunk]) -> int:
    """EXIF orientation of an opened image that is not a TIFF, 1 to 8."""
    exif = next((chunk.data for chunk in chunks if chunk.name == b"eXIf" and chunk.is_sound), b"")
    if exif and "exif" not in image.info:  # Behind the pixels; Pillow would decode them all to find it.
        image.info["exif"] = exif
    return exif_orientation(image)


def _is_plain(image: Image.Image) -> bool:
    """Returns whether the opened, not yet loaded file is an 8-bit RGB or gray JPEG or PNG without transparency."""
    if image.mode not in ("RGB", "L") or "transparency" in image.info:
        return False
    if image.format == "PNG":  # The raw mode distinguishes other bit depths: "RGB;16B", "L;4".
        tiles: Any = getattr(image, "tile", ())
        return bool(tiles) and tiles[0][3] == image.mode
    return image.format == "JPEG"


def flattened(image: DecodedImage, background: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """Composites an image of 8 or 16 bits on a color: uint8 [height, width, 3]."""
    pixels = to_eight_bits(image.pixels)
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    if image.alpha is None:
        return rgb
    # At most 255 * 255, which fits 16 bits.
    alpha = to_eight_bits(image.alpha).astype(np.uint16)[..., None]
    blended = rgb * alpha + np.array(background, np.uint16) * (255 - alpha)
    return ((blended + 127) // 255).astype(np.uint8)


def _as_image(rgb: np.ndarray) -> Image.Image:
    rgb = np.asarray(rgb)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"An image must be uint8 [height, width, 3]. Received: {rgb.dtype} {list(rgb.shape)}")
    return Image.fromarray(np.ascontiguousarray(rgb))
