"""A better answer out of the same model: the mean over the eight ways to lay a picture."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def self_ensemble(forward: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """Runs a model on a picture's four rotations and their mirror images, and averages the results laid back.

    "Seven ways to improve example-based single image super resolution", Timofte et al. 2016, arXiv:1511.02228,
    where it is called enhanced prediction. Costs eight times as much, tends to raise the PSNR of models trained
    for it, and blurs the texture of those trained against a discriminator.

    Args:
        forward: float32 `[batch, height, width, channels]` -> float32
            `[batch, scale * height, scale * width, channels]`, for any height and width.
        images: float32 `[batch, height, width, channels]`, square or not.

    Returns:
        float32, what `forward` returns, averaged.
    """
    total = None
    for transposed in (False, True):
        for flips in ([], [1], [2], [1, 2]):
            laid = tf.transpose(images, [0, 2, 1, 3]) if transposed else tf.convert_to_tensor(images)
            outputs = tf.reverse(forward(tf.reverse(laid, flips)), flips)
            outputs = tf.transpose(outputs, [0, 2, 1, 3]) if transposed else outputs
            total = outputs if total is None else total + outputs
    return total / 8.0
