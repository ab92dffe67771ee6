"""Files of images as numbers inside tf.data, and their check before training."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.labeled import LabeledImages
from tfgan_app.image_io.samples import Window, read_samples, sample_shape, to_unit

_THREADS = 4


class SampleFiles:
    """Images as numbers in files; an `ImageSource` of float32 in [0, 1].

    Args:
        paths: Readable files of `channels` channels.
        channels: Their channels.
        window: Data values that 0 and 1 stand for.

    Raises:
        ValueError: If a header cannot be read.
    """

    dtype = tf.float32

    def __init__(self, paths: Sequence[os.PathLike], *, channels: int, window: Window):
        self.channels = channels
        self._window = window
        with ThreadPoolExecutor() as pool:
            shapes = list(pool.map(lambda path: sample_shape(path, channels=channels), paths))
        self.sizes = np.array([shape[:2] for shape in shapes], np.int64)
        self.decoded_bytes = int(self.sizes.prod(axis=1).max()) * channels * self.dtype.size
        with tf.device("CPU:0"):
            self._paths = tf.constant([os.fsencode(path) for path in paths])

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """float32 [height, width, channels] in [0, 1] of the file at `index`, an int64 scalar."""
        values = tf.numpy_function(self._read, [self._paths[index]], tf.float32)
        return tf.ensure_shape(values, [None, None, self.channels])

    def _read(self, path: bytes) -> np.ndarray:
        return read_unit(os.fsdecode(path), channels=self.channels, window=self._window)


def read_unit(path: str | os.PathLike, *, channels: int, window: Window) -> np.ndarray:
    """Reads an image as numbers: float32 [height, width, channels] in [0, 1]; errors as for `read_samples`."""
    return to_unit(read_samples(path, channels=channels).pixels, window)


def find_readable_samples(
    images: LabeledImages,
    *,
    channels: int,
    on_skip: Callable[[str, str], Any],
    on_progress: Callable[[int, int], Any] = lambda done, total: None,
) -> LabeledImages:
    """Decodes every file once and drops those that cannot be read as numbers or have other channels.

    Args:
        images: Images in files.
        channels: Channels that they must have.
        on_skip: Called with the name of each dropped image and a line that names the file and the problem.
        on_progress: Called with the number of images checked and the total.

    Returns:
        The readable images, in the same order.

    Raises:
        ValueError: If the images are an array, which has 8 bits.
    """
    if images.paths is None:
        raise ValueError(
            "`data.channels` reads files as numbers, and the images of `keras:` have 8 bits: leave it out, or give a "
            "folder."
        )

    def problem(path: os.PathLike) -> str | None:
        try:
            read_samples(path, channels=channels)
        except ValueError as error:
            return str(error)
        return None

    kept = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for index, found in enumerate(pool.map(problem, images.paths)):
            on_progress(index + 1, len(images.paths))
            if found is None:
                kept.append(index)
            else:
                on_skip(images.names[index], found)
    return images.select(kept)
