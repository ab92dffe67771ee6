"""Resizing like MATLAB's `imresize`, the standard of super-resolution."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan_app.degradations.arguments import height_and_width


def _cubic(x):
    """Keys' kernel (1981) with a = -0.5, support 4."""
    x = tf.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return tf.where(x <= 1.0, near, tf.where(x <= 2.0, far, 0.0))


def _triangle(x):
    return tf.maximum(1.0 - tf.abs(x), 0.0)


def _lanczos3(x):
    x *= np.pi
    inside = tf.where(tf.abs(x) < 3.0 * np.pi, 3.0 * tf.math.divide_no_nan(tf.sin(x) * tf.sin(x / 3.0), x * x), 0.0)
    return tf.where(x == 0.0, tf.ones_like(x), inside)


_KERNELS: dict[str, tuple[Callable, float]] = {
    "bicubic": (_cubic, 4.0),
    "bilinear": (_triangle, 2.0),
    "lanczos3": (_lanczos3, 6.0),
}

METHODS = (*_KERNELS, "area")
"""Names of the kernels of `resize`."""


def resize(
    images: tf.Tensor,
    *,
    height: int | tf.Tensor,
    width: int | tf.Tensor,
    method: str = "bicubic",
    antialias: bool = True,
) -> tf.Tensor:
    """Resizes images as MATLAB's `imresize(images, [height width], method)` does.

    Rows, then columns, are multiplied with a matrix of weights: a kernel that antialiasing widens by the factor of
    reduction, normalized, with borders mirrored about the pixels' edge. Nothing is clipped: kernels with negative
    lobes leave [0, 1] slightly at strong edges.

    Deviation: `"area"` is the exact mean over the area of each new pixel, also if that is not a whole number of old
    ones (MATLAB's `box` takes whole pixels), and is not changed by `antialias`.

    Args:
        images: float32 `[batch, height, width, channels]`.
        height: Height of the result, at least 1; an integer, or an int32 scalar that is known only in the graph.
        width: Width of the result, likewise.
        method: `"bicubic"` (a = -0.5), `"bilinear"`, `"lanczos3"` or `"area"`.
        antialias: Widen the kernel when the image is reduced.

    Returns:
        float32 `[batch, height, width, channels]`. The mean is kept where a reduction is by a whole number.

    Raises:
        ValueError: For an unknown method.
    """
    sizes = height_and_width(images)
    weights = [
        _weights(size, new, ratio=None, method=method, antialias=antialias)
        for size, new in zip(sizes, (height, width), strict=True)
    ]
    return _apply(images, *weights)


def downscale(images: tf.Tensor, *, scale: int, method: str = "bicubic") -> tf.Tensor:
    """Reduces images by a whole number as MATLAB's `imresize(images, 1 / scale, method)` does, antialiased.

    Args:
        images: float32 `[batch, height, width, channels]`.
        scale: Factor of reduction, at least 1.
        method: As in `resize`.

    Returns:
        float32 `[batch, ceil(height / scale), ceil(width / scale), channels]`. Pixel i covers the old pixels
        `scale * i` to `scale * i + scale - 1`, also if the old size is not a multiple of `scale`.

    Raises:
        ValueError: For an unknown method, or a scale below 1.
    """
    if scale < 1:
        raise ValueError(f"`scale` must be a whole number of at least 1. Received: {scale}.")
    weights = [
        _weights(size, -(-size // scale), ratio=1.0 / scale, method=method, antialias=True)
        for size in height_and_width(images)
    ]
    return _apply(images, *weights)


class Downscale:
    """Reduces images by a whole number: the classical degradation of super-resolution.

    Args:
        scale: Factor of reduction.
        method: As in `resize`.

    Raises:
        ValueError: For an unknown method, or a scale below 1.
    """

    draws_per_example = 0
    """Number of uniform draws per example."""

    def __init__(self, *, scale: int = 4, method: str = "bicubic"):
        if scale < 1:
            raise ValueError(f"`scale` must be a whole number of at least 1. Received: {scale}.")
        _check_method(method)
        self.scale = scale
        self.method = method

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Reduces float32 `[batch, height, width, 3]` in [0, 1]; `draws` are not used. See `downscale`."""
        return downscale(images, scale=self.scale, method=self.method)


def _check_method(method):
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}. Received: '{method}'.")


def _weights(size, new_size, *, ratio, method, antialias):
    """The weight matrix `[new_size, size]` of one axis; a constant where both sizes are integers."""
    _check_method(method)
    if isinstance(size, int) and isinstance(new_size, int):
        return tf.constant(_static_matrix(size, new_size, ratio, method, antialias))
    return _matrix(size, new_size, ratio, method, antialias)


@functools.lru_cache(maxsize=64)
def _static_matrix(size, new_size, ratio, method, antialias) -> np.ndarray:
    # Also while a graph is traced, this runs eagerly: the graph receives numbers.
    with tf.init_scope(), tf.device("CPU"):
        return _matrix(size, new_size, ratio, method, antialias).numpy()


def _matrix(size, new_size, ratio, method, antialias):
    """Weight matrix in float64, since positions in large images would lose digits that the weights need."""
    if ratio is None:
        ratio = tf.cast(new_size, tf.float64) / tf.cast(size, tf.float64)
    ratio = tf.cast(ratio, tf.float64)
    if method == "area":
        support, stretch = 1.0 / ratio + 1.0, tf.ones((), tf.float64)
        kernel = functools.partial(_overlap, half=0.5 / ratio)
    else:
        kernel, support = _KERNELS[method]
        stretch = tf.minimum(ratio, 1.0) if antialias else tf.ones((), tf.float64)
        support = support / stretch
    centers = (tf.range(tf.cast(new_size, tf.float64), dtype=tf.float64) + 0.5) / ratio - 0.5
    positions = tf.floor(centers - support / 2.0)[:, None] + tf.range(tf.math.ceil(support) + 2.0)
    weights = kernel((centers[:, None] - positions) * stretch)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    columns = mirrored(tf.cast(positions, tf.int32), size)
    rows = tf.broadcast_to(tf.range(new_size)[:, None], tf.shape(columns))
    # Positions that are mirrored into the image add to the weight of the pixel that is already there.
    matrix = tf.scatter_nd(tf.stack([rows, columns], axis=-1), weights, (new_size, size))
    return tf.cast(matrix, tf.float32)


def _overlap(distance, *, half):
    """Overlap of an old pixel at a distance with a new pixel of half size `half`."""
    return tf.maximum(tf.minimum(distance + 0.5, half) - tf.maximum(distance - 0.5, -half), 0.0)


def mirrored(positions: tf.Tensor, size: int | tf.Tensor) -> tf.Tensor:
    """Folds positions into an image whose borders are mirrored about the pixels' edge, as often as needed.

    Args:
        positions: int32 of any shape; -1 is the pixel before the first.
        size: Size of the image along this axis.

    Returns:
        int32 of the same shape in [0, size).
    """
    folded = tf.math.floormod(positions, 2 * size)
    return tf.minimum(folded, 2 * size - 1 - folded)


def _apply(images, rows, columns):
    """Multiplies both axes with their matrices, each time with the other axes flattened into one long one."""
    for weights in (rows, columns):
        batch, channels = tf.shape(images)[0], images.shape[3]
        old, other = height_and_width(images)
        new = weights.shape[0] or tf.shape(weights)[0]
        images = tf.matmul(weights, tf.reshape(images, (batch, old, other * channels)))
        images = tf.transpose(tf.reshape(images, (batch, new, other, channels)), (0, 2, 1, 3))
    return images
