"""Rounding with a straight-through gradient, and the rounding of 8-bit files."""

from __future__ import annotations

import tensorflow as tf


@tf.custom_gradient
def round_through(x: tf.Tensor) -> tuple[tf.Tensor, object]:
    """Rounds to the nearest integer with a straight-through gradient (Bengio et al. 2013, arXiv:1308.3432).

    Args:
        x: floating tensor.

    Returns:
        Whole numbers of the shape and dtype of `x`.
    """
    return tf.round(x), lambda upstream: upstream


def to_eight_bits(images: tf.Tensor) -> tf.Tensor:
    """Clips to [0, 1] and rounds to multiples of 1/255, as saving to a file does.

    Args:
        images: float32 of any shape.

    Returns:
        float32 of the same shape. No gradient passes where `images` is outside of [0, 1].
    """
    return round_through(tf.clip_by_value(images, 0.0, 1.0) * 255.0) / 255.0
