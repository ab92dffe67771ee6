"""Pixel losses between a generated and a target image."""

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


CHARBONNIER_EPSILON = 1e-3


def charbonnier_loss(target, output):
    """Mean of `sqrt(error^2 + epsilon^2)`, an L1 that is smooth at 0: Lai et al. 2017, arXiv:1704.03915, section 3.2.

    Args:
        target: float tensor `[batch, height, width, channels]`.
        output: float tensor of the same shape and range.

    Returns:
        float32 scalar, `CHARBONNIER_EPSILON` for equal images.
    """
    error = ops.cast(target, "float32") - ops.cast(output, "float32")
    return ops.mean(ops.sqrt(ops.square(error) + CHARBONNIER_EPSILON**2))
