"""Decoded images in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.reading import ImageReader

_ALIGNMENT_BYTES = 64


class RowMemory:
    """Cache of records with a short side of `size_px`, stored as rows of `size_px` pixels.

    A landscape image is stored transposed. So every square crop is `size_px` consecutive rows of one long tensor, and
    a whole batch is one gather.

    Args:
        reader: Reader of the records; the shorter side of each is `size_px`.
        size_px: Length of the short side.
        on_progress: Called with the number of records read and the total.
    """

    def __init__(self, reader: ImageReader, *, size_px: int, on_progress: Callable[[int, int], Any] | None = None):
        self._size_px = size_px
        lengths = reader.shapes.max(axis=1)
        starts = np.cumsum(lengths) - lengths
        wide = reader.shapes[:, 1] > reader.shapes[:, 0]
        row = (size_px, reader.channels)
        buffers = {
            name: _aligned(int(lengths.sum()) * size_px * reader.channels, reader.dtype).reshape(-1, *row)
            for name in reader.names
        }
        for i, record in enumerate(_read_all(reader, on_progress)):
            for name, image in record.items():
                stored = image.transpose(1, 0, 2) if wide[i] else image
                buffers[name][starts[i] : starts[i] + lengths[i]] = stored
        with tf.device("CPU:0"):
            self._rows = {name: _share_with_tensorflow(buffer) for name, buffer in buffers.items()}
            self._starts = tf.constant(starts)
            self._wide = tf.constant(wide) if wide.any() else None

    def read_crops(self, indices: tf.Tensor, *, tops: tf.Tensor, lefts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns a square crop of `size_px` from each selected record.

        Args:
            indices: int64 [batch], indices of records.
            tops: int64 [batch], first row of each crop.
            lefts: int64 [batch], first column of each crop.

        Returns:
            The crops of each column, [batch, size_px, size_px, channels] of the reader's dtype.
        """
        # Top or left is 0, because crops span the short side.
        first_rows = tf.gather(self._starts, indices) + tops + lefts
        rows = first_rows[:, None] + tf.range(self._size_px, dtype=tf.int64)
        return {name: self._turn(tf.gather(stored, rows), indices) for name, stored in self._rows.items()}

    def _turn(self, crops: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
        """Transposes back the crops of images that are stored transposed."""
        if self._wide is None:
            return crops
        wide = tf.gather(self._wide, indices)[:, None, None, None]
        return tf.where(wide, tf.transpose(crops, [0, 2, 1, 3]), crops)


class FlatMemory:
    """Cache of records of any size, stored consecutively.

    Args:
        reader: Reader of the records.
        on_progress: Called with the number of records read and the total.
    """

    def __init__(self, reader: ImageReader, *, on_progress: Callable[[int, int], Any] | None = None):
        self._channels = reader.channels
        sizes = reader.shapes.prod(axis=1) * reader.channels
        # A slice at an aligned address is a view, not a copy.
        padded = -(-sizes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        starts = np.cumsum(padded) - padded
        buffers = {name: _aligned(int(padded.sum()), reader.dtype) for name in reader.names}
        for i, record in enumerate(_read_all(reader, on_progress)):
            for name, image in record.items():
                buffers[name][starts[i] : starts[i] + sizes[i]] = image.reshape(-1)
        with tf.device("CPU:0"):
            self._pixels = {name: _share_with_tensorflow(buffer) for name, buffer in buffers.items()}
            self._starts, self._shapes = tf.constant(starts), tf.constant(reader.shapes)

    def read(self, index: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one record from memory, like `ImageReader.read`."""
        shape = tf.concat([self._shapes[index], [self._channels]], axis=0)
        begin, size = [self._starts[index]], [tf.reduce_prod(shape)]
        return {name: tf.reshape(tf.slice(pixels, begin, size), shape) for name, pixels in self._pixels.items()}


def _read_all(reader: ImageReader, on_progress: Callable[[int, int], Any] | None) -> Iterator[dict[str, np.ndarray]]:
    """Yields every record and reports the progress."""
    for done, record in enumerate(reader.records(), start=1):
        yield record
        if on_progress:
            on_progress(done, len(reader.shapes))


def _aligned(count: int, dtype: tf.DType) -> np.ndarray:
    """Returns an uninitialized [count] array, aligned for TensorFlow's kernels."""
    size = count * dtype.size
    padded = np.empty(size + _ALIGNMENT_BYTES, np.uint8)
    start = -padded.ctypes.data % _ALIGNMENT_BYTES
    return padded[start : start + size].view(dtype.as_numpy_dtype)


def _share_with_tensorflow(array: np.ndarray) -> tf.Tensor:
    """Returns a tensor over the same memory; `tf.constant` would copy and briefly need twice the memory."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
