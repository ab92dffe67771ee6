"""Images as numbers: any channels and any bit depth, without rounding to 8 bits.

A window of data values, `(low, high)`, maps to the 0 and 1 of the networks, and back. Values outside of it are clipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.files import atomic_path, check_regular, printable
from tfgan_app.image_io.decoded_image import MAX_PIXELS
from tfgan_app.image_io.deep import size_reason
from tfgan_app.image_io.reading import read_failure
from tfgan_app.registry import SAMPLE_FORMATS

Window = tuple[float, float]
"""Data values that 0 and 1 stand for, the lower one first."""

MAX_CHANNELS = 64

_POOLED_VALUES = 2**16
_BLOCK_VALUES = 2**22


@dataclass(frozen=True)
class SampleImage:
    """An image as numbers.

    Attributes:
        pixels: `[height, width, channels]`, integers or floats in the byte order of the machine.
        bits: Used bits of a value.
        kept: Facts that the writer of the same format puts into a result.
        notes: One clause for each thing that cannot be kept.
    """

    pixels: np.ndarray
    bits: int
    kept: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleFormat:
    """A file format of images as numbers; a row of `SAMPLE_FORMATS`.

    Attributes:
        name: Name in messages.
        read: `(path, channels) -> SampleImage`. `channels` decides where a layout is ambiguous; None takes the likely
            one. Raises any error for a damaged file, and ValueError with a reason for an unsupported one.
        shape: `(path, channels) -> (height, width, channels)`, from the header.
        write: `(path, pixels, source) -> None`; `pixels` have the dtype of `source`, the `SampleImage` they came from.
    """

    name: str
    read: Callable[[Path, int | None], SampleImage]
    shape: Callable[[Path, int | None], tuple[int, int, int]]
    write: Callable[[Path, np.ndarray, SampleImage], None]


def sample_suffixes() -> frozenset[str]:
    """Lower-case suffixes of the files that can be read as numbers."""
    return frozenset(f".{name}" for name in SAMPLE_FORMATS)


def sample_format(path: Path) -> SampleFormat:
    """The format of a file, by its suffix.

    Raises:
        ValueError: If it cannot be read as numbers; lists the suffixes that can.
    """
    # The suffix of compressed NIfTI files has two parts.
    name = path.name.lower()
    found = max((known for known in SAMPLE_FORMATS if name.endswith(f".{known}")), key=len, default=None)
    if found is None:
        known = ", ".join(sorted(SAMPLE_FORMATS))
        raise ValueError(f"Cannot read '{printable(path)}' as numbers: its suffix must be one of {known}")
    return SAMPLE_FORMATS[found]


def read_samples(path: str | os.PathLike, *, channels: int | None = None, max_pixels: int = MAX_PIXELS) -> SampleImage:
    """Reads an image as numbers, exactly as the file has them.

    Args:
        path: The file; its suffix decides the format, a row of `SAMPLE_FORMATS`.
        channels: Channels that it must have; None takes any.
        max_pixels: Larger images are rejected before decoding.

    Returns:
        A `SampleImage`.

    Raises:
        ValueError: If it is not such an image or has other channels. One line that names it.
    """
    path = Path(path)
    row = sample_format(path)
    try:
        _check_header(path, row, channels, max_pixels)
        image = row.read(path, channels)
        if image.pixels.dtype.kind not in "fiu" or image.pixels.dtype.itemsize > 8:
            raise ValueError(f"its values must be integers or floats. Received: {image.pixels.dtype}")
        return image
    except Exception as error:  # Decoders fail on hostile bytes with almost any exception type.
        raise _unreadable(path, error) from error


def sample_shape(path: str | os.PathLike, *, channels: int | None = None) -> tuple[int, int, int]:
    """Height, width and channels of such an image, from its header; errors as for `read_samples`."""
    path = Path(path)
    row = sample_format(path)
    try:
        return _check_header(path, row, channels, MAX_PIXELS)
    except Exception as error:
        raise _unreadable(path, error) from error


def _check_header(path: Path, row: SampleFormat, channels: int | None, max_pixels: int) -> tuple[int, int, int]:
    check_regular(path)
    height, width, found = row.shape(path, channels)
    if not 1 <= height * width <= max_pixels:
        raise ValueError(size_reason(width, height, max_pixels))
    if channels not in (None, found):
        raise ValueError(f"it has {found} channels, and `data.channels` is {channels}")
    return height, width, found


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(f"Cannot read the image '{printable(path)}': {read_failure(error)}")


def write_samples(path: str | os.PathLike, pixels: np.ndarray, *, source: SampleImage) -> None:
    """Writes an image in the format of its suffix, with the dtype and the kept facts of its source, atomically.

    Args:
        path: The file, of the same format as the source.
        pixels: `[height, width, channels]` in the dtype of the source.
        source: The image that it was made of.

    Raises:
        ValueError: If the format cannot hold the channels or the dtype.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    row = sample_format(path)
    with atomic_path(path) as unfinished:
        row.write(unfinished, pixels, source)


def to_unit(pixels: np.ndarray, window: Window) -> np.ndarray:
    """Maps data values to [0, 1]: float32 of the same shape. Values outside of the window are clipped; NaN is 0."""
    low, high = window
    result = np.empty(pixels.shape, np.float32)
    for rows in _blocks(pixels):
        unit = (pixels[rows].astype(np.float64) - low) / (high - low)
        result[rows] = np.clip(np.nan_to_num(unit, copy=False, nan=0.0), 0.0, 1.0)
    return result


def from_unit(values: np.ndarray, window: Window, dtype: np.dtype) -> np.ndarray:
    """Maps the networks' values back to data values; integers are rounded and clipped to what their type holds."""
    low, high = window
    result = np.empty(values.shape, dtype)
    for rows in _blocks(values):
        data = low + values[rows].astype(np.float64) * (high - low)
        if np.dtype(dtype).kind in "iu":
            limits = np.iinfo(dtype)
            # Not above what a double holds exactly: the largest 64-bit integer would overflow.
            data = np.clip(np.rint(data), limits.min, min(limits.max, 2**63 - 1024))
        result[rows] = data
    return result


def _blocks(values: np.ndarray) -> list[slice]:
    """Slices of rows that bound the memory for doubles."""
    rows = max(1, _BLOCK_VALUES // max(1, values[:1].size))
    return [slice(top, top + rows) for top in range(0, len(values), rows)]


def clipped_note(pixels: np.ndarray, window: Window) -> str | None:
    """One clause on values that the window loses; None if it loses none."""
    low, high = window
    outside = int(np.count_nonzero((pixels < low) | (pixels > high)))
    missing = int(np.count_nonzero(np.isnan(pixels))) if pixels.dtype.kind == "f" else 0
    clauses = [
        f"{outside / pixels.size:.2%} of its values are outside of {low:g} to {high:g} and were clipped"
        if outside
        else "",
        f"{missing / pixels.size:.2%} of its values are NaN and were read as {low:g}" if missing else "",
    ]
    return "; ".join(filter(None, clauses)) or None


def parse_value_range(text: str) -> tuple[Window, bool]:
    """Parses `data.value_range`: `LOW,HIGH` in data values, or `LOW%,HIGH%` as percentiles.

    Returns:
        The two numbers, and whether they are percentiles.

    Raises:
        ValueError: For any other text.
    """
    parts = [part.strip() for part in text.strip("()[]").split(",")]
    percent = all(part.endswith("%") for part in parts)
    try:
        low, high = (float(part.removesuffix("%") if percent else part) for part in parts)
    except ValueError:
        low, high = 1.0, 0.0
    limits = (0.0, 100.0) if percent else (-np.inf, np.inf)
    if not (limits[0] <= low < high <= limits[1] and np.isfinite(high - low)):
        raise ValueError(
            "`data.value_range` must be LOW,HIGH in data values, as in -1000,3000, or percentiles, as in 0.5%,99.5%, "
            f"with LOW below HIGH. Received: {text}."
        )
    return (low, high), percent


def chosen_window(paths: Sequence[Path], *, channels: int, value_range: str | None) -> Window:
    """The window of a set of images.

    Args:
        paths: Readable images.
        channels: Their channels.
        value_range: The setting `data.value_range`. None takes the whole range of unsigned integers of at most 16
            bits, and else the least and the largest value of all images, so that nothing is clipped.

    Returns:
        The window.

    Raises:
        ValueError: If all values are equal.
    """
    given, percent = (None, True) if value_range is None else parse_value_range(value_range)
    if given is not None and not percent:
        return given
    images = (read_samples(path, channels=channels) for path in paths)
    low, high = _percentiles(images, given) if given is not None else _natural_window(images)
    if not low < high:
        raise ValueError(
            f"`data.value_range` must be a range of the images' values, and they are all {low:g} in it: "
            "give LOW,HIGH in data values."
        )
    return low, high


def _natural_window(images) -> Window:
    low, high, bits, unsigned = np.inf, -np.inf, 0, True
    for image in images:
        finite = image.pixels[np.isfinite(image.pixels)] if image.pixels.dtype.kind == "f" else image.pixels
        unsigned = unsigned and image.pixels.dtype.kind == "u" and image.bits <= 16
        bits = max(bits, image.bits)
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (0.0, float(2**bits - 1)) if unsigned else (low, high)


def _percentiles(images, wanted: tuple[float, float]) -> Window:
    """Percentiles of evenly spaced values of each image."""
    pooled = []
    for image in images:
        values = image.pixels.reshape(-1)[:: -(-image.pixels.size // _POOLED_VALUES)].astype(np.float64)
        pooled.append(values[np.isfinite(values)])
    values = np.concatenate(pooled)
    low, high = np.percentile(values, wanted) if values.size else (0.0, 0.0)
    return float(low), float(high)


def preview(values: np.ndarray) -> np.ndarray:
    """Channels of an image in [0, 1] for grids: uint8 `[height, width, 3]`, RGB of three or more, else gray."""
    shown = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, axis=2)
    return np.rint(np.clip(shown, 0.0, 1.0) * 255.0).astype(np.uint8)
