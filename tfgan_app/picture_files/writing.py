"""Writes pictures with all that their format can hold, and says what it cannot."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from PIL import Image

from tfgan_app.files import atomic_path, printable
from tfgan_app.picture_files.metadata import resized_exif
from tfgan_app.picture_files.picture import PictureMetadata
from tfgan_app.picture_files.png_stream import MAX_SIDE, PngStream
from tfgan_app.picture_files.tiff_stream import TiffStream

DEFAULT_QUALITY = 95
LOSSLESS_QUALITY = 100

_MAX_SEGMENT_BYTES = {"exif": 65533 - len(b"Exif\0\0"), "xmp": 65533 - len(b"http://ns.adobe.com/xap/1.0/\0")}
"""What one marker segment of a JPEG file holds."""
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class PictureFormat:
    """What files of a format hold.

    Attributes:
        name: As Pillow calls it.
        max_side: Largest width and height in pixels.
        alpha: Whether it holds transparency.
        deep: Whether it holds 16 bits a channel.
        metadata: Which attributes of `PictureMetadata` it holds.
    """

    name: str
    max_side: int = MAX_SIDE
    alpha: bool = False
    deep: bool = False
    metadata: frozenset[str] = frozenset()


_ALL_METADATA = frozenset({"icc_profile", "exif", "xmp", "dpi"})
_JPEG = PictureFormat("JPEG", max_side=65500, metadata=_ALL_METADATA)
_TIFF = PictureFormat("TIFF", alpha=True, deep=True, metadata=_ALL_METADATA)
PICTURE_FORMATS = {
    ".png": PictureFormat("PNG", alpha=True, deep=True, metadata=_ALL_METADATA),
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), _JPEG),
    ".webp": PictureFormat("WEBP", max_side=16383, alpha=True, metadata=_ALL_METADATA - {"dpi"}),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".bmp": PictureFormat("BMP", metadata=frozenset({"dpi"})),
    ".ppm": PictureFormat("PPM", deep=True),
}
"""Formats that can be written, by lower-case suffix. libjpeg itself stops at 65,500 pixels a side."""

_METADATA_NAMES = {
    "icc_profile": "the colour profile",
    "exif": "the EXIF block",
    "xmp": "the XMP packet",
    "dpi": "the resolution",
}


class _Encoder(Protocol):
    def write(self, rows: np.ndarray) -> None: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def open_picture_writer(
    path: str | os.PathLike,
    *,
    height: int,
    width: int,
    channels: int,
    dtype: np.dtype,
    metadata: PictureMetadata | None = None,
    quality: int | None = None,
) -> Iterator[PictureWriter]:
    """Opens a picture file to be written row by row, in the format that its suffix names.

    PNG, TIFF and PPM are streamed; the others are held in memory, uint8, until the end. The file is written
    beside its place and renamed into it when the block ends well, so a reader never sees half a picture.

    Args:
        path: Where to; its suffix is one of `PICTURE_FORMATS`. Missing folders are made.
        height: Rows that will be written.
        width: Pixels of a row.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; straight colour.
        dtype: uint8 or uint16, over the full range.
        metadata: What the file is to say besides its pixels.
        quality: 1 to 100, for JPEG (colour is not sub-sampled) and WebP (100 is lossless); by default
            `DEFAULT_QUALITY`.

    Yields:
        A `PictureWriter`.

    Raises:
        ValueError: If the format cannot hold a picture of this size, an argument is wrong, or the number of rows
            at the end is. Nothing is left behind.
        OSError: If the file cannot be written. Nothing is left behind.
    """
    path = Path(path)
    picture_format = format_of(path)
    quality = DEFAULT_QUALITY if quality is None else quality
    if not 1 <= quality <= 100:
        raise ValueError(f"`quality` must be from 1 to 100. Received: {quality}")
    if channels not in _MODES or np.dtype(dtype) not in (np.uint8, np.uint16):
        raise ValueError(f"Pictures have 1 to 4 channels of uint8 or uint16. Received: {channels} of {np.dtype(dtype)}")
    check_size(path, height=height, width=width)
    with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
        options = {"height": height, "width": width, "channels": channels, "dtype": np.dtype(dtype)}
        writer = PictureWriter(file, picture_format, metadata or PictureMetadata(), quality=quality, **options)
        yield writer
        writer.close()


def format_of(path: str | os.PathLike) -> PictureFormat:
    """The format that a file's suffix names.

    Raises:
        ValueError: If pictures cannot be written with that suffix.
    """
    picture_format = PICTURE_FORMATS.get(Path(path).suffix.lower())
    if picture_format is None:
        known = ", ".join(sorted(PICTURE_FORMATS))
        raise ValueError(f"A picture's suffix must be one of {known}. Received: '{printable(path)}'")
    return picture_format


def check_size(path: str | os.PathLike, *, height: int, width: int) -> None:
    """Raises ValueError if the format of `path` cannot hold a picture of `height` x `width` pixels."""
    picture_format = format_of(path)
    if not 1 <= min(height, width) <= max(height, width) <= picture_format.max_side:
        raise ValueError(
            f"{picture_format.name} files have 1 to {picture_format.max_side} pixels a side. Received: {width} x "
            f"{height} for '{printable(path)}'; write a PNG or TIFF file instead."
        )


class PictureWriter:
    """Takes the rows of one picture.

    Attributes:
        notes: What the format could not hold, one clause each; complete once the writer is closed.
    """

    def __init__(
        self,
        file: BinaryIO,
        picture_format: PictureFormat,
        metadata: PictureMetadata,
        *,
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype,
        quality: int,
    ):
        """Begins the file; see `open_picture_writer`."""
        self.notes: list[str] = []
        self._format = picture_format
        self._shape, self._dtype = (height, width, channels), dtype
        self._written = 0
        self._alpha_lost = False
        stored_channels = channels if picture_format.alpha else channels - (channels + 1) % 2
        stored_dtype = dtype if picture_format.deep else np.dtype(np.uint8)
        if stored_dtype != dtype:
            self.notes.append(f"16 bits a channel were rounded to the 8 that {picture_format.name} holds")
        options = {"height": height, "width": width, "channels": stored_channels, "dtype": stored_dtype}
        metadata = self._fitting(metadata)
        self._encoder: _Encoder
        if picture_format.name == "PNG":
            self._encoder = PngStream(file, metadata=metadata, **options)
        elif picture_format.name == "TIFF":
            self._encoder = TiffStream(file, metadata=metadata, **options)
        elif picture_format.name == "PPM":
            self._encoder = _PpmStream(file, **options)
        else:
            self._encoder = _PillowEncoder(file, picture_format.name, metadata, quality=quality, **options)

    def write(self, rows: np.ndarray) -> None:
        """Appends rows [count, width, channels] of the dtype that was announced.

        Raises:
            ValueError: If they are of another kind, or more than were announced.
        """
        height, *row_shape = self._shape
        if rows.dtype != self._dtype or list(rows.shape[1:]) != row_shape or self._written + len(rows) > height:
            raise ValueError(
                f"Rows must be {self._dtype} [at most {height - self._written}, {row_shape[0]}, {row_shape[1]}]. "
                f"Received: {rows.dtype} {list(rows.shape)}"
            )
        self._written += len(rows)
        if row_shape[1] in (2, 4) and not self._format.alpha:
            self._alpha_lost |= bool(rows[..., -1].min(initial=np.iinfo(rows.dtype).max) < np.iinfo(rows.dtype).max)
            rows = on_white(rows)
        self._encoder.write(rows if self._format.deep else to_eight_bits(rows))

    def close(self) -> None:
        """Ends the file; raises ValueError where rows are missing."""
        if self._written != self._shape[0]:
            raise ValueError(f"A picture of {self._shape[0]} rows was to be written. Received: {self._written}")
        self._encoder.close()
        if self._alpha_lost:
            self.notes.append(f"transparency was composited on white, since {self._format.name} holds none")

    def _fitting(self, metadata: PictureMetadata) -> PictureMetadata:
        """The metadata that the format holds; the rest is noted."""
        kept = dataclasses.asdict(metadata)
        if kept["exif"]:
            height, width, _ = self._shape
            kept["exif"] = resized_exif(kept["exif"], height=height, width=width)
        for name, value in kept.items():
            too_long = self._format.name == "JPEG" and value and len(value) > _MAX_SEGMENT_BYTES.get(name, len(value))
            if value and (too_long or name not in self._format.metadata):
                reason = "is too long for" if too_long else "has no place in"
                self.notes.append(f"{_METADATA_NAMES[name]} {reason} {self._format.name} and was left out")
                kept[name] = None
        return PictureMetadata(**kept)


def to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Rounds uint16 to the nearest uint8 over the full range; uint8 stays as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """Composites straight colour [..., 2 or 4], alpha last, on white: [..., 1 or 3] of the same dtype."""
    peak = np.iinfo(pixels.dtype).max
    values = pixels.astype(np.uint64)
    alpha = values[..., -1:]
    return ((values[..., :-1] * alpha + peak * (peak - alpha) + peak // 2) // peak).astype(pixels.dtype)


class _PpmStream:
    """Netpbm's binary gray (P5) and RGB (P6) with 8 or 16 bits."""

    def __init__(self, file: BinaryIO, *, height: int, width: int, channels: int, dtype: np.dtype):
        self._file = file
        self._dtype = dtype.newbyteorder(">")
        file.write(b"%s\n%d %d\n%d\n" % (b"P5" if channels == 1 else b"P6", width, height, np.iinfo(dtype).max))

    def write(self, rows: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype))

    def close(self) -> None:
        pass


class _PillowEncoder:
    """Collects a whole uint8 picture and lets Pillow encode it."""

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        metadata: PictureMetadata,
        *,
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype,
        quality: int,
    ):
        self._file, self._name = file, name
        self._pixels = np.empty((height, width, channels), dtype)
        self._filled = 0
        self._options = {"icc_profile": metadata.icc_profile or b""}
        if metadata.dpi:
            self._options["dpi"] = metadata.dpi
        if metadata.exif:
            self._options["exif"] = b"Exif\0\0" + metadata.exif
        if metadata.xmp:
            self._options["xmp"] = metadata.xmp
        if name == "JPEG":
            self._options |= {"quality": quality, "subsampling": 0}
        if name == "WEBP":
            lossless = quality == LOSSLESS_QUALITY
            # Lossless keeps the colour of hidden pixels too; there the quality is the effort.
            self._options |= {"quality": 75 if lossless else quality, "lossless": lossless, "exact": lossless}

    def write(self, rows: np.ndarray) -> None:
        self._pixels[self._filled : self._filled + len(rows)] = rows
        self._filled += len(rows)

    def close(self) -> None:
        pixels = self._pixels[..., 0] if self._pixels.shape[2] == 1 else self._pixels
        Image.fromarray(pixels).save(self._file, format=self._name, **self._options)
