"""Differentiable JPEG compression inside the graph."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_app.degradations.arguments import check_range, height_and_width
from tfgan_app.degradations.color import luma
from tfgan_app.degradations.draws import in_range
from tfgan_app.degradations.quantization import round_through, to_eight_bits

SUBSAMPLINGS = ("4:2:0", "4:4:4")
"""Names of the chroma subsamplings: half height and width, or full size."""

# Tables K.1 and K.2 of ITU-T T.81.
_LUMA_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_CHROMA_TABLE = np.array(
    [
        [17, 18, 24, 47, 99, 99, 99, 99],
        [18, 21, 26, 66, 99, 99, 99, 99],
        [24, 26, 56, 99, 99, 99, 99, 99],
        [47, 66, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
    ],
    np.float32,
)


def _block_transform():
    """The orthogonal matrix float32 `[64, 64]` from the pixels of a block to its DCT coefficients."""
    frequency, place = np.mgrid[:8, :8]
    transform = np.cos(np.pi * (2 * place + 1) * frequency / 16.0) / 2.0
    transform[0] /= np.sqrt(2.0)
    return np.kron(transform, transform).astype(np.float32)


_BLOCK_TRANSFORM = _block_transform()


def jpeg(images: tf.Tensor, quality: tf.Tensor, *, subsampling: str = "4:2:0") -> tf.Tensor:
    """Compresses each image as baseline JPEG with its own quality, and decodes it again.

    The arithmetic of ITU-T T.81 and JFIF with the Independent JPEG Group's scaling of the standard tables, and with
    their rounding to 8 bits of luma and chroma and smooth ("fancy") upsampling of color. Nearly all pixels are those
    that libjpeg, and so Pillow, gives for the same quality; most others differ by 1/255. Rounding is exact and the
    gradient passes it unchanged.

    Deviation: libjpeg repeats color instead of smoothing it in images of at most four columns.

    Args:
        images: float32 `[batch, height, width, 3]` in [0, 1], of any size; clipped and rounded to 8 bits first.
        quality: float32 `[batch]`, rounded to a whole number, in [1, 100].
        subsampling: `"4:2:0"` or `"4:4:4"`.

    Returns:
        float32 `[batch, height, width, 3]` in [0, 1], multiples of 1/255.

    Raises:
        ValueError: For an unknown subsampling.
    """
    _check_subsampling(subsampling)
    factor = 2 if subsampling == "4:2:0" else 1
    height, width = height_and_width(images)
    padded = _pad(to_eight_bits(images) * 255.0, 8 * factor)
    y = luma(padded)
    # Without the offset of 128 of both chroma planes and the level shift of luma, which encoder and decoder cancel.
    chroma = tf.concat([(padded[..., 2:] - y) / 1.772, (padded[..., :1] - y) / 1.402], axis=-1)
    y, chroma = round_through(y - 128.0), round_through(chroma)
    if factor == 2:
        chroma = _halve(chroma)
    y = _compress(y, _scaled_table(_LUMA_TABLE, quality))
    chroma = _compress(chroma, _scaled_table(_CHROMA_TABLE, quality))
    if factor == 2:
        chroma = chroma[:, : -(-height // 2), : -(-width // 2)]
        chroma = round_through(_double(_double(chroma, axis=1), axis=2))
    y, chroma = y[:, :height, :width] + 128.0, chroma[:, :height, :width]
    blue, red = y + 1.772 * chroma[..., :1], y + 1.402 * chroma[..., 1:]
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    decoded = to_eight_bits(tf.concat([red, green, blue], axis=-1) / 255.0)
    return tf.ensure_shape(decoded, images.shape)


class Jpeg:
    """Compresses each image as JPEG of a random quality. See `jpeg`.

    Args:
        quality: Range of the quality, uniform over its whole numbers, within [1, 100].
        subsampling: `"4:2:0"`, as most programs write, or `"4:4:4"`.

    Raises:
        ValueError: For a setting out of its range.
    """

    draws_per_example = 1
    """Number of uniform draws per example."""

    def __init__(self, *, quality: tuple[float, float] = (5, 95), subsampling: str = "4:2:0"):
        low, high = check_range("quality", quality, limits=(1, 100))
        _check_subsampling(subsampling)
        self.quality = (low, high)
        self.subsampling = subsampling

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Compresses float32 `[batch, height, width, 3]` by draws float32 `[batch, draws_per_example]` in [0, 1)."""
        low, high = self.quality
        quality = tf.floor(in_range(draws[:, 0], (low, high + 1.0)))
        return jpeg(images, tf.minimum(quality, high), subsampling=self.subsampling)


def _check_subsampling(subsampling):
    if subsampling not in SUBSAMPLINGS:
        raise ValueError(f"`subsampling` must be one of {', '.join(SUBSAMPLINGS)}. Received: '{subsampling}'.")


def _scaled_table(table, quality):
    """Divisors `[batch, 1, 64]`, as the Independent JPEG Group's encoder scales a table by its quality."""
    quality = tf.clip_by_value(tf.round(tf.cast(quality, tf.float32)), 1.0, 100.0)[:, None, None]
    percent = tf.where(quality < 50.0, tf.floor(5000.0 / quality), 200.0 - 2.0 * quality)
    # The half keeps the cut of whole quotients whole where a compiler multiplies by 0.01.
    return tf.clip_by_value(tf.floor((table.reshape(1, 1, 64) * percent + 50.5) / 100.0), 1.0, 255.0)


def _pad(images, multiple):
    """Repeats the last row and column until both sizes are multiples."""
    for axis, size in zip((1, 2), height_and_width(images), strict=True):
        if isinstance(size, int) and size % multiple == 0:
            continue
        images = tf.gather(images, tf.minimum(tf.range(-(-size // multiple) * multiple), size - 1), axis=axis)
    return images


def _halve(planes):
    """Means over 2 x 2 pixels; libjpeg adds 1 and 2 to the sums in turn before it cuts off their last two bits."""
    means = tf.nn.avg_pool2d(planes, 2, 2, "VALID")
    bias = 0.25 + 0.25 * tf.cast(tf.range(height_and_width(means)[1]) % 2, tf.float32)
    # Rounding to the nearest of what lies 3/8 lower is cutting off, for multiples of 1/4.
    return round_through(means + bias[:, None] - 0.375)


def _compress(planes, divisors):
    """Rounds the DCT coefficients of planes `[batch, height, width, count]`; the result is rounded and clipped too."""
    height, width = height_and_width(planes)
    rows, columns, count = height // 8, width // 8, planes.shape[3]
    blocks = tf.transpose(tf.reshape(planes, (-1, rows, 8, columns, 8, count)), (0, 5, 1, 3, 2, 4))
    # One product transforms both axes of a block.
    coefficients = tf.matmul(tf.reshape(blocks, (-1, 64)), _BLOCK_TRANSFORM, transpose_b=True)
    coefficients = tf.reshape(coefficients, (tf.shape(planes)[0], count * rows * columns, 64))
    # Flat blocks often give halves. Here libjpeg rounds them away from zero, and pixels up; float32's errors must not.
    coefficients = round_through(coefficients / divisors * (1.0 + 1e-5)) * divisors
    blocks = round_through(tf.matmul(tf.reshape(coefficients, (-1, 64)), _BLOCK_TRANSFORM) + 1e-3)
    blocks = tf.transpose(tf.reshape(blocks, (-1, count, rows, columns, 8, 8)), (0, 2, 4, 3, 5, 1))
    return tf.clip_by_value(tf.reshape(blocks, (-1, rows * 8, columns * 8, count)), -128.0, 127.0)


def _double(planes, *, axis):
    """Doubles one axis with weights 3/4 and 1/4, as libjpeg upsamples color."""
    size = height_and_width(planes)[axis - 1]
    near = 0.75 * planes
    before = tf.gather(planes, tf.maximum(tf.range(size) - 1, 0), axis=axis)
    after = tf.gather(planes, tf.minimum(tf.range(size) + 1, size - 1), axis=axis)
    doubled = tf.stack([near + 0.25 * before, near + 0.25 * after], axis=axis + 1)
    shape = [-1, *height_and_width(planes), planes.shape[3]]
    shape[axis] = 2 * size
    return tf.reshape(doubled, shape)
