"""Reader of records of one or more images inside tf.data: decoding, halves, channels, resizing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.decoding import ArrayImages, ImageSource
from tfgan_app.data.image_pairs import ImagePair, input_files, pair_halves, target_files
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.record_images import build_redirect, open_files, raise_if_damaged
from tfgan_app.data.sample_files import SampleFiles
from tfgan_app.data.specs import CropSpec

_IN_FLIGHT_BYTES = 2**29
_RECORDS_TOGETHER, _BYTES_TOGETHER = 256, 2**23
# Pillow's luma (ITU-R BT.601) in 16-bit fixed point; TensorFlow's PNG and JPEG decoders use different ones.
_LUMA_WEIGHTS = (19595, 38470, 7471)


@dataclass(frozen=True)
class Column:
    """A column of records: one image of each record.

    Attributes:
        source: All images of the column. Columns that share a source share its decoding.
        half: The half of the image to use: `"left"`, `"right"`, or None for the whole image.
        repeat: Number of times each pixel is repeated along height and width.
    """

    source: ImageSource
    half: str | None = None
    repeat: int = 1


class ImageReader:
    """Reader of records by index; the images of a record are resized to the same size.

    Args:
        columns: The images of a record by name. The first column sets the size of the others.
        crops: Size of the crops, and resizing to it.
        scales: With `resize="none"`, the scale at which each record is read, float64 [records]; None for full size.

    Attributes:
        names: Names of the columns.
        crops: As given.
        channels: Channels of the crops.
        dtype: uint8 in 0..255, or float32 in [0, 1] of images as numbers.
        shapes: int64 [records, 2], height and width of each record after reading.
        parallelism: Number of records to read in parallel, limited so that large images do not fill the memory.

    Raises:
        ValueError: If an option is not valid.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        crops: CropSpec,
        *,
        scales: np.ndarray | None = None,
    ):
        self.crops = crops
        self._columns = dict(columns)
        self.names = tuple(columns)
        self.channels = crops.channels
        self.dtype = next(iter(columns.values())).source.dtype
        first = self._columns[self.names[0]].source
        sizes = first.sizes if scales is None else np.rint(first.sizes * scales[:, None]).astype(np.int64)
        self.shapes = _fitted_shapes(sizes, size_px=crops.size_px, resize=crops.resize)
        self._sources = list(dict.fromkeys(column.source for column in columns.values()))
        self.parallelism = _parallelism(sum(source.decoded_bytes for source in self._sources))
        with tf.device("CPU:0"):
            self._shapes = tf.constant(self.shapes)

    def read(self, index: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one record; for use inside tf.data.

        Args:
            index: int64 scalar.

        Returns:
            The image of each column, [height, width, channels] of `dtype` and of the size in `shapes`.
        """
        decoded = {source: _with_channels(source.decode(index), source, self.channels) for source in self._sources}
        shape = self._shapes[index]
        return {
            name: _fit(_part(decoded[column.source], column), shape, channels=self.channels)
            for name, column in self._columns.items()
        }

    def build_redirect(self, labels: np.ndarray | None) -> Callable[[tf.Tensor], tf.Tensor] | None:
        """Builds a function that replaces the indices of damaged records, see `record_images.build_redirect`."""
        return build_redirect(self._sources, labels)

    def raise_if_damaged(self) -> None:
        """Raises ValueError if a record that was read is damaged."""
        raise_if_damaged(self._sources)

    def dataset(self) -> tf.data.Dataset:
        """Returns a dataset of all records in order, read in parallel."""
        indices = tf.data.Dataset.range(len(self.shapes))
        return indices.map(self.read, num_parallel_calls=self.parallelism, deterministic=True)

    def records(self) -> Iterator[dict[str, np.ndarray]]:
        """Yields all records in order as NumPy arrays, each column [height, width, channels] of `dtype`."""
        records = self.dataset()
        if (self.shapes != self.shapes[0]).any():
            yield from records.as_numpy_iterator()
            return
        # Leaving TensorFlow takes longer than reading a small image, so records leave in groups.
        record_bytes = int(self.shapes[0].prod()) * self.channels * len(self.names) * self.dtype.size
        together = max(1, min(_RECORDS_TOGETHER, _BYTES_TOGETHER // record_bytes))
        for batch in records.batch(together).as_numpy_iterator():
            for images in zip(*batch.values(), strict=True):
                yield dict(zip(batch, images, strict=True))


def build_pair_reader(
    pairs: Sequence[ImagePair],
    crops: CropSpec,
) -> ImageReader:
    """Builds a reader of pairs with the columns `target` and `input`; the target sets the size.

    Args:
        pairs: Readable pairs, all of one layout.
        crops: Size of the crops, and resizing to it.

    Returns:
        An `ImageReader`.

    Raises:
        ValueError: If there is no pair, or a header cannot be read.
    """
    if not pairs:
        raise ValueError("There must be at least one readable image pair. Received none.")
    layouts = pair_halves(pairs)
    if len(layouts) > 1:
        raise ValueError("The pairs must all be side by side, or all in two files. Received both kinds.")
    input_half, target_half = layouts.pop()
    side_by_side = None not in (input_half, target_half)
    options = _decoding(crops)
    targets = open_files(target_files(pairs), parts=2 if side_by_side else 1, **options)
    inputs = targets if side_by_side else open_files(input_files(pairs), **options)
    columns = {"target": Column(targets, target_half), "input": Column(inputs, input_half)}
    return ImageReader(columns, crops)


def build_labeled_reader(images: LabeledImages, crops: CropSpec, *, scales: np.ndarray | None = None) -> ImageReader:
    """Builds a reader of labeled images with the column `image`.

    Args:
        images: Readable images.
        crops: Size of the crops, and resizing to it.
        scales: With `resize="none"`, the scale at which each image is read, float64 [records].

    Returns:
        An `ImageReader`.

    Raises:
        ValueError: If there is no image, or a header cannot be read.
    """
    if not len(images):
        raise ValueError("There must be at least one readable image. Received none.")
    source: ImageSource
    if crops.window is not None:
        source = SampleFiles(images.paths, channels=crops.channels, window=crops.window)
    elif images.images is not None:
        source = ArrayImages(images.images)
    else:
        source = open_files(images.paths, **_decoding(crops))
    return ImageReader({"image": Column(source)}, crops, scales=scales)


def build_side_reader(paths: Sequence[Path], crops: CropSpec, *, name: str, half: str | None = None) -> ImageReader:
    """Builds a reader of files, or of one half of each, with one column.

    Args:
        paths: Readable files.
        crops: Size of the crops, and resizing to it.
        name: Name of the column.
        half: `"left"`, `"right"`, or None for the whole image.

    Returns:
        An `ImageReader`.
    """
    source = open_files(paths, parts=2 if half else 1, **_decoding(crops))
    return ImageReader({name: Column(source, half)}, crops)


def _decoding(crops: CropSpec) -> dict[str, Any]:
    """Returns the arguments of `FileImages` for crops."""
    return {"reduce_to_px": crops.reduce_to_px, "background": crops.background, "input_range": crops.input_range}


def _fitted_shapes(shapes: np.ndarray, *, size_px: int, resize: str) -> np.ndarray:
    """Returns heights and widths after resizing, int64 [records, 2]."""
    if resize == "squash":
        return np.full_like(shapes, size_px)
    short = shapes.min(axis=1, keepdims=True)
    wanted = np.full_like(short, size_px) if resize == "short_side" else np.maximum(short, size_px)
    # In integers, so that the short side is exact; the long side is rounded.
    return (2 * shapes * wanted + short) // (2 * short)


def _parallelism(decoded_bytes: int) -> int:
    """Returns the number of records of this size that can be decoded in parallel within the memory limit."""
    return max(1, min(os.cpu_count() or 1, _IN_FLIGHT_BYTES // decoded_bytes))


def _with_channels(image: tf.Tensor, source: ImageSource, channels: int) -> tf.Tensor:
    """Converts a decoded image to 1 or 3 channels."""
    if source.channels == channels:
        return image
    if channels == 3:
        return tf.repeat(image, 3, axis=2)
    weighted = tf.cast(image, tf.int32) * tf.constant(_LUMA_WEIGHTS)
    luma = tf.bitwise.right_shift(tf.reduce_sum(weighted, axis=2, keepdims=True) + 2**15, 16)
    return tf.cast(luma, tf.uint8)


def _part(image: tf.Tensor, column: Column) -> tf.Tensor:
    if column.half is not None:
        width = tf.shape(image)[1] // 2
        image = image[:, :width] if column.half == "left" else image[:, width : 2 * width]
    if column.repeat > 1:
        image = tf.repeat(tf.repeat(image, column.repeat, axis=0), column.repeat, axis=1)
    return image


def _fit(image: tf.Tensor, shape: tf.Tensor, *, channels: int) -> tf.Tensor:
    """Resizes [h, w, channels] to `shape` with antialiasing; an image of that size is unchanged."""

    def resize() -> tf.Tensor:
        resized = tf.image.resize(image, tf.cast(shape, tf.int32), method="bicubic", antialias=True)
        if image.dtype != tf.uint8:
            return tf.clip_by_value(resized, 0.0, 1.0)
        return tf.saturate_cast(tf.round(resized), tf.uint8)

    same = tf.reduce_all(tf.shape(image, out_type=tf.int64)[:2] == shape)
    return tf.ensure_shape(tf.cond(same, lambda: image, resize), [None, None, channels])
