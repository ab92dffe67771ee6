"""The file formats of images as numbers: PNG, TIFF and NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.image_io.decoded_image import apply_orientation
from tfgan_app.image_io.orientation import FIRST_SIDEWAYS
from tfgan_app.image_io.png_chunks import PngHeader, png_header
from tfgan_app.image_io.reading import tiff_geo_tags, tiff_orientation
from tfgan_app.image_io.samples import MAX_CHANNELS, SampleFormat, SampleImage
from tfgan_app.image_io.tiff_tags import scaled_geo_tags

_PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_GRAY_OR_RGB = (0, 1, 2)
_DEFLATE = "zlib"


def _png_facts(path: Path) -> PngHeader:
    with path.open("rb") as file:
        header = png_header(file.read(32))
    if header is None:
        raise ValueError("it is not a PNG file")
    if header.color_type not in _PNG_CHANNELS or header.bit_depth < 8:
        raise ValueError("its colors are a palette or have fewer than 8 bits; save it as gray or RGB of 8 or 16 bits")
    return header


def _png_shape(path: Path, channels: int | None) -> tuple[int, int, int]:
    del channels
    header = _png_facts(path)
    return header.height, header.width, _PNG_CHANNELS[header.color_type]


def _read_png(path: Path, channels: int | None) -> SampleImage:
    del channels
    import imagecodecs

    header = _png_facts(path)
    pixels = imagecodecs.png_decode(path.read_bytes())
    return SampleImage(pixels.reshape(header.height, header.width, -1), header.bit_depth)


def _write_png(path: Path, pixels: np.ndarray, source: SampleImage) -> None:
    del source
    import imagecodecs

    if pixels.dtype not in (np.uint8, np.uint16) or pixels.shape[2] > 4:
        raise ValueError(
            f"PNG holds 1 to 4 channels of 8 or 16 bits. Received: {pixels.shape[2]} of {pixels.dtype}; "
            "write a TIFF or .npy file instead."
        )
    path.write_bytes(imagecodecs.png_encode(pixels[..., 0] if pixels.shape[2] == 1 else pixels, level=6))


@contextmanager
def _tiff_pages(path: Path, channels: int | None) -> Iterator[tuple[list[Any], tuple[int, int, int]]]:
    """The pages whose samples are the channels, and the shape of the image as stored."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        first: Any = file.pages.first
        if first.photometric not in _GRAY_OR_RGB:
            raise ValueError(f"its colors are {first.photometric.name}; save it as gray, RGB or plain channels")
        if first.is_tiled and first.tilewidth * first.tilelength > max(2**20, first.imagewidth * first.imagelength * 4):
            raise ValueError("its tiles are larger than an image may be")
        pages: list[Any] = [first]
        own = first.samplesperpixel
        # A stack of gray pages, as tifffile writes arrays [channels, height, width].
        stack = file.series[0].pages if file.series else pages
        if own == 1 and 1 < len(stack) <= MAX_CHANNELS and channels in (None, len(stack)):
            pages = list(stack)
        if own * len(pages) > MAX_CHANNELS:
            raise ValueError(f"it has {own * len(pages)} channels; accepted are at most {MAX_CHANNELS}")
        yield pages, (first.imagelength, first.imagewidth, own * len(pages))


def _tiff_shape(path: Path, channels: int | None) -> tuple[int, int, int]:
    with _tiff_pages(path, channels) as (_, (height, width, found)):
        if tiff_orientation(path) >= FIRST_SIDEWAYS:
            height, width = width, height
        return height, width, found


def _read_tiff(path: Path, channels: int | None) -> SampleImage:
    notes: list[str] = []
    with _tiff_pages(path, channels) as (pages, (height, width, _)):
        parts = []
        for page in pages:
            # [separate samples, depth, height, width, contiguous samples]
            values = page.asarray(maxworkers=1).reshape(page.shaped)
            parts.append(np.moveaxis(values[:, 0], 0, -1).reshape(height, width, -1))
        first = pages[0]
        if len(first.parent.pages) > len(pages):
            notes.append(f"only the first {len(pages)} of {len(first.parent.pages)} pages were read")
        bits = first.bitspersample if isinstance(first.bitspersample, int) else 8 * first.dtype.itemsize
        kept = {
            "photometric": int(first.photometric),
            "pages": len(pages),
            "planar": int(first.planarconfig),
            "extra": tuple(int(kind) for kind in first.extrasamples),
        }
    pixels = np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    upright = apply_orientation(pixels, tiff_orientation(path))
    kept |= {"geo": tiff_geo_tags(path, notes), "size": upright.shape[:2]}
    return SampleImage(upright, bits, kept, tuple(notes))


def _write_tiff(path: Path, pixels: np.ndarray, source: SampleImage) -> None:
    import tifffile

    kept, channels = source.kept, pixels.shape[2]
    same = channels == source.pixels.shape[2]
    photometric = kept.get("photometric", 1) if same else 1
    options: dict[str, Any] = {"photometric": photometric, "compression": _DEFLATE, "metadata": None}
    geo = kept.get("geo") or {}
    if geo:
        y, x = (new / old for new, old in zip(pixels.shape[:2], kept["size"], strict=True))
        scaled = scaled_geo_tags(geo, x=x, y=y)
        options["extratags"] = [
            (tag, entry.type, len(entry.data) // _TYPE_BYTES.get(entry.type, 1), entry.data, True)
            for tag, entry in sorted(scaled.items())
        ]
    if same and kept.get("pages", 1) > 1:
        tifffile.imwrite(path, np.moveaxis(pixels, -1, 0), **options, byteorder="<")
        return
    if channels == 1:
        pixels = pixels[..., 0]
    elif same and kept.get("planar") == 2:
        pixels, options["planarconfig"] = np.moveaxis(pixels, -1, 0), "separate"
    else:
        options["planarconfig"] = "contig"
    extra = channels - (3 if photometric == 2 else 1)
    if extra:
        options["extrasamples"] = kept["extra"] if same and len(kept.get("extra", ())) == extra else (0,) * extra
    tifffile.imwrite(path, pixels, **options, byteorder="<")


_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
"""Bytes of a value of each TIFF type of more than one byte."""


def _open_npy(path: Path) -> np.ndarray:
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(values, np.ndarray) or values.ndim not in (2, 3) or values.dtype.kind not in "fiu":
        found = f"{values.dtype} {list(values.shape)}" if isinstance(values, np.ndarray) else "an archive"
        raise ValueError(
            f"it must be an array of numbers [height, width] or [height, width, channels]. Received: {found}"
        )
    return values


def _is_channels_first(shape: tuple[int, ...], channels: int | None) -> bool:
    return len(shape) == 3 and channels is not None and shape[2] != channels and shape[0] == channels


def _npy_shape(path: Path, channels: int | None) -> tuple[int, int, int]:
    shape = _open_npy(path).shape
    if _is_channels_first(shape, channels):
        return shape[1], shape[2], shape[0]
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


def _read_npy(path: Path, channels: int | None) -> SampleImage:
    stored = _open_npy(path)
    values = np.array(stored, stored.dtype.newbyteorder("="))
    first = _is_channels_first(values.shape, channels)
    kept = {"axes": values.ndim, "channels_first": first}
    pixels = np.moveaxis(values, 0, -1) if first else values.reshape(*values.shape[:2], -1)
    return SampleImage(np.ascontiguousarray(pixels), 8 * values.dtype.itemsize, kept)


def _write_npy(path: Path, pixels: np.ndarray, source: SampleImage) -> None:
    if source.kept.get("channels_first"):
        pixels = np.moveaxis(pixels, -1, 0)
    elif source.kept.get("axes") == 2 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    with path.open("wb") as file:  # `np.save` would append a suffix to the name.
        np.save(file, np.ascontiguousarray(pixels), allow_pickle=False)


PNG = SampleFormat("PNG", _read_png, _png_shape, _write_png)
TIFF = SampleFormat("TIFF", _read_tiff, _tiff_shape, _write_tiff)
NPY = SampleFormat("NumPy", _read_npy, _npy_shape, _write_npy)
