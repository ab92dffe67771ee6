"""Blur with a different kernel for each image, and the blur degradations."""

from __future__ import annotations

import math

import tensorflow as tf

from tfgan_app.degradations.arguments import check_range, check_share, height_and_width
from tfgan_app.degradations.draws import choice, in_range
from tfgan_app.degradations.kernels import (
    TRAJECTORY_KNOTS,
    defocus_kernels,
    gaussian_kernels,
    line_kernels,
    trajectory_kernels,
)
from tfgan_app.degradations.resampling import mirrored


def blur(images: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
    """Filters each image with its own kernel; borders are mirrored about the pixels' edge.

    As filters usually are, this is a correlation: the kernel is laid over the image as it is, not turned over.

    Args:
        images: float32 `[batch, height, width, channels]`, of any size, also smaller than the kernels.
        kernels: float32 `[batch, size, size]`, `size` odd and static.

    Returns:
        float32 `[batch, height, width, channels]`.
    """
    size = kernels.shape[1]
    batch, channels = tf.shape(images)[0], images.shape[3]
    height, width = height_and_width(images)
    # With batch and channels folded into one, this is a single depthwise convolution of one image. On CPUs it beats
    # FFTs at every size used here and grouped convolutions by an order of magnitude.
    folded = tf.transpose(images, (1, 2, 0, 3))
    for axis, length in ((0, height), (1, width)):
        places = mirrored(tf.range(-(size // 2), length + size // 2), length)
        folded = tf.gather(folded, places, axis=axis)
    folded = tf.reshape(folded, (1, height + size - 1, width + size - 1, batch * channels))
    filters = tf.repeat(tf.transpose(kernels, (1, 2, 0)), channels, axis=2)[..., None]
    folded = tf.nn.depthwise_conv2d(folded, filters, (1, 1, 1, 1), "VALID")
    blurred = tf.transpose(tf.reshape(folded, (height, width, batch, channels)), (2, 0, 1, 3))
    return tf.ensure_shape(blurred, images.shape)


class GaussianBlur:
    """Blurs each image with a Gaussian of random width; for a share of them of two widths at a random angle.

    Args:
        sigma_px: Range of the standard deviation, uniform.
        anisotropic: Share of the images whose Gaussian is wider in one direction than across.

    Raises:
        ValueError: For a setting out of its range.
    """

    draws_per_example = 4
    """Number of uniform draws per example."""

    def __init__(self, *, sigma_px: tuple[float, float] = (0.2, 3.0), anisotropic: float = 0.5):
        self.sigma_px = check_range("sigma_px", sigma_px, limits=(0.0, 50.0))
        self.anisotropic = check_share("anisotropic", anisotropic)
        self._size = 2 * math.ceil(3.0 * sigma_px[1]) + 1

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Blurs float32 `[batch, height, width, 3]` by draws float32 `[batch, draws_per_example]` in [0, 1)."""
        gate, along, across, angle = tf.unstack(draws, self.draws_per_example, axis=1)
        across = tf.where(gate < self.anisotropic, across, along)
        sigmas = in_range(tf.stack([along, across], axis=1), self.sigma_px)
        return blur(images, gaussian_kernels(self._size, sigmas=sigmas, angles=math.pi * angle))


class MotionDefocusBlur:
    """Blurs each image in one of three ways: straight motion, a trembling hand, or a lens out of focus.

    Args:
        length_px: Range of the length of a motion's path, uniform.
        radius_px: Range of the radius of a disk out of focus, uniform.
        shares: Weights of straight motions, trembling hands and lenses out of focus.

    Raises:
        ValueError: For a setting out of its range.
    """

    draws_per_example = 3 + 2 * TRAJECTORY_KNOTS
    """Number of uniform draws per example."""

    def __init__(
        self,
        *,
        length_px: tuple[float, float] = (0.0, 25.0),
        radius_px: tuple[float, float] = (0.0, 5.0),
        shares: tuple[float, float, float] = (0.25, 0.45, 0.3),
    ):
        if len(shares) != 3 or min(shares) < 0 or sum(shares) <= 0:
            raise ValueError(
                "`shares` must be three weights (straight motion, trembling hand, out of focus), none negative and "
                f"not all 0. Received: {shares}."
            )
        self.length_px = check_range("length_px", length_px, limits=(0.0, 200.0))
        self.radius_px = check_range("radius_px", radius_px, limits=(0.0, 100.0))
        self.shares = shares
        longest = length_px[1] if shares[0] or shares[1] else 0.0
        widest = radius_px[1] if shares[2] else 0.0
        # No point of a path is further from its mean than half of its length.
        self._size = 2 * max(math.ceil(longest / 2.0), math.ceil(widest)) + 1

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Blurs float32 `[batch, height, width, 3]` by draws float32 `[batch, draws_per_example]` in [0, 1)."""
        kind = choice(draws[:, 0], self.shares)[:, None, None]
        lengths = in_range(draws[:, 1], self.length_px)
        angles = 2.0 * math.pi * draws[:, 2]
        line = line_kernels(self._size, lengths=lengths, angles=angles)
        path = trajectory_kernels(self._size, lengths=lengths, angles=angles, draws=draws[:, 3:])
        disk = defocus_kernels(self._size, radii=in_range(draws[:, 1], self.radius_px))
        return blur(images, tf.where(kind == 0, line, tf.where(kind == 1, path, disk)))
