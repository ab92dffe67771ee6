"""Classic augmentation of a classifier's images: mirror, shift, scale, rotate, erase."""

from __future__ import annotations

import math

import tensorflow as tf

_DRAWS = 9


class ClassicAugmentation:
    """Label-preserving changes, drawn independently for each image, in one resampling and one erasing.

    Args:
        horizontal_flip: Mirror left and right, half of the time.
        shift: Shift by up to this share of the side, either way; the border is repeated.
        scale: Enlarge or shrink by up to this share.
        rotation_degrees: Turn by up to this angle, either way.
        erase: Share of images in which a rectangle is erased ("Random Erasing", Zhong et al. 2017,
            arXiv:1708.04896; here always filled with the image's mean, 2 % to 20 % of the area).
    """

    def __init__(
        self,
        *,
        horizontal_flip: bool = True,
        shift: float = 0.1,
        scale: float = 0.1,
        rotation_degrees: float = 0.0,
        erase: float = 0.0,
    ):
        self.horizontal_flip = horizontal_flip
        self.shift = shift
        self.scale = scale
        self.rotation_degrees = rotation_degrees
        self.erase = erase

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Augments images.

        Args:
            images: float32 `[batch, height, width, channels]`.
            seed: int32 `[2]`; the same seed changes them in the same way.

        Returns:
            The same shape, within the range of the images.
        """
        draws = tf.random.stateless_uniform([tf.shape(images)[0], _DRAWS], seed)
        images = self._move(images, draws)
        return self._erased(images, draws) if self.erase else images

    def _move(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        height, width = images.shape[1:3]
        centered = 2.0 * draws[:, :5] - 1.0
        factor = 1.0 / (1.0 + self.scale * centered[:, 2])
        angle = centered[:, 3] * (self.rotation_degrees * math.pi / 180.0)
        mirror = tf.where((draws[:, 4] < 0.5) & self.horizontal_flip, -1.0, 1.0)
        cos, sin = factor * tf.cos(angle), factor * tf.sin(angle)
        a0, a1, b0, b1 = cos * mirror, -sin, sin * mirror, cos
        # Each output pixel reads one input pixel: turned about the middle, and then moved.
        middle_x, middle_y = (width - 1) / 2.0, (height - 1) / 2.0
        a2 = middle_x - a0 * middle_x - a1 * middle_y + centered[:, 0] * (self.shift * width)
        b2 = middle_y - b0 * middle_x - b1 * middle_y + centered[:, 1] * (self.shift * height)
        zeros = tf.zeros_like(a0)
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=-1),
            output_shape=[height, width],
            interpolation="BILINEAR",
            fill_mode="NEAREST",
            fill_value=0.0,
        )

    def _erased(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        height, width = images.shape[1:3]
        side = tf.sqrt(0.02 + 0.18 * draws[:, 5:6])
        # Whether and where are drawn separately, so that the share of images does not depend on the place.
        wanted = draws[:, 8:9] < self.erase
        rows = _within(height, draws[:, 6:7], side)
        columns = _within(width, draws[:, 7:8], side)
        mask = (rows & wanted)[:, :, None, None] & columns[:, None, :, None]
        return tf.where(mask, tf.reduce_mean(images, axis=(1, 2), keepdims=True), images)


def _within(length: int, position: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Mask of the pixels in a stretch of the given share of `length`: bool `[batch, length]`."""
    start = position * (1.0 - share) * length
    pixels = tf.range(length, dtype=tf.float32)[None]
    return (pixels >= start) & (pixels < start + share * length)
