"""Geometric and color augmentation that is the same for every image of a pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
from keras import ops

DRAWS = 9
"""Number of uniform draws per example."""


@dataclass(frozen=True)
class _Placement:
    """Crops and mirrors of a batch.

    Attributes:
        rows: First rows, int32 `[batch]`.
        columns: First columns, int32 `[batch]`.
        flip_rows: Mirror up and down, bool `[batch]`.
        flip_columns: Mirror left and right, bool `[batch]`.
    """

    rows: tf.Tensor
    columns: tf.Tensor
    flip_rows: tf.Tensor
    flip_columns: tf.Tensor


class PairedAugmentation:
    """Crops, flips, scales, rotates and color-jitters aligned images identically, in one resampling.

    The jitter of pix2pix (Isola et al. 2017, arXiv:1611.07004, section 6.2) is a random crop out of a
    slightly larger image and a mirror: whole pixels move, so it is exact. Scaling and rotation resample
    bilinearly, once, together with the crop and the mirror.

    It is a pure function of images and draws; the caller makes the draws from (seed, step).

    Args:
        size_px: Height and width of the result.
        horizontal_flip: Mirror left and right, half of the time.
        vertical_flip: Mirror up and down, half of the time.
        max_scale: Enlarge by a factor drawn log-uniformly from [1 / max_scale, max_scale]; 1 is off.
        max_rotation_degrees: Rotate by an angle drawn uniformly from [-max, max]; 0 is off.
        color_jitter: Strength in [0, 1) of a random change of brightness, contrast and saturation.

    Raises:
        ValueError: For a setting out of its range.
    """

    def __init__(
        self,
        *,
        size_px: int,
        horizontal_flip: bool = True,
        vertical_flip: bool = False,
        max_scale: float = 1.0,
        max_rotation_degrees: float = 0.0,
        color_jitter: float = 0.0,
    ):
        if max_scale < 1.0:
            raise ValueError(f"`max_scale` must be at least 1. Received: {max_scale}.")
        if not 0.0 <= max_rotation_degrees <= 180.0:
            raise ValueError(f"`max_rotation_degrees` must be in [0, 180]. Received: {max_rotation_degrees}.")
        if not 0.0 <= color_jitter < 1.0:
            raise ValueError(f"`color_jitter` must be in [0, 1). Received: {color_jitter}.")
        self.size_px = size_px
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.max_scale = max_scale
        self.max_rotation_degrees = max_rotation_degrees
        self.color_jitter = color_jitter

    def __call__(self, images: Sequence[tf.Tensor], draws: tf.Tensor) -> list[tf.Tensor]:
        """Augments aligned batches.

        Args:
            images: Tensors `[batch, load, load, channels]` (`load >= size_px`), uint8 in [0, 255].
            draws: float32 `[batch, DRAWS]`, uniform in [0, 1).

        Returns:
            As many float32 tensors `[batch, size_px, size_px, channels]` in [-1, 1].
        """
        splits = [image.shape[-1] for image in images]
        stacked = tf.concat(images, axis=-1)
        if self.max_scale > 1.0 or self.max_rotation_degrees > 0.0:
            stacked = self._warp(tf.cast(stacked, tf.float32), draws)
        else:
            stacked = tf.cast(self._crop_and_flip(stacked, draws), tf.float32)
        augmented = tf.split(stacked / 127.5 - 1.0, splits, axis=-1)
        if self.color_jitter:
            augmented = [self._jitter_color(image, draws) for image in augmented]
        return augmented

    def _placement(self, images, draws) -> _Placement:
        room = images.shape[1] - self.size_px
        rows = tf.cast(draws[:, 0] * (room + 1), tf.int32)
        columns = tf.cast(draws[:, 1] * (room + 1), tf.int32)
        flip_columns = (draws[:, 2] < 0.5) & self.horizontal_flip
        flip_rows = (draws[:, 3] < 0.5) & self.vertical_flip
        return _Placement(rows, columns, flip_rows, flip_columns)

    def _crop_and_flip(self, images, draws):
        place = self._placement(images, draws)
        positions = tf.range(self.size_px)
        for axis, offsets, flip in ((1, place.rows, place.flip_rows), (2, place.columns, place.flip_columns)):
            order = tf.where(flip[:, None], positions[::-1], positions)
            index = offsets[:, None] + order
            if axis == 1:
                images = tf.gather(images, index, axis=1, batch_dims=1)
            else:
                images = tf.gather(images, index, axis=2, batch_dims=1)
        return images

    def _warp(self, images, draws):
        place = self._placement(images, draws)
        scale = self.max_scale ** (1.0 - 2.0 * draws[:, 4])
        angle = (2.0 * draws[:, 5] - 1.0) * (self.max_rotation_degrees * math.pi / 180.0)
        cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
        mirror_x = tf.where(place.flip_columns, -1.0, 1.0)
        mirror_y = tf.where(place.flip_rows, -1.0, 1.0)
        a0, a1, b0, b1 = cos * mirror_x, -sin * mirror_y, sin * mirror_x, cos * mirror_y
        # Output pixel o reads input pixel c_in + M (o - c_out): rotation about the center of the crop.
        center = (self.size_px - 1) / 2.0
        a2 = tf.cast(place.columns, tf.float32) + center - (a0 + a1) * center
        b2 = tf.cast(place.rows, tf.float32) + center - (b0 + b1) * center
        zeros = tf.zeros_like(a0)
        transforms = tf.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=-1)
        warped = ops.image.affine_transform(
            images, transforms, interpolation="bilinear", fill_mode="reflect", data_format="channels_last"
        )
        return warped[:, : self.size_px, : self.size_px]

    def _jitter_color(self, images, draws):
        strength = (2.0 * draws[:, None, None, 6:9] - 1.0) * self.color_jitter
        brightness, contrast, saturation = tf.split(strength, 3, axis=-1)
        images = images + brightness
        mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
        images = mean + (images - mean) * (1.0 + contrast)
        gray = tf.reduce_mean(images, axis=-1, keepdims=True)
        return tf.clip_by_value(gray + (images - gray) * (1.0 + saturation), -1.0, 1.0)
