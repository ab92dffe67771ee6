"""Pixel losses between a generated and a target picture."""

from __future__ import annotations

from keras import ops


def l1_loss(target, output):
    """Mean absolute error, the reconstruction term of pix2pix (arXiv:1611.07004, equation 3).

    Args:
        target: float tensor `[batch, height, width, channels]`.
        output: float tensor of the same shape and range.

    Returns:
        float32 scalar.
    """
    return ops.mean(ops.abs(ops.cast(target, "float32") - ops.cast(output, "float32")))


RECONSTRUCTION_LOSSES = {"l1": l1_loss}
