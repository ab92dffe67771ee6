"""Loss of color."""

from __future__ import annotations

import tensorflow as tf

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601, which JPEG and most gray images use."""


class Gray:
    """Replaces every pixel's color with its luma, in all three channels."""

    draws_per_example = 0
    """Number of uniform draws per example."""

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Makes float32 `[batch, height, width, 3]` in [0, 1] gray; `draws` are not used."""
        return tf.repeat(luma(images), 3, axis=-1)


def luma(images: tf.Tensor) -> tf.Tensor:
    """The luma float32 `[..., 1]` of colors float32 `[..., 3]`."""
    # Channel by channel: a product with an axis of 3 is several times as slow.
    return tf.add_n([weight * images[..., index : index + 1] for index, weight in enumerate(LUMA)])
