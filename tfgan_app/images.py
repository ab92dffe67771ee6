"""Pictures in and out: faithful reading and atomic writing.

Everything here is numpy and Pillow. A picture in memory is upright RGB: `uint8 [height, width, 3]`.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_app.file_tree import walk_tree
from tfgan_app.files import atomic_path, check_regular, printable
from tfgan_app.heif import HEIF_SUFFIXES, can_read_heif, heif_formats

MAX_PIXELS = 2**26
"""Pictures with more pixels than this (67 megapixels, 200 MB decoded) are refused before they are decoded."""

PICTURE_SUFFIXES = frozenset(
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
        *(".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
        *(HEIF_SUFFIXES if can_read_heif() else ()),
    }
)
"""Lower-case suffixes of the files that `find_pictures` takes for pictures."""

WRITABLE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})
"""Lower-case suffixes that `write_picture` can write without reducing the number of colours."""

# Said by the stricter bound above, in one line and as an error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = 1
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class PictureHeader:
    """What a picture file says about itself before its pixels are decoded.

    Attributes:
        width: Width in pixels as displayed, that is after `orientation` is applied.
        height: Height in pixels as displayed.
        mode: Pillow's name of the pixel format, such as `"RGB"`, `"P"` or `"I;16"`.
        format: Pillow's name of the file format, such as `"JPEG"`.
        orientation: EXIF orientation that a reader still has to apply, 1 (upright) to 8.
        plain: Whether TensorFlow decodes the same picture as `read_rgb`, with
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
) -> np.ndarray:
    """Reads the first frame of a picture of any kind that Pillow opens.

    EXIF orientation is applied; transparency is composited on `background`; 16-bit and 32-bit integers are
    taken as 0..65535, floats as 0..1 (or as 0..255 where one exceeds 1); CMYK, palette and gray become RGB.
    Embedded colour profiles are not applied.

    Args:
        path: The file; its content decides the format, not its suffix.
        background: Colour behind transparent pixels.
        max_pixels: Refuse a picture with more pixels than this before decoding it.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: If the file is missing, empty, too large or no readable picture. One line that names it.
    """
    try:
        with _open(path, max_pixels) as image:
            orientation = _orientation(image)
            image.load()
            rgb = _to_rgb(image, background)
        if orientation in _TRANSPOSES:
            rgb = rgb.transpose(_TRANSPOSES[orientation])
        return np.array(rgb, dtype=np.uint8)
    except Exception as error:  # Decoders fail on hostile bytes with almost any exception type.
        raise _unreadable(path, error) from error


def picture_header(path: str | os.PathLike) -> PictureHeader:
    """Reads size and kind of a picture without decoding its pixels.

    Args:
        path: The file.

    Returns:
        A `PictureHeader`. Oversized pictures have one too, unless they are past Pillow's own limit (twice
        `PIL.Image.MAX_IMAGE_PIXELS`).

    Raises:
        ValueError: If the file is missing, empty or no picture. One line that names it.
    """
    try:
        with _open(path, None) as image:
            orientation = _orientation(image)
            width, height = image.size[::-1] if orientation in _SIDEWAYS else image.size
            plain = orientation == _UPRIGHT and _is_plain(image)
            return PictureHeader(width, height, image.mode, image.format or "", orientation, plain)
    except Exception as error:
        raise _unreadable(path, error) from error


def find_pictures(folder: str | os.PathLike) -> list[Path]:
    """Finds the pictures in a folder and its sub-folders by their suffixes, whatever their case.

    Args:
        folder: Where to look, as `tfgan_app.file_tree.walk_tree` does.

    Returns:
        Paths that start with `folder`, sorted by their place in it. Links that lead nowhere, pipes and devices with the
        name of a picture are among them: whoever reads one says so.
    """
    return [path for path in walk_tree(folder).files if is_picture(path)]


def is_picture(path: Path) -> bool:
    """Whether a file is taken for a picture, by its suffix."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def write_picture(path: str | os.PathLike, rgb: np.ndarray, *, quality: int = 95) -> None:
    """Writes a picture in the format that its suffix names, creating missing folders.

    The file is written beside its place and renamed into it, so a reader never sees half a picture.

    Args:
        path: Where to; its suffix is one of `WRITABLE_SUFFIXES`.
        rgb: uint8 [height, width, 3].
        quality: 1 to 100, for JPEG and WebP. JPEG colour is not sub-sampled.

    Raises:
        ValueError: If the suffix is not writable or `rgb` is no uint8 RGB picture.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        known = ", ".join(sorted(WRITABLE_SUFFIXES))
        raise ValueError(f"The suffix of a picture to write must be one of {known}. Received: '{printable(path)}'")
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


def _open(path: str | os.PathLike, max_pixels: int | None) -> Image.Image:
    """Opens a file lazily after the checks that need no pixels. The caller closes it."""
    check_regular(path)
    if os.path.getsize(path) == 0:
        raise ValueError("the file is empty")
    _prepare_heif(path)
    image = Image.open(path)
    width, height = image.size
    if min(width, height) < 1 or (max_pixels is not None and width * height > max_pixels):
        image.close()
        limit = "" if max_pixels is None else f"; accepted are 1 to {max_pixels} pixels: scale it down or cut it"
        raise ValueError(f"it is {width} x {height} pixels{limit}")
    return image


def _prepare_heif(path: str | os.PathLike) -> None:
    """Makes Pillow able to open the file where it is HEIC.

    Raises:
        ValueError: If the extra for it is not installed.
    """
    with open(path, "rb") as file:
        heif_formats(file.read(12))


def _unreadable(path: str | os.PathLike, error: Exception) -> ValueError:
    """The one line that says which file could not be read and why."""
    if isinstance(error, FileNotFoundError):
        reason = "there is no such file"
    elif isinstance(error, Image.UnidentifiedImageError):
        reason = "it is not in a picture format that is known here"
    elif isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        reason = f"it has more than {MAX_PIXELS} pixels; scale it down or cut it"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    else:
        reason = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"Cannot read the picture '{printable(path)}': {reason}")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation still to be applied, 1 to 8; 1 where the tag is missing, damaged or done by Pillow."""
    if image.format == "TIFF":  # Pillow turns TIFF while it loads and already reports the turned size.
        return _UPRIGHT
    try:
        # The base method, since the one of PNG decodes all pixels to look for a tag behind them.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, _UPRIGHT)
    except Exception:  # A damaged EXIF block is no reason to refuse the pixels.
        return _UPRIGHT
    return orientation if orientation in _TRANSPOSES else _UPRIGHT


def _is_plain(image: Image.Image) -> bool:
    """Whether the opened, not yet loaded file is an 8-bit RGB or gray JPEG or PNG without transparency."""
    if image.mode not in ("RGB", "L") or "transparency" in image.info:
        return False
    if image.format == "PNG":  # The raw mode tells other bit depths apart: "RGB;16B", "L;4".
        return bool(image.tile) and image.tile[0][3] == image.mode
    return image.format == "JPEG"


def _to_rgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Converts a loaded picture of any mode to RGB."""
    if image.mode.startswith("I"):
        values = np.clip(np.asarray(image), 0, 65535).astype(np.uint32)
        image = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    elif image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        values = values * 255.0 if values.max() <= 1.0 else values
        image = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        backdrop = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(backdrop, image.convert("RGBA"))
    return image.convert("RGB")


def _as_image(rgb: np.ndarray) -> Image.Image:
    rgb = np.asarray(rgb)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"A picture must be uint8 [height, width, 3]. Received: {rgb.dtype} {list(rgb.shape)}")
    return Image.fromarray(np.ascontiguousarray(rgb))
