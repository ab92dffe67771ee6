"""Decoding of records inside tf.data, by the decoders of `FileImages`, and what takes the place of damaged ones."""

from __future__ import annotations

import functools
import io
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_app.data.decoding import JPEG_RATIOS, OVERSAMPLING, FileImages, ImageSource, decode_jpeg
from tfgan_app.data.records import JPEG, PNG, RecordFiles
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.image_io.value_range import InputRange

_PILLOW, _PNG = 0, -1
"""Decoders of records; positive numbers are the ratios of a JPEG decoder."""


class RecordImages:
    """Images in the shards of a prepared set; every image is the same as that of `FileImages`.

    Args:
        files: Readable records.
        parts: 2 if each record holds two images side by side; `sizes` are then those of one image.
        reduce_to_px: As for `FileImages`.
        background: Color behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
    """

    channels = 3
    dtype = tf.uint8

    def __init__(
        self,
        files: RecordFiles,
        *,
        parts: int = 1,
        reduce_to_px: int | None = None,
        background: tuple[int, int, int] = (255, 255, 255),
        input_range: InputRange | None = None,
    ):
        self._files = files
        self._is_sound = np.zeros(len(files), bool)
        self._damaged: set[int] = set()
        whole = files.sizes
        self.sizes = whole // np.array([1, parts])
        self.decoded_bytes = int(whole.prod(axis=1).max()) * self.channels
        self._read_pillow = partial(self._decode_by_pillow, background=background, input_range=input_range)
        decoders = _choose_decoders(files.of("kind"), self.sizes, reduce_to_px=reduce_to_px)
        self._kinds, branches = np.unique(decoders, return_inverse=True)
        with tf.device("CPU:0"):
            self._branch_indices = tf.constant(branches.astype(np.int32))

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """uint8 [height, width, 3] of the record at `index`, an int64 scalar; a gray pixel for a damaged one."""
        if len(self._kinds) == 1:
            return self._branch(int(self._kinds[0]), index)
        branches = [partial(self._branch, int(kind), index) for kind in self._kinds]
        return tf.switch_case(self._branch_indices[index], branches)

    def check(self, index: int) -> bool:
        """Reads a record, once in a process, and returns whether it is sound; a damaged one is named on stderr."""
        if not self._is_sound[index] and index not in self._damaged:
            self._read(np.int64(index))
        return bool(self._is_sound[index])

    def damaged(self) -> list[str]:
        """Returns the names of the records that have been found to be damaged so far."""
        return [self._files.store.printable_name(int(self._files.rows[index])) for index in sorted(self._damaged)]

    def _branch(self, kind: int, index: tf.Tensor) -> tf.Tensor:
        if kind == _PILLOW:
            return tf.ensure_shape(tf.numpy_function(self._read_pillow, [index], tf.uint8), [None, None, 3])
        contents = tf.ensure_shape(tf.numpy_function(self._read, [index], tf.string), [])
        return tf.io.decode_png(contents, channels=3) if kind == _PNG else decode_jpeg(contents, ratio=kind)

    def _read(self, index: np.int64) -> bytes:
        """Returns the bytes of a record; those of a gray pixel for a damaged one, which is named on stderr once."""
        try:
            data = self._files.store.read(int(self._files.rows[index]))
        except ValueError as error:
            if index not in self._damaged:
                self._damaged.add(int(index))
                print(f"tfgan_app: left out: {error}", file=sys.stderr, flush=True)
            return _gray_pixel()
        self._is_sound[index] = True
        return data

    def _decode_by_pillow(
        self, index: np.int64, *, background: tuple[int, int, int], input_range: InputRange | None
    ) -> np.ndarray:
        # Some formats are recognized by their suffix, and some decoders read only files.
        suffix = PurePosixPath(self._files.store.names[int(self._files.rows[index])]).suffix
        data = self._read(index)
        with tempfile.NamedTemporaryFile(suffix=suffix if data is not _gray_pixel() else ".png") as file:
            file.write(data)
            file.flush()
            return read_rgb(file.name, background=background, input_range=input_range)


def open_files(paths: Sequence[Any], **options: Any) -> ImageSource:
    """Returns the images in files or records.

    Args:
        paths: Readable images, or `RecordFiles`.
        **options: As for `FileImages`.
    """
    return RecordImages(paths, **options) if isinstance(paths, RecordFiles) else FileImages(paths, **options)


def build_redirect(
    sources: Sequence[ImageSource], labels: np.ndarray | None
) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Builds a function that replaces the indices of damaged records.

    The next sound record of the same label takes the place of a damaged one, so the batches depend only on the seed,
    the step and the damage. A record is read for this once in a process.

    Args:
        sources: The sources of a reader.
        labels: int32 [records]; None if any record can take the place of another.

    Returns:
        A function from indices to indices, int64 [batch]; None if there are no records of shards.
    """
    records = [source for source in sources if isinstance(source, RecordImages)]
    if not records:
        return None

    def is_sound(index: int) -> bool:
        return all(source.check(index) for source in records)

    def sound(index: int) -> int:
        if is_sound(index):
            return index
        alike = np.arange(len(records[0].sizes)) if labels is None else np.flatnonzero(labels == labels[index])
        place = int(np.searchsorted(alike, index))
        for other in (*alike[place + 1 :], *alike[:place]):
            if is_sound(int(other)):
                return int(other)
        raise ValueError("Every record of the prepared set is damaged.")

    def all_sound(indices: np.ndarray) -> np.ndarray:
        return np.array([sound(int(index)) for index in indices], np.int64)

    return lambda indices: tf.ensure_shape(tf.numpy_function(all_sound, [indices], tf.int64), indices.shape)


def raise_if_damaged(sources: Sequence[ImageSource]) -> None:
    """Raises ValueError if a record that was read is damaged: images to measure have no replacement."""
    found = [name for source in sources if isinstance(source, RecordImages) for name in source.damaged()]
    if found:
        raise ValueError(
            f"{len(found)} of the images to measure are damaged in their shards ({', '.join(found[:3])}): "
            "copy the shards again, or lower `data.max_val_images`."
        )


def _choose_decoders(kinds: np.ndarray, sizes: np.ndarray, *, reduce_to_px: int | None) -> np.ndarray:
    """Returns the decoder of each record; JPEG ratios are chosen as for files."""
    decoders = np.select([kinds == PNG, kinds == JPEG], [_PNG, 1], _PILLOW)
    if reduce_to_px is None:
        return decoders
    for ratio in JPEG_RATIOS[1:]:
        fits = (sizes % ratio == 0).all(axis=1) & (sizes.min(axis=1) // ratio >= reduce_to_px * OVERSAMPLING)
        decoders = np.where((kinds == JPEG) & fits, ratio, decoders)
    return decoders


@functools.cache
def _gray_pixel() -> bytes:
    """Returns a PNG file of one pixel. Not by TensorFlow, which may not start before its devices are set."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1), (128, 128, 128)).save(file, "PNG")
    return file.getvalue()
