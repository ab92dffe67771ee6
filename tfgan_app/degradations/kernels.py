"""Blur kernels, one for each example: Gaussian and its relatives, sinc, motion and defocus.

Every function returns float32 `[batch, size, size]` whose kernels sum to 1, with `size` odd and the origin in the
middle. Strengths are float32 `[batch]` and in pixels; at strength 0 a kernel leaves the image as it is.
"""

from __future__ import annotations

import tensorflow as tf

TRAJECTORY_KNOTS = 16
"""Number of points in time between which a random trajectory is straight."""

# Keeps the quotient by a width of 0 finite at the center; beyond it the kernel is 0 all the same.
_SMALLEST_SIGMA = 1e-4

# Share of its velocity that a trembling hand keeps from one knot to the next.
_INERTIA = 0.8


def gaussian_kernels(
    size: int, *, sigmas: tf.Tensor, angles: tf.Tensor | float = 0.0, beta: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Gaussian kernels, isotropic or not, and generalized ones: exp(-(d' S^-1 d)^beta / 2).

    Generalized Gaussians as in Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.1, after Liu et al. 2020).

    Args:
        size: Height and width, odd.
        sigmas: float32 `[batch, 2]`, standard deviations along and across.
        angles: float32 `[batch]`, of the first axis, in radians counter-clockwise from "to the right".
        beta: float32 `[batch]`, shape; 1 is Gaussian, larger is flatter, smaller has a sharper peak.

    Returns:
        float32 `[batch, size, size]`.
    """
    return _normalized(tf.exp(-0.5 * _form(size, sigmas, angles) ** _column(beta)))


def plateau_kernels(
    size: int, *, sigmas: tf.Tensor, angles: tf.Tensor | float = 0.0, beta: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Plateau-shaped kernels of Real-ESRGAN (arXiv:2107.10833, section 3.1): 1 / (1 + (d' S^-1 d)^beta).

    Args:
        size: Height and width, odd.
        sigmas: float32 `[batch, 2]`, half the width at half the height, along and across.
        angles: float32 `[batch]`, of the first axis, in radians counter-clockwise from "to the right".
        beta: float32 `[batch]`, shape; the larger, the steeper the sides.

    Returns:
        float32 `[batch, size, size]`.
    """
    return _normalized(1.0 / (1.0 + _form(size, sigmas, angles) ** _column(beta)))


def sinc_kernels(size: int, *, cutoffs: tf.Tensor) -> tf.Tensor:
    """Circular low-pass filters, which ring as sharpening and some codecs do (arXiv:2107.10833, section 3.3).

    Args:
        size: Height and width, odd.
        cutoffs: float32 `[batch]`, angular frequency in radians per pixel, in (0, pi].

    Returns:
        float32 `[batch, size, size]`, with negative values.
    """
    x, y = _offsets(size)
    distance = tf.sqrt(x * x + y * y)[None]
    cutoffs = _column(cutoffs)
    safe = tf.where(distance == 0.0, 1.0, distance)
    values = tf.math.special.bessel_j1(cutoffs * safe) / safe
    return _normalized(tf.where(distance == 0.0, cutoffs / 2.0, values))


def defocus_kernels(size: int, *, radii: tf.Tensor) -> tf.Tensor:
    """Disks with a soft edge of one pixel: a lens out of focus.

    Args:
        size: Height and width, odd; at least twice the largest radius.
        radii: float32 `[batch]`, in pixels.

    Returns:
        float32 `[batch, size, size]`.
    """
    x, y = _offsets(size)
    return _normalized(tf.clip_by_value(_column(radii) + 0.5 - tf.sqrt(x * x + y * y), 0.0, 1.0))


def line_kernels(size: int, *, lengths: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
    """Straight lines through the middle with ends between pixels: an even motion during the exposure.

    Args:
        size: Height and width, odd, at least `lengths`.
        lengths: float32 `[batch]`, in pixels.
        angles: float32 `[batch]`, in radians counter-clockwise from "to the right".

    Returns:
        float32 `[batch, size, size]`.
    """
    time = tf.linspace(-0.5, 0.5, 4 * size)
    along = lengths[:, None] * time
    return _path_kernels(size, x=along * tf.cos(angles)[:, None], y=-along * tf.sin(angles)[:, None])


def trajectory_kernels(size: int, *, lengths: tf.Tensor, angles: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Kernels of a camera in a trembling hand: a random path, centered on its mean.

    After Boracchi and Foi 2012 ("Modeling the performance of image restoration from motion blur"), as in DeblurGAN
    (Kupyn et al. 2017, arXiv:1711.07064): a velocity with inertia that normal impulses change.

    Deviations: no rare violent shakes and no pull towards the start; the length of the path is given and not drawn.

    Args:
        size: Height and width, odd, at least `lengths`.
        lengths: float32 `[batch]`, of the path, in pixels.
        angles: float32 `[batch]`, of the velocity at the start, in radians counter-clockwise from "to the right".
        draws: float32 `[batch, 2 * TRAJECTORY_KNOTS]` in [0, 1), the impulses.

    Returns:
        float32 `[batch, size, size]`.
    """
    impulses = tf.math.ndtri(tf.clip_by_value(draws, 1e-6, 1.0 - 1e-6))
    impulses = tf.reshape(impulses, (-1, 2, TRAJECTORY_KNOTS))
    first = 2.0 * tf.stack([tf.cos(angles), -tf.sin(angles)], axis=1)
    impulses = tf.concat([first[..., None], impulses[..., 1:]], axis=2)
    decay = tf.constant(
        [[_INERTIA ** max(now - then, 0) for now in range(TRAJECTORY_KNOTS)] for then in range(TRAJECTORY_KNOTS)]
    )
    velocity = tf.matmul(impulses, tf.linalg.band_part(decay, 0, -1))
    velocity *= (lengths / tf.reduce_sum(tf.norm(velocity, axis=1), axis=-1))[:, None, None]
    knots = tf.cumsum(velocity, axis=2)
    steps = tf.linspace(0.0, 1.0, 2 + 4 * size // TRAJECTORY_KNOTS)[1:]
    path = (knots - velocity)[..., None] + velocity[..., None] * steps
    path = tf.reshape(path, (-1, 2, TRAJECTORY_KNOTS * steps.shape[0]))
    path -= tf.reduce_mean(path, axis=-1, keepdims=True)
    return _path_kernels(size, x=path[:, 0], y=path[:, 1])


def cropped_kernels(kernels: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """Sets kernels to 0 outside of a smaller square of a size for each example.

    Args:
        kernels: float32 `[batch, size, size]`.
        sizes: int32 or float32 `[batch]`, odd.

    Returns:
        float32 `[batch, size, size]`.
    """
    x, y = _offsets(kernels.shape[1])
    inside = tf.maximum(tf.abs(x), tf.abs(y))[None] <= _column(tf.cast(sizes, tf.float32)) / 2.0
    return _normalized(tf.where(inside, kernels, 0.0))


def _path_kernels(size, *, x, y):
    """Shares each point of a path `[batch, points]` among the four pixels around it; y points down."""
    centers = tf.range(size, dtype=tf.float32) - size // 2
    columns, rows = (tf.maximum(1.0 - tf.abs(centers - place[..., None]), 0.0) for place in (x, y))
    return _normalized(tf.matmul(rows, columns, transpose_a=True))


def _form(size, sigmas, angles):
    """The quadratic form d' S^-1 d of each pixel's distance d from the middle."""
    x, y = _offsets(size)
    cosine, sine = _column(tf.cos(angles)), _column(tf.sin(angles))
    along, across = cosine * x - sine * y, sine * x + cosine * y
    sigmas = tf.maximum(sigmas, _SMALLEST_SIGMA)
    return (along / _column(sigmas[:, 0])) ** 2 + (across / _column(sigmas[:, 1])) ** 2


def _offsets(size):
    if size < 1 or size % 2 == 0:
        raise ValueError(f"`size` of a kernel must be odd and at least 1. Received: {size}.")
    offsets = tf.range(size, dtype=tf.float32) - size // 2
    return offsets[None, :], offsets[:, None]


def _column(values):
    return tf.reshape(values, (-1, 1, 1))


def _normalized(kernels):
    return kernels / tf.reduce_sum(kernels, axis=(1, 2), keepdims=True)
