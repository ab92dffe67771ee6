"""Writing of images with all that their format can hold, and notes on what it cannot."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
from PIL import Image

from tfgan_app.files import atomic_path, printable
from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.embedded import PHOTOSHOP_MARKER, photoshop_block
from tfgan_app.image_io.formats import IMAGE_FORMATS, ImageFormat, fitting_metadata
from tfgan_app.image_io.png_stream import PngStream
from tfgan_app.image_io.tiff_stream import TiffStream

DEFAULT_QUALITY = 95
LOSSLESS_QUALITY = 100

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


class _Encoder(Protocol):
    def write(self, rows: np.ndarray) -> None: ...

    def close(self) -> None: ...


class PagesWriter:
    """Writer of the pages of a TIFF file, one after the other; see `open_pages_writer`."""

    def __init__(self, file: BinaryIO, pages: int):
        """Takes an open file and the number of pages to come."""
        self._file, self._pages = file, pages
        self._previous: TiffStream | None = None

    @contextlib.contextmanager
    def page(
        self, *, height: int, width: int, channels: int, dtype: np.dtype, metadata: ImageMetadata | None = None
    ) -> Iterator[ImageWriter]:
        """Begins a page; arguments and errors are those of `open_image_writer`."""
        kind: dict[str, Any] = {"height": height, "width": width, "channels": channels, "dtype": np.dtype(dtype)}
        options = {"quality": DEFAULT_QUALITY, "place": {"pages": self._pages, "previous": self._previous}, **kind}
        writer = ImageWriter(self._file, IMAGE_FORMATS[".tif"], metadata or ImageMetadata(), **options)
        yield writer
        writer.close()
        self._previous = cast(TiffStream, writer.encoder)


@contextlib.contextmanager
def open_pages_writer(path: str | os.PathLike, *, pages: int) -> Iterator[PagesWriter]:
    """Opens a TIFF file of several pages, written atomically like `open_image_writer`.

    Args:
        path: Destination. Missing folders are created.
        pages: Number of pages that will be written.

    Yields:
        A `PagesWriter`.

    Raises:
        OSError: If the file cannot be written. Nothing is left behind.
    """
    with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
        yield PagesWriter(file, pages)


@contextlib.contextmanager
def open_image_writer(
    path: str | os.PathLike,
    *,
    height: int,
    width: int,
    channels: int,
    dtype: np.dtype,
    metadata: ImageMetadata | None = None,
    quality: int | None = None,
) -> Iterator[ImageWriter]:
    """Opens an image file for writing row by row, in the format that its suffix names.

    PNG, TIFF and PPM are streamed; the others are held in memory as uint8 until the end. The file is written beside
    its destination and renamed into place when the block ends without an error, so a reader never sees a partial
    image.

    Args:
        path: Destination; its suffix is one of `IMAGE_FORMATS`. Missing folders are created.
        height: Number of rows that will be written.
        width: Pixels per row.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; straight color.
        dtype: uint8 or uint16, over the full range.
        metadata: Metadata to write.
        quality: 1 to 100, for JPEG (color is not subsampled) and WebP (100 is lossless); by default
            `DEFAULT_QUALITY`.

    Yields:
        An `ImageWriter`.

    Raises:
        ValueError: If the format cannot hold an image of this size, an argument is wrong, or the number of rows
            at the end is. Nothing is left behind.
        OSError: If the file cannot be written. Nothing is left behind.
    """
    path = Path(path)
    image_format = format_of(path)
    quality = DEFAULT_QUALITY if quality is None else quality
    if not 1 <= quality <= 100:
        raise ValueError(f"`quality` must be from 1 to 100. Received: {quality}")
    if channels not in _MODES or np.dtype(dtype) not in (np.uint8, np.uint16):
        raise ValueError(
            f"An image must have 1 to 4 channels of uint8 or uint16. Received: {channels} of {np.dtype(dtype)}"
        )
    check_size(path, height=height, width=width)
    with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
        options: dict[str, Any] = {"height": height, "width": width, "channels": channels, "dtype": np.dtype(dtype)}
        writer = ImageWriter(file, image_format, metadata or ImageMetadata(), quality=quality, **options)
        yield writer
        writer.close()


def format_of(path: str | os.PathLike) -> ImageFormat:
    """Returns the format that a file's suffix names.

    Raises:
        ValueError: If there is no writable format with that suffix.
    """
    image_format = IMAGE_FORMATS.get(Path(path).suffix.lower())
    if image_format is None:
        known = ", ".join(sorted(IMAGE_FORMATS))
        raise ValueError(f"An image's suffix must be one of {known}. Received: '{printable(path)}'")
    return image_format


def check_size(path: str | os.PathLike, *, height: int, width: int) -> None:
    """Raises ValueError if the format of `path` cannot hold an image of `height` x `width` pixels."""
    image_format = format_of(path)
    if not 1 <= min(height, width) <= max(height, width) <= image_format.max_side:
        raise ValueError(
            f"{image_format.name} files have 1 to {image_format.max_side} pixels a side. Received: {width} x "
            f"{height} for '{printable(path)}'; write a PNG or TIFF file instead."
        )


class ImageWriter:
    """Row-by-row writer of one image.

    Attributes:
        notes: One clause for each thing that the format could not hold; complete once the writer is closed.
        encoder: Receiver of the rows.
    """

    def __init__(
        self,
        file: BinaryIO,
        image_format: ImageFormat,
        metadata: ImageMetadata,
        *,
        height: int,
        width: int,
        channels: int,
        dtype: np.dtype,
        quality: int,
        place: Mapping[str, Any] | None = None,
    ):
        """Begins the file, or a page of a TIFF; see `open_image_writer`."""
        self.notes: list[str] = []
        self._format = image_format
        self._shape, self._dtype = (height, width, channels), dtype
        self._written = 0
        self._alpha_lost = False
        stored_channels = channels if image_format.alpha else channels - (channels + 1) % 2
        stored_dtype = dtype if image_format.deep else np.dtype(np.uint8)
        if stored_dtype != dtype:
            self.notes.append(f"16 bits per channel were rounded to 8, the depth of {image_format.name}")
        options: dict[str, Any] = {"height": height, "width": width}
        options |= {"channels": stored_channels, "dtype": stored_dtype}
        metadata = fitting_metadata(metadata, image_format, height=height, width=width, notes=self.notes)
        self.encoder: _Encoder
        if image_format.name == "PNG":
            self.encoder = PngStream(file, metadata=metadata, **options)
        elif image_format.name == "TIFF":
            self.encoder = TiffStream(file, metadata=metadata, **options, **(place or {}))
        elif image_format.name == "PPM":
            self.encoder = _PpmStream(file, **options)
        else:
            self.encoder = _PillowEncoder(file, image_format.name, metadata, quality=quality, **options)

    def write(self, rows: np.ndarray) -> None:
        """Appends rows [count, width, channels] of the announced dtype.

        Raises:
            ValueError: If the rows have another shape or dtype, or are too many.
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
        self.encoder.write(rows if self._format.deep else to_eight_bits(rows))

    def close(self) -> None:
        """Ends the file; raises ValueError if rows are missing."""
        if self._written != self._shape[0]:
            raise ValueError(f"Expected {self._shape[0]} rows of the image. Received: {self._written}")
        self.encoder.close()
        if self._alpha_lost:
            self.notes.append(f"transparency was composited on white, since {self._format.name} does not support it")


def to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Rounds uint16 to the nearest uint8 over the full range; uint8 is returned unchanged."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """Composites straight color [..., 2 or 4], alpha last, on white: [..., 1 or 3] of the same dtype."""
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
        self._file.write(np.ascontiguousarray(rows, self._dtype).data)

    def close(self) -> None:
        pass


class _PillowEncoder:
    """Encoder that collects a whole uint8 image for Pillow."""

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        metadata: ImageMetadata,
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
        self._options: dict[str, Any] = {"icc_profile": metadata.icc_profile or b""}
        if metadata.dpi:
            self._options["dpi"] = metadata.dpi
        if metadata.exif:
            self._options["exif"] = b"Exif\0\0" + metadata.exif
        if metadata.xmp:
            self._options["xmp"] = metadata.xmp
        if name == "JPEG":
            self._options |= {"quality": quality, "subsampling": 0, "comment": metadata.comment or b""}
            self._options["extra"] = _iptc_segment(metadata.iptc)
        if name == "WEBP":
            lossless = quality == LOSSLESS_QUALITY
            # Lossless WebP keeps the color of hidden pixels too; its quality is the effort.
            self._options |= {"quality": 75 if lossless else quality, "lossless": lossless, "exact": lossless}

    def write(self, rows: np.ndarray) -> None:
        self._pixels[self._filled : self._filled + len(rows)] = rows
        self._filled += len(rows)

    def close(self) -> None:
        pixels = self._pixels[..., 0] if self._pixels.shape[2] == 1 else self._pixels
        Image.fromarray(pixels).save(self._file, format=self._name, **self._options)


def _iptc_segment(iptc: bytes | None) -> bytes:
    """The segment APP13 of a JPEG that holds an IPTC record; empty for none."""
    if not iptc:
        return b""
    block = PHOTOSHOP_MARKER + photoshop_block(iptc)
    return b"\xff\xed" + struct.pack(">H", 2 + len(block)) + block
