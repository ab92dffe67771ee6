"""One image in files of every format that has an EXIF orientation, stored as each of the eight asks for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import tifffile
from exif_orientations import INVERSE_TRANSPOSES
from PIL import Image

ORIENTATIONS = tuple(INVERSE_TRANSPOSES)
_CORNERS = np.array([[[255, 0, 0], [9, 9, 9], [0, 255, 0]], [[0, 0, 255], [200, 200, 200], [255, 255, 0]]], np.uint8)
UPRIGHT = _CORNERS.repeat(16, axis=0).repeat(16, axis=1)
"""uint8 [32, 48, 3] in six squares, so that lossy formats keep the colors and no two orientations look alike."""

LOSSY = frozenset({"jpg", "late exif jpg", "long exif jpg", "webp"})


def oriented_file(name: str, orientation: int) -> bytes:
    """The bytes of a file that shows `UPRIGHT` once it is turned.

    Args:
        name: One of `FILES`.
        orientation: 1 to 8.
    """
    return FILES[name](np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](UPRIGHT)), _exif(orientation))


def is_upright(image: np.ndarray, name: str) -> bool:
    """Whether an array of 8 bits, [height, width, 1 or 3], shows `UPRIGHT`, in gray if the file of that name is."""
    expected = np.asarray(Image.fromarray(UPRIGHT).convert("L"))[..., None] if name.startswith("gray") else UPRIGHT
    if image.shape[:2] != expected.shape[:2]:
        return False
    errors = np.abs(image.astype(int) - expected)
    return errors.mean() < 10 if name in LOSSY else errors.max() <= 1


def _exif(orientation: int, *, big: bool = False, maker: str = "a maker") -> bytes:
    """An EXIF block from its byte order mark on."""
    exif = Image.Exif()
    exif.endian = ">" if big else "<"
    exif[0x010F], exif[0x0112] = maker, orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _saved(pixels: np.ndarray, file_format: str, mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image = image.quantize(6) if mode == "P" else image.convert(mode)
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _jpeg(pixels: np.ndarray, exif: bytes) -> bytes:
    return _saved(pixels, "JPEG", exif=b"Exif\0\0" + exif, quality=95, subsampling=0)


def _late_jpeg(pixels: np.ndarray, exif: bytes) -> bytes:
    """EXIF after other segments."""
    content, comment = _jpeg(pixels, exif), b"\xff\xfe" + struct.pack(">H", 60_002) + bytes(60_000)
    return content[:2] + comment + content[2:]


def _long_jpeg(pixels: np.ndarray, exif: bytes) -> bytes:
    """The tags lie at the end of a long block."""
    orientation = Image.Exif()
    orientation.load(exif)
    order = ">HI"
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation[0x0112], 0)
    block = b"MM" + struct.pack(order, 42, 50_008) + bytes(50_000) + struct.pack(">H", 1) + entry + bytes(4)
    return _jpeg(pixels, block)


def _png(pixels: np.ndarray, exif: bytes, mode: str = "RGB", **options) -> bytes:
    return _with_chunk(_saved(pixels, "PNG", mode, **options), exif, b"IDAT")


def _with_chunk(content: bytes, exif: bytes, before: bytes) -> bytes:
    """A PNG file with an eXIf chunk before another."""
    place = content.index(before) - 4
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return content[:place] + chunk + content[place:]


def _tiff(pixels: np.ndarray, exif: bytes, **options) -> bytes:
    orientation = Image.Exif()
    orientation.load(exif)
    buffer = io.BytesIO()
    tags = [(0x0112, 3, 1, orientation[0x0112], True)]
    tifffile.imwrite(buffer, pixels, photometric="rgb", extratags=tags, metadata=None, **options)
    return buffer.getvalue()


def _prefixed_webp(pixels: np.ndarray, exif: bytes) -> bytes:
    """EXIF that begins with the name that it has in JPEG files, as some programs store it."""
    content = bytearray(_saved(pixels, "WEBP", exif=b"______" + exif, lossless=True))
    place = content.index(b"______")
    content[place : place + 6] = b"Exif\0\0"
    return bytes(content)


def _big_endian(make: Callable[[np.ndarray, bytes], bytes]) -> Callable[[np.ndarray, bytes], bytes]:
    def made(pixels: np.ndarray, exif: bytes) -> bytes:
        orientation = Image.Exif()
        orientation.load(exif)
        return make(pixels, _exif(orientation[0x0112], big=True))

    return made


FILES: dict[str, Callable[[np.ndarray, bytes], bytes]] = {
    "jpg": _jpeg,
    "big-endian jpg": _big_endian(_jpeg),
    "late exif jpg": _late_jpeg,
    "long exif jpg": _long_jpeg,
    "gray jpg": lambda pixels, exif: _saved(pixels, "JPEG", "L", exif=b"Exif\0\0" + exif, quality=100),
    "png": _png,
    "big-endian png": _big_endian(_png),
    "png with exif behind its pixels": lambda pixels, exif: _with_chunk(_saved(pixels, "PNG"), exif, b"IEND"),
    "gray png": lambda pixels, exif: _png(pixels, exif, "L"),
    "palette png": lambda pixels, exif: _png(pixels, exif, "P"),
    "transparent png": lambda pixels, exif: _png(pixels, exif, "RGBA"),
    "deep png": lambda pixels, exif: _with_chunk(imagecodecs.png_encode(pixels.astype(np.uint16) * 257), exif, b"IDAT"),
    "webp": lambda pixels, exif: _saved(pixels, "WEBP", exif=exif, quality=95),
    "webp as of a jpeg": lambda pixels, exif: _prefixed_webp(pixels, exif),
    "lossless webp": lambda pixels, exif: _saved(pixels, "WEBP", exif=exif, lossless=True),
    "tif": _tiff,
    "deep tif": lambda pixels, exif: _tiff(pixels.astype(np.uint16) * 257, exif),
    "float tif": lambda pixels, exif: _tiff((pixels / 255).astype(np.float32), exif),
    "compressed tif": lambda pixels, exif: _tiff(pixels, exif, compression="lzw"),
    "jpeg tif": lambda pixels, exif: _tiff(pixels, exif, compression="jpeg", compressionargs={"level": 98}),
}
LOSSY |= {"big-endian jpg", "gray jpg", "jpeg tif"}

TENSORFLOW = tuple(name for name in FILES if "tif" not in name)
"""Files that TensorFlow's decoder takes."""

BROWSER = tuple(name for name in FILES if name.endswith(("jpg", "png")))
"""Files that Chromium turns: it shows WebP files, and PNG files with EXIF behind the pixels, as they are stored."""
