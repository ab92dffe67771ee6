"""Decoding of images by index inside tf.data, from files or an array.

Plain JPEG and PNG files use TensorFlow's decoders, which run in parallel without Python; all other images go through
Pillow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfgan_app.data.records import RecordFiles
from tfgan_app.image_io.loading import ImageHeader, image_header, read_rgb
from tfgan_app.image_io.value_range import InputRange

# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that leaves at least this many times the wanted size. The decoder
# then skips most of its work, and the antialiased resize still has enough pixels.
OVERSAMPLING = 2
JPEG_RATIOS = (1, 2, 4, 8)
_PNG, _PILLOW = "png", "pillow"


class ImageSource(Protocol):
    """Images that can be decoded by their index.

    Attributes:
        sizes: int64 [images, 2], height and width of each.
        channels: Number of channels of a decoded image.
        dtype: uint8 in 0..255, or float32 in [0, 1].
        decoded_bytes: Size of the largest decoded image.
    """

    sizes: np.ndarray
    channels: int
    dtype: tf.DType
    decoded_bytes: int

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """[height, width, channels] of the image at `index`, an int64 scalar."""


class ArrayImages:
    """Images of one size that are already decoded.

    Args:
        images: uint8 [images, height, width, channels].
    """

    dtype = tf.uint8

    def __init__(self, images: np.ndarray):
        count, height, width, self.channels = images.shape
        self.sizes = np.full((count, 2), (height, width), np.int64)
        self.decoded_bytes = height * width * self.channels
        with tf.device("CPU:0"):
            self._images = tf.constant(images)

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """uint8 [height, width, channels] of the image at `index`, an int64 scalar."""
        return self._images[index]


class FileImages:
    """Images in files.

    Args:
        paths: Readable images of any kind.
        parts: 2 if each file holds two images side by side; `sizes` are then those of one image.
        reduce_to_px: JPEG files may be decoded at a reduced size whose short side is still well above this; None
            decodes at full size.
        background: Color behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Raises:
        ValueError: If a header cannot be read.
    """

    channels = 3
    dtype = tf.uint8

    def __init__(
        self,
        paths: Sequence[os.PathLike],
        *,
        parts: int = 1,
        reduce_to_px: int | None = None,
        background: tuple[int, int, int] = (255, 255, 255),
        input_range: InputRange | None = None,
    ):
        with ThreadPoolExecutor() as pool:
            headers = list(pool.map(image_header, paths))
        self.sizes = np.array([(header.height, header.width // parts) for header in headers], np.int64)
        self.decoded_bytes = max(header.width * header.height * self.channels for header in headers)
        decoders = [
            _choose_decoder(header, size=size, reduce_to_px=reduce_to_px)
            for header, size in zip(headers, self.sizes, strict=True)
        ]
        kinds = sorted(set(decoders))
        self._branches = [_build_decoder(kind, background, input_range) for kind in kinds]
        with tf.device("CPU:0"):
            self._paths = tf.constant([os.fsencode(path) for path in paths])
            self._branch_indices = tf.constant([kinds.index(decoder) for decoder in decoders])

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """uint8 [height, width, 3] of the file at `index`, an int64 scalar."""
        path = self._paths[index]
        if len(self._branches) == 1:
            return self._branches[0](path)
        # Only the decoders in use become branches: without unusual files there is no Python in the graph.
        return tf.switch_case(self._branch_indices[index], [partial(branch, path) for branch in self._branches])


def image_sizes(paths: Sequence[os.PathLike]) -> np.ndarray:
    """Returns height and width of each image, int64 [images, 2], from the headers or the index of a prepared set."""
    if isinstance(paths, RecordFiles):
        return paths.sizes
    headers = [image_header(path) for path in paths]
    return np.array([(header.height, header.width) for header in headers], np.int64).reshape(-1, 2)


def decode_jpeg(contents: tf.Tensor, *, ratio: int = 1) -> tf.Tensor:
    """Decodes a JPEG file at 1/`ratio` of its size; at full size the result is identical to Pillow's."""
    return tf.io.decode_jpeg(contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def _choose_decoder(header: ImageHeader, *, size: Sequence[int], reduce_to_px: int | None) -> str:
    """Returns the decoder of a file with images of `size`: `"jpeg/RATIO"`, `"png"` or `"pillow"`."""
    if not header.plain:
        return _PILLOW
    if header.format == "PNG":
        return _PNG
    return f"jpeg/{1 if reduce_to_px is None else _jpeg_ratio(*size, size_px=reduce_to_px)}"


def _build_decoder(
    kind: str, background: tuple[int, int, int], input_range: InputRange | None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function from a file's path to uint8 [height, width, 3]."""
    if kind == _PILLOW:

        def read(path: bytes) -> np.ndarray:
            return read_rgb(os.fsdecode(path), background=background, input_range=input_range)

        def decode(path: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(tf.numpy_function(read, [path], tf.uint8), [None, None, 3])

        return decode
    if kind == _PNG:
        return lambda path: tf.io.decode_png(tf.io.read_file(path), channels=3)
    ratio = int(kind.removeprefix("jpeg/"))
    return lambda path: decode_jpeg(tf.io.read_file(path), ratio=ratio)


def _jpeg_ratio(height: int, width: int, *, size_px: int) -> int:
    """Returns the largest ratio that leaves enough pixels and divides both sides.

    Other sides would be rounded up, which would shift the image against its partner.
    """
    wanted = size_px * OVERSAMPLING
    fits = [r for r in JPEG_RATIOS if height % r == width % r == 0 and min(height, width) // r >= wanted]
    return max(fits, default=1)
