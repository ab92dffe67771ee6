"""Decoders for what Pillow would reduce to 8 bits: deep PNG, TIFF and Netpbm files."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tfgan_app.files import check_regular
from tfgan_app.image_io.color import alpha_of_key
from tfgan_app.image_io.value_range import InputRange, spread, to_unsigned

# Errors that tifffile would log to stderr for damaged files are raised as one error instead.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_ASSOCIATED, _UNSPECIFIED = 1, 0
_MAX_SAMPLES = 16
_MAX_TYPED_PAGES = 1000
_PPM_HEADER = re.compile(rb"P6(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s")


def read_deep_png(
    path: str | os.PathLike, key: int | tuple[int, ...] | None, notes: list[str], input_range: InputRange | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Decodes a PNG with 16 bits a sample.

    Args:
        path: A file whose size has been checked.
        key: The transparent value, if there is one.
        notes: Receives the range that was used, if `input_range` is given.
        input_range: User-chosen values of black and white.

    Returns:
        uint16 [height, width, 1 or 3], and alpha [height, width] or None.

    Raises:
        ValueError: If the file is damaged.
    """
    import imagecodecs  # Loaded only for deep images: a prediction should start at once.

    try:
        values = imagecodecs.png_decode(Path(path).read_bytes())
    except imagecodecs.PngError as error:
        raise ValueError("the PNG data is damaged") from error
    values = values.reshape(*values.shape[:2], -1)
    has_alpha = values.shape[2] in (2, 4)
    alpha = values[..., -1] if has_alpha else None if key is None else alpha_of_key(values, key)
    color = values[..., :-1] if has_alpha else values
    return to_unsigned(color, bits=16, notes=notes, input_range=input_range), alpha


def coded_bits(head: bytes, file_format: str | None) -> int:
    """Bits per channel of an AVIF or JPEG 2000 file, from the boxes at its beginning; 8 for any other."""
    for box, index, bits_of in (
        (b"av1C", 2, lambda byte: 8 + 2 * (byte >> 6 & 1) + 2 * (byte >> 5 & byte >> 6 & 1)),
        (b"ihdr", 10, lambda byte: (byte & 0x7F) + 1),
    ):
        place = head.find(box) + len(box) + index
        if file_format in ("AVIF", "JPEG2000") and box in head and place < len(head):
            return bits_of(head[place])
    return 8


def size_reason(width: int, height: int, max_pixels: int) -> str:
    """Reason for rejecting an image of that size."""
    return f"it is {width} x {height} pixels; accepted are 1 to {max_pixels} pixels: scale it down or crop it"


@dataclass(frozen=True)
class PpmHeader:
    """The header of a binary RGB Netpbm file.

    Attributes:
        width: Pixels per row.
        height: Number of rows.
        peak: Largest value.
        length: Length of the header in bytes.
    """

    width: int
    height: int
    peak: int
    length: int


def deep_ppm_header(head: bytes) -> PpmHeader | None:
    """Reads the header of a binary 16-bit RGB Netpbm file; None for any other file."""
    found = _PPM_HEADER.match(head)
    if not found or not 255 < int(found[3]) < 65536:
        return None
    return PpmHeader(int(found[1]), int(found[2]), int(found[3]), found.end())


def read_deep_ppm(
    path: str | os.PathLike,
    header: PpmHeader,
    notes: list[str],
    input_range: InputRange | None = None,
) -> np.ndarray:
    """Decodes such a file: uint16 [height, width, 3] over the full range, or over `input_range` if given."""
    count = header.width * header.height * 3
    values = np.fromfile(path, ">u2", count=count, offset=header.length)
    if len(values) < count:
        raise ValueError("it is truncated")
    values = values.reshape(header.height, header.width, 3)
    if input_range is not None:
        return to_unsigned(values, bits=16, notes=notes, input_range=input_range)
    return spread(values, header.peak)


def is_tiff(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is a TIFF or BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class TiffPage:
    """A page of a TIFF file, open until its `with` block ends.

    Attributes:
        bits: Bits per sample; 0 where they differ between channels.
        is_plain: Whether the page is gray or RGB, which `read` supports.
        keeps_values: Whether `read` returns the stored numbers unchanged.
        offset: Position of its directory in the file.
        pages: Indices of the file's pages, from 0, without reduced copies and masks; for a first page only.
        has_mask: Whether one of them is a mask; for a first page only.
        has_copies: Whether there are reduced copies, among the pages or below them; for a first page only.
    """

    def __init__(self, path: str | os.PathLike | BinaryIO, index: int | None = None):
        """Parses the directory of a page (None: the first). Raises tifffile's errors if it is damaged."""
        import tifffile

        self._file = tifffile.TiffFile(path)
        try:
            page: Any = self._file.pages.first if index is None else self._file.pages[index]
            self._page = page
            self.offset = page.offset
            self.bits = page.bitspersample if isinstance(page.bitspersample, int) else 0
            self.is_plain = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
            is_natural = str(page.dtype) in ("uint8", "uint16") and self.bits in (8, 16)
            self.keeps_values = is_natural and page.photometric in (_BLACK_IS_ZERO, _RGB)
            self.pages, self.has_mask, self.has_copies = self._list() if index is None else ([index], False, False)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> TiffPage:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as stored."""
        return self._page.imagewidth, self._page.imagelength

    @property
    def mode(self) -> str:
        """The pixel format by Pillow's name: `"RGB"`, `"I;16"`, or `"RGB;32F"` where Pillow has no name."""
        page = self._page
        base = ("L", "LA", "RGB", "RGBA")[2 * (page.photometric == _RGB) + bool(page.extrasamples)]
        kind = page.dtype.kind if page.dtype is not None else ""
        code = f"{self.bits}{ {'i': 'S', 'f': 'F'}.get(kind, '') }"
        named = {"8": base, "16": "I;16", "32S": "I", "32F": "F"} if base == "L" else {"8": base}
        return named.get(code, f"{base};{code}")

    def check_size(self, max_pixels: int) -> None:
        """Raises ValueError if the page, or a tile of it, has more pixels than `max_pixels`."""
        page = self._page
        width, height = page.imagewidth, page.imagelength
        if not 1 <= width * height <= max_pixels:
            raise ValueError(size_reason(width, height, max_pixels))
        # Strips and tiles are decoded whole, so a wrong tile size must not claim the memory either.
        if page.is_tiled and page.tilewidth * page.tilelength > max(max_pixels, 2**20):
            raise ValueError("its tiles are larger than an image may be")

    def read(self, notes: list[str], input_range: InputRange | None = None) -> tuple[np.ndarray, np.ndarray | None]:
        """Decodes strips or tiles of any compression and any sample layout.

        Args:
            notes: Receives one clause for each thing that could not be kept, and the range that was used.
            input_range: User-chosen values of black and white.

        Returns:
            uint8 or uint16 [height, width, 1 or 3] of straight color, and alpha [height, width] or None, in stored
            orientation.

        Raises:
            ValueError: If the page is damaged or not supported.
        """
        page = self._page
        self._check()
        samples = page.asarray(maxworkers=1).reshape(page.shaped)
        # [separate samples, depth, height, width, contiguous samples]
        samples = np.moveaxis(samples[:, 0], 0, -1).reshape(page.imagelength, page.imagewidth, -1)
        colors = 3 if page.photometric == _RGB else 1
        if samples.shape[2] < colors:
            raise ValueError("it has fewer channels than its color type requires")
        extra = [int(kind) for kind in page.extrasamples] or [2] * (samples.shape[2] - colors)
        has_alpha = bool(extra) and samples.shape[2] > colors and extra[0] != _UNSPECIFIED
        if samples.shape[2] > colors + has_alpha:
            notes.append("channels besides color and transparency were left out")
        values = to_unsigned(
            samples[..., : colors + has_alpha],
            bits=self.bits,
            notes=notes,
            has_alpha=has_alpha,
            input_range=input_range,
        )
        pixels, alpha = values[..., :colors], values[..., colors] if has_alpha else None
        if page.photometric == _WHITE_IS_ZERO:
            pixels = np.iinfo(pixels.dtype).max - pixels
        return _straight(pixels, alpha) if has_alpha and extra[0] == _ASSOCIATED else pixels, alpha

    def _list(self) -> tuple[list[int], bool, bool]:
        try:
            pages: Any = self._file.pages
            if len(pages) > _MAX_TYPED_PAGES:
                return list(range(len(pages))), False, False
            kinds = [(bool(page.is_reduced), bool(page.is_mask)) for page in pages]
        except Exception:  # Damage after the first page does not matter.
            return [0], False, False
        # A first page is read even if it is declared a copy or mask.
        taken = [0, *(k for k, kind in enumerate(kinds) if k and not any(kind))]
        has_copies = any(reduced for reduced, _ in kinds[1:]) or bool(pages.first.subifds)
        return taken, any(mask for _, mask in kinds), has_copies

    def _check(self) -> None:
        page = self._page
        if not self.is_plain or page.imagedepth != 1 or page.tiledepth > 1 or page.samplesperpixel > _MAX_SAMPLES:
            raise ValueError("this kind of TIFF is not supported; save it as RGB")
        size = self._file.filehandle.size
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if not segments or any(not 0 < start < start + count <= size for start, count in segments):
            raise ValueError("it is truncated")


def tiff_pages(path: str | os.PathLike) -> list[int]:
    """Indices of the pages of a TIFF file, from 0, without reduced copies and masks; [0] for any other file."""
    try:
        check_regular(path)
        with open(path, "rb") as file:
            head = file.read(4)
        if not is_tiff(head):
            return [0]
        with TiffPage(path) as page:
            return page.pages
    except Exception:  # Reading the file reports the error.
        return [0]


def _straight(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divides premultiplied color by its alpha."""
    peak = np.iinfo(pixels.dtype).max
    divisor = np.maximum(alpha, 1).astype(np.uint64)[..., None]
    return np.minimum((pixels.astype(np.uint64) * peak + divisor // 2) // divisor, peak).astype(pixels.dtype)
