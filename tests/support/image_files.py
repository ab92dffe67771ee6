"""Image files of many kinds, each with the pixels that a person sees in it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from exif_orientations import INVERSE_TRANSPOSES
from PIL import Image

RGB = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
ALPHA = np.zeros((24, 32), np.uint8)
ALPHA[2:18, 4:28] = 255
ALPHA[18:] = 100
RGBA = np.dstack([RGB, ALPHA])
GRAY = np.repeat(RGB[..., :1], 3, axis=-1)
PALETTE = Image.fromarray(RGB).quantize(63)


def encoded(pixels: np.ndarray | Image.Image, file_format: str, **options) -> bytes:
    """The bytes of a file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a file as it is stored, RGBA where it has transparency."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def turned(file_format: str, orientation: int, **options) -> bytes:
    """`RGB` as a file whose pixels are stored turned, with the EXIF orientation that turns them back."""
    stored = np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](RGB))
    if file_format == "TIFF":
        return encoded(stored, "TIFF", tiffinfo={0x0112: orientation})
    return encoded(stored, file_format, exif=_exif(orientation), **options)


def png_with_late_exif(orientation: int) -> bytes:
    """The same as PNG, with the chunk eXIf behind the pixels."""
    data = encoded(np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](RGB)), "PNG")
    content = b"eXIf" + _exif(orientation)[6:]
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[:-12] + chunk + data[-12:]


def _two_images(file_format: str, **options) -> bytes:
    return encoded(RGB, file_format, save_all=True, append_images=[Image.fromarray(255 - RGB)], **options)


def _jpeg_with_thumbnail() -> bytes:
    thumbnail = encoded(RGB[:8, :8], "JPEG", progressive=True)
    exif = struct.pack("<2sHIHIHHHIIHHIII", b"II", 42, 8, 0, 14, 2, 0x0201, 4, 1, 44, 0x0202, 4, 1, len(thumbnail), 0)
    segment = b"Exif\0\0" + exif + thumbnail
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + JPEG[2:]


JPEG = encoded(RGB, "JPEG", quality=95)
JPEG_RGB = decoded(JPEG)
_DEEP = (np.arange(24 * 32, dtype=np.uint16) * 85).reshape(24, 32)
_DEEP_GRAY = np.repeat(((_DEEP.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)[..., None], 3, axis=-1)
_AVIF, _CMYK = encoded(RGB, "AVIF"), encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=95)

KINDS: dict[str, Callable[[], tuple[bytes, np.ndarray]]] = {
    "PNG": lambda: (encoded(RGB, "PNG"), RGB),
    "PNG, transparent": lambda: (encoded(RGBA, "PNG"), RGBA),
    "PNG, gray": lambda: (encoded(GRAY[..., 0], "PNG"), GRAY),
    "PNG, gray, one transparent": lambda: _with_key(GRAY[..., 0], int(GRAY[3, 3, 0])),
    "PNG, RGB, one transparent": lambda: _with_key(RGB, tuple(map(int, RGB[3, 3]))),
    "PNG, gray and alpha": lambda: (
        encoded(Image.merge("LA", [Image.fromarray(x) for x in (GRAY[..., 0], ALPHA)]), "PNG"),
        np.dstack([GRAY, ALPHA]),
    ),
    "PNG, palette": lambda: (encoded(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB"))),
    "PNG, transparent palette": lambda: _transparent_palette("PNG"),
    "PNG, 16 bits": lambda: (encoded(_DEEP, "PNG"), _DEEP_GRAY),
    "PNG, 1 bit": lambda: (encoded(Image.fromarray(GRAY[..., 0] > 99), "PNG"), (GRAY > 99).astype(np.uint8) * 255),
    "APNG": lambda: (_two_images("PNG"), RGB),
    "JPEG": lambda: (JPEG, JPEG_RGB),
    "JPEG, progressive": lambda: (encoded(RGB, "JPEG", quality=95, progressive=True), JPEG_RGB),
    "JPEG, gray": lambda: _as_decoded(encoded(GRAY[..., 0], "JPEG")),
    "JPEG, CMYK": lambda: _as_decoded(_CMYK),
    "JPEG, motion photo": lambda: (JPEG + b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff\x00" * 2**18, JPEG_RGB),
    "JPEG, another behind it": lambda: (JPEG + encoded(255 - RGB, "JPEG"), JPEG_RGB),
    "JPEG, thumbnail in its EXIF": lambda: (_jpeg_with_thumbnail(), JPEG_RGB),
    "JPEG, a restart marker for each block": lambda: (
        encoded(RGB, "JPEG", quality=95, restart_marker_blocks=1),
        JPEG_RGB,
    ),
    "MPO": lambda: _as_decoded(_two_images("MPO", quality=95)),
    "WebP": lambda: (encoded(RGB, "WEBP", lossless=True), RGB),
    "WebP, lossy": lambda: _as_decoded(encoded(RGB, "WEBP")),
    "WebP, transparent": lambda: (encoded(RGBA, "WEBP", lossless=True, exact=True), RGBA),
    "WebP, animated": lambda: (_two_images("WEBP", lossless=True), RGB),
    "GIF": lambda: (encoded(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB"))),
    "GIF, transparent": lambda: _transparent_palette("GIF"),
    "GIF, animated": lambda: _as_decoded(encoded(PALETTE, "GIF", save_all=True, append_images=[PALETTE.rotate(180)])),
    "BMP": lambda: (encoded(RGB, "BMP"), RGB),
    "BMP, palette": lambda: (encoded(PALETTE, "BMP"), np.asarray(PALETTE.convert("RGB"))),
    "BMP, gray": lambda: (encoded(GRAY[..., 0], "BMP"), GRAY),
    "BMP of OS/2": lambda: (_core_bitmap(), RGB),
    "TIFF": lambda: (encoded(RGB, "TIFF"), RGB),
    "TIFF, transparent": lambda: (encoded(RGBA, "TIFF"), RGBA),
    "TIFF, compressed": lambda: (encoded(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "TIFF, two pages": lambda: (_two_images("TIFF"), RGB),
    "TIFF, 16 bits": lambda: (encoded(_DEEP, "TIFF"), _DEEP_GRAY),
    "AVIF": lambda: _as_decoded(_AVIF),
    "JPEG 2000": lambda: (encoded(RGB, "JPEG2000"), RGB),
    "PNM": lambda: (encoded(RGB, "PPM"), RGB),
    **{
        f"{file_format}, EXIF orientation {value}": lambda name=file_format, value=value: (turned(name, value), RGB)
        for file_format in ("PNG", "TIFF")
        for value in range(2, 9)
    },
    **{
        f"WebP, EXIF orientation {value}": lambda value=value: (turned("WEBP", value, lossless=True), RGB)
        for value in range(2, 9)
    },
    **{f"PNG, eXIf {value} behind IDAT": lambda value=value: (png_with_late_exif(value), RGB) for value in range(2, 9)},
    **{f"JPEG, EXIF orientation {value}": lambda value=value: _turned_jpeg(value) for value in range(2, 9)},
}
"""Name -> file, and uint8 [24, 32, 3 or 4] as it is seen."""


def _as_decoded(data: bytes) -> tuple[bytes, np.ndarray]:
    return data, decoded(data)


def _with_key(pixels: np.ndarray, key: int | tuple[int, ...]) -> tuple[bytes, np.ndarray]:
    is_key = np.atleast_3d(pixels == key).all(axis=-1)
    rgb = np.broadcast_to(np.atleast_3d(pixels), RGB.shape)
    return encoded(pixels, "PNG", transparency=key), np.dstack([rgb, np.where(is_key, 0, 255).astype(np.uint8)])


def _transparent_palette(file_format: str) -> tuple[bytes, np.ndarray]:
    key = int(np.asarray(PALETTE)[3, 3])
    alpha = np.where(np.asarray(PALETTE) == key, 0, 255).astype(np.uint8)
    return encoded(PALETTE, file_format, transparency=key), np.dstack([np.asarray(PALETTE.convert("RGB")), alpha])


def _turned_jpeg(orientation: int) -> tuple[bytes, np.ndarray]:
    data = turned("JPEG", orientation, quality=95, subsampling=0)
    # What turns an image back: the inverse, which for the two quarter turns is the other one.
    back = INVERSE_TRANSPOSES[{6: 8, 8: 6}.get(orientation, orientation)]
    return data, np.ascontiguousarray(back(decoded(data)))


def _core_bitmap() -> bytes:
    rows = RGB[::-1, :, ::-1].tobytes()  # From the bottom up, blue first; 96 bytes a row need no padding.
    return struct.pack("<2sIHHIIHHHH", b"BM", 26 + len(rows), 0, 0, 26, 12, 32, 24, 1, 24) + rows
