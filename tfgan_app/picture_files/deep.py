"""Decoders for what Pillow would reduce to 8 bits: deep PNG, TIFF and Netpbm files."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tifffile

from tfgan_app.picture_files.colour import alpha_of_key, from_floats

# What tifffile would say of damaged files on stderr comes as one error instead.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_ASSOCIATED, _UNSPECIFIED = 1, 0
_MAX_SAMPLES = 16
_PPM_HEADER = re.compile(rb"P6(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s")


@dataclass(frozen=True)
class PngHeader:
    """The parts of IHDR that decide how a PNG is decoded: bits per sample, and the colour type's number."""

    bit_depth: int
    colour_type: int


def png_header(head: bytes) -> PngHeader | None:
    """Reads it from the first 26 bytes of a file; None for another format."""
    if not head.startswith(_PNG_SIGNATURE) or head[12:16] != b"IHDR" or len(head) < 26:
        return None
    return PngHeader(head[24], head[25])


def read_deep_png(path: str | os.PathLike, key: int | tuple[int, ...] | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Decodes a PNG with 16 bits a sample.

    Args:
        path: A file whose size has been checked.
        key: The value that is transparent, if one is.

    Returns:
        uint16 [height, width, 1 or 3], and alpha [height, width] or None.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        with tf.device("CPU"):
            values = tf.io.decode_png(tf.io.read_file(os.fsencode(path)), dtype=tf.uint16).numpy()
    except tf.errors.OpError as error:
        raise ValueError("the PNG data is damaged") from error
    if values.shape[2] in (2, 4):
        return values[..., :-1], values[..., -1]
    return values, None if key is None else alpha_of_key(values, key)


def coded_bits(head: bytes, file_format: str | None) -> int:
    """Bits a channel of an AVIF or JPEG 2000 file by the boxes at its beginning; 8 of any other."""
    for box, index, bits_of in (
        (b"av1C", 2, lambda byte: 8 + 2 * (byte >> 6 & 1) + 2 * (byte >> 5 & byte >> 6 & 1)),
        (b"ihdr", 10, lambda byte: (byte & 0x7F) + 1),
    ):
        place = head.find(box) + len(box) + index
        if file_format in ("AVIF", "JPEG2000") and box in head and place < len(head):
            return bits_of(head[place])
    return 8


def size_reason(width: int, height: int, max_pixels: int) -> str:
    """Why a picture of that size is refused."""
    return f"it is {width} x {height} pixels; accepted are 1 to {max_pixels} pixels: scale it down or cut it"


def deep_ppm_header(head: bytes) -> tuple[int, int, int, int] | None:
    """Width, height, largest value and length of the header of a binary RGB Netpbm file of 16 bits; else None."""
    found = _PPM_HEADER.match(head)
    if not found or not 255 < int(found[3]) < 65536:
        return None
    return int(found[1]), int(found[2]), int(found[3]), found.end()


def read_deep_ppm(path: str | os.PathLike, header: tuple[int, int, int, int]) -> np.ndarray:
    """Decodes such a file: uint16 [height, width, 3] over the full range."""
    width, height, peak, offset = header
    values = np.fromfile(path, ">u2", count=width * height * 3, offset=offset)
    if len(values) < width * height * 3:
        raise ValueError("it is cut off")
    return _to_full_range(values.reshape(height, width, 3), peak)


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a TIFF or BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class TiffPage:
    """The first page of a TIFF file, open until its `with` block ends.

    Attributes:
        bits: Bits per sample; 0 where they differ from channel to channel.
        is_plain: Whether the page is gray or RGB, which `read` takes.
        is_only: Whether the file has no further page.
    """

    def __init__(self, path: str | os.PathLike):
        """Parses the directory; raises tifffile's errors where it is damaged."""
        self._file = tifffile.TiffFile(path)
        try:
            self._page = self._file.pages.first
            self.bits = self._page.bitspersample if isinstance(self._page.bitspersample, int) else 0
            self.is_plain = self._page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
            self.is_only = self._has_no_second()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> TiffPage:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def check_size(self, max_pixels: int) -> None:
        """Raises ValueError for a page, or a tile of it, with more pixels than `max_pixels`."""
        page = self._page
        width, height = page.imagewidth, page.imagelength
        if not 1 <= width * height <= max_pixels:
            raise ValueError(size_reason(width, height, max_pixels))
        # Strips and tiles are decoded whole, so a wrong size of theirs must not ask for the memory either.
        if page.is_tiled and page.tilewidth * page.tilelength > max(max_pixels, 2**20):
            raise ValueError("its tiles are larger than the picture may be")

    def read(self, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
        """Decodes strips or tiles of any compression and any arrangement of the samples.

        Args:
            notes: What could not be kept is appended.

        Returns:
            uint8 or uint16 [height, width, 1 or 3] of straight colour, and alpha [height, width] or None; as
            stored, not turned.

        Raises:
            ValueError: If the page is damaged or of another kind.
        """
        page = self._page
        self._check()
        samples = page.asarray(maxworkers=1).reshape(page.shaped)
        # [separate samples, depth, height, width, contiguous samples]
        samples = np.moveaxis(samples[:, 0], 0, -1).reshape(page.imagelength, page.imagewidth, -1)
        colours = 3 if page.photometric == _RGB else 1
        if samples.shape[2] < colours:
            raise ValueError("it has fewer channels than its kind of picture needs")
        extra = [int(kind) for kind in page.extrasamples] or [2] * (samples.shape[2] - colours)
        has_alpha = bool(extra) and samples.shape[2] > colours and extra[0] != _UNSPECIFIED
        if samples.shape[2] > colours + has_alpha:
            notes.append("channels besides colour and transparency were left out")
        values = self._to_integers(samples[..., : colours + has_alpha], notes)
        pixels, alpha = values[..., :colours], values[..., colours] if has_alpha else None
        if page.photometric == _WHITE_IS_ZERO:
            pixels = np.iinfo(pixels.dtype).max - pixels
        return _straight(pixels, alpha) if has_alpha and extra[0] == _ASSOCIATED else pixels, alpha

    def _has_no_second(self) -> bool:
        try:
            return self._file.pages[1] is None
        except Exception:  # Whatever follows the first page is not read.
            return True

    def _check(self) -> None:
        page = self._page
        if not self.is_plain or page.imagedepth != 1 or page.tiledepth > 1 or page.samplesperpixel > _MAX_SAMPLES:
            raise ValueError("it is a kind of TIFF that is not known here; save it as RGB")
        size = self._file.filehandle.size
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if not segments or any(not 0 < start < start + count <= size for start, count in segments):
            raise ValueError("it is cut off")

    def _to_integers(self, samples: np.ndarray, notes: list[str]) -> np.ndarray:
        kind, bits = samples.dtype.kind, self.bits
        if kind == "f":
            return from_floats(samples, notes)
        if kind == "i" or (kind == "u" and bits > 16):
            notes.append(f"{bits}-bit integers were taken as 0 to 65535")
            return np.clip(samples, 0, 65535).astype(np.uint16)
        if kind != "u" or not bits:
            raise ValueError("it is a kind of TIFF that is not known here; save it as RGB of 8 or 16 bits")
        if bits == 8:
            return samples.astype(np.uint8, copy=False)
        return _to_full_range(samples, 2**bits - 1)


def _to_full_range(values: np.ndarray, peak: int) -> np.ndarray:
    """Rounds 0..peak to uint16 0..65535."""
    if peak == 65535:
        return values.astype(np.uint16, copy=False)
    scaled = (np.minimum(values, peak).astype(np.uint32) * 65535 + peak // 2) // peak
    return scaled.astype(np.uint16)


def _straight(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divides colour by the alpha that it has been multiplied with."""
    peak = np.iinfo(pixels.dtype).max
    divisor = np.maximum(alpha, 1).astype(np.uint64)[..., None]
    return np.minimum((pixels.astype(np.uint64) * peak + divisor // 2) // divisor, peak).astype(pixels.dtype)
