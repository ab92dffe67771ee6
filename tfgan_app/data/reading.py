"""Reads picture pairs inside tf.data: decode, cut into halves, resize.

Plain JPEG and PNG files take TensorFlow's own decoders, which run in parallel without Python; every other
kind of picture goes through Pillow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import tensorflow as tf

from tfgan_app.data.pairs import PicturePair
from tfgan_app.images import PictureHeader, picture_header, read_rgb

RESIZES = ("short_side", "squash", "none")
"""Accepted values of `resize`."""

# A picture is decoded at 1/2, 1/4 or 1/8 of its size when that still leaves this many times the wanted size:
# the JPEG decoder then skips most of its work, and the antialiased resize after it still has enough to work
# with.
_OVERSAMPLING = 2
_JPEG_RATIOS = (1, 2, 4, 8)
_PNG, _PILLOW = "png", "pillow"
_IN_FLIGHT_BYTES = 2**29


class PairReader:
    """Reads pairs by index, input and target brought to the same size.

    Args:
        pairs: Readable pairs, all of one layout.
        size_px: Wanted size.
        resize: `"short_side"` scales the short side to `size_px` (and the long side in proportion),
            `"squash"` scales both sides to `size_px`, `"none"` keeps the size of the target unless its short
            side is below `size_px`.
        background: Colour behind transparent pixels.

    Attributes:
        shapes: int64 [pairs, 2], height and width of each pair as it is read.
        parallelism: How many pairs to read at once so that large pictures do not fill the memory.

    Raises:
        ValueError: If there is no pair, a header cannot be read or an option is not valid.
    """

    def __init__(
        self,
        pairs: Sequence[PicturePair],
        *,
        size_px: int,
        resize: str = "short_side",
        background: tuple[int, int, int] = (255, 255, 255),
    ):
        if resize not in RESIZES:
            raise ValueError(f"`resize` must be one of {', '.join(RESIZES)}. Received: '{resize}'.")
        if not pairs:
            raise ValueError("There must be at least one picture pair. Received none that can be read.")
        layouts = {(pair.input_half, pair.target_half) for pair in pairs}
        if len(layouts) > 1:
            raise ValueError("The pairs must all be side by side, or all in two files. Received both kinds.")
        self._halves = layouts.pop()
        # Both halves of a side-by-side picture come from one file, which is decoded once.
        files = [[pair.target_path for pair in pairs]]
        if None in self._halves:
            files.append([pair.input_path for pair in pairs])
        with ThreadPoolExecutor() as pool:
            headers = [list(pool.map(picture_header, paths)) for paths in files]
        sizes = np.array([[self._size(header) for header in column] for column in headers], np.int64)
        self.shapes = _fitted_shapes(sizes[0], size_px=size_px, resize=resize)
        self.parallelism = _parallelism(headers)
        self._decoders = [
            _DecoderTable(paths, decoders=self._choose(column, size_px=size_px, resize=resize), background=background)
            for paths, column in zip(files, headers, strict=True)
        ]
        with tf.device("CPU:0"):
            self._shapes = tf.constant(self.shapes)

    def read(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads one pair. For use inside tf.data.

        Args:
            index: int64 scalar.

        Returns:
            Input and target, both uint8 [height, width, 3] of the size in `shapes`.
        """
        target = picture = self._decoders[0].decode(index)
        if None in self._halves:
            picture = self._decoders[1].decode(index)
        input_half, target_half = self._halves
        shape = self._shapes[index]
        return _fit(_half(picture, input_half), shape), _fit(_half(target, target_half), shape)

    def dataset(self) -> tf.data.Dataset:
        """All pairs in order, as `(input, target)`, read in parallel."""
        indices = tf.data.Dataset.range(len(self.shapes))
        return indices.map(self.read, num_parallel_calls=self.parallelism, deterministic=True)

    def _size(self, header: PictureHeader) -> tuple[int, int]:
        """Height and width of the picture of a pair that a file holds."""
        width = header.width if None in self._halves else header.width // 2
        return header.height, width

    def _choose(self, headers: Sequence[PictureHeader], *, size_px: int, resize: str) -> list[str]:
        """How to decode each file: `"jpeg/RATIO"`, `"png"` or `"pillow"`."""
        decoders = []
        for header in headers:
            if not header.plain:
                decoders.append(_PILLOW)
            elif header.format == "PNG":
                decoders.append(_PNG)
            else:
                ratio = 1 if resize == "none" else _jpeg_ratio(*self._size(header), size_px=size_px)
                decoders.append(f"jpeg/{ratio}")
        return decoders


class _DecoderTable:
    """Files and how to decode each of them, looked up by index inside a graph."""

    def __init__(self, paths: Sequence[os.PathLike], *, decoders: Sequence[str], background: tuple[int, int, int]):
        kinds = sorted(set(decoders))
        self._branches = [_build_decoder(kind, background) for kind in kinds]
        with tf.device("CPU:0"):
            self._paths = tf.constant([os.fsencode(path) for path in paths])
            self._branch_indices = tf.constant([kinds.index(decoder) for decoder in decoders])

    def decode(self, index: tf.Tensor) -> tf.Tensor:
        """uint8 [height, width, 3] of the file at `index`."""
        path = self._paths[index]
        if len(self._branches) == 1:
            return self._branches[0](path)
        # Only the kinds that occur become branches: without odd files there is no Python in the graph.
        return tf.switch_case(self._branch_indices[index], [partial(branch, path) for branch in self._branches])


def _build_decoder(kind: str, background: tuple[int, int, int]) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from a file's path to uint8 [height, width, 3]."""
    if kind == _PILLOW:

        def read(path: bytes) -> np.ndarray:
            return read_rgb(os.fsdecode(path), background=background)

        def decode(path: tf.Tensor) -> tf.Tensor:
            return tf.ensure_shape(tf.numpy_function(read, [path], tf.uint8), [None, None, 3])

        return decode
    if kind == _PNG:
        return lambda path: tf.io.decode_png(tf.io.read_file(path), channels=3)
    ratio = int(kind.removeprefix("jpeg/"))
    return lambda path: decode_jpeg(tf.io.read_file(path), ratio=ratio)


def decode_jpeg(contents: tf.Tensor, *, ratio: int = 1) -> tf.Tensor:
    """Decodes a JPEG file at 1/`ratio` of its size, at full size exactly as Pillow does."""
    return tf.io.decode_jpeg(contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def _jpeg_ratio(height: int, width: int, *, size_px: int) -> int:
    """The largest ratio that leaves enough pixels and divides both sides.

    A side that does not divide would be rounded up, and the picture shifted against its partner.
    """
    wanted = size_px * _OVERSAMPLING
    fits = [r for r in _JPEG_RATIOS if height % r == width % r == 0 and min(height, width) // r >= wanted]
    return max(fits, default=1)


def _fitted_shapes(shapes: np.ndarray, *, size_px: int, resize: str) -> np.ndarray:
    """Heights and widths after resizing, int64 [pairs, 2]."""
    if resize == "squash":
        return np.full_like(shapes, size_px)
    short = shapes.min(axis=1, keepdims=True)
    wanted = np.full_like(short, size_px) if resize == "short_side" else np.maximum(short, size_px)
    # In integers, so that the short side is exact; the long side is rounded to the nearest.
    return (2 * shapes * wanted + short) // (2 * short)


def _parallelism(headers: Sequence[Sequence[PictureHeader]]) -> int:
    """How many pairs of the largest size can be decoded at once in a bounded amount of memory."""
    largest = sum(max(header.width * header.height * 3 for header in column) for column in headers)
    return max(1, min(os.cpu_count() or 1, _IN_FLIGHT_BYTES // largest))


def _half(picture: tf.Tensor, half: str | None) -> tf.Tensor:
    if half is None:
        return picture
    width = tf.shape(picture)[1] // 2
    return picture[:, :width] if half == "left" else picture[:, width : 2 * width]


def _fit(picture: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Resizes uint8 [h, w, 3] to `shape`, antialiased; a picture of that size stays as it is."""

    def resize() -> tf.Tensor:
        resized = tf.image.resize(picture, tf.cast(shape, tf.int32), method="bicubic", antialias=True)
        return tf.saturate_cast(tf.round(resized), tf.uint8)

    same = tf.reduce_all(tf.shape(picture, out_type=tf.int64)[:2] == shape)
    return tf.ensure_shape(tf.cond(same, lambda: picture, resize), [None, None, 3])
