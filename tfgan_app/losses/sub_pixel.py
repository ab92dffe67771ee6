"""Sub-pixel bias: a loss of checkerboard patterns."""

from __future__ import annotations

from keras import ops


def sub_pixel_bias_loss(target, output, *, scale: int):
    """Mean error of each sub-pixel over an image, relative to the mean over all sub-pixels.

    A generator that ends in a pixel shuffle can add the same pattern of `scale` x `scale` sub-pixels everywhere. To
    features and discriminators it passes for texture, but real images have none: there, all sub-pixels err alike on
    average. So the errors of an image are averaged over all cells, the mean over the cell is subtracted, and the mean
    absolute value of the rest is the loss.

    Args:
        target: `[batch, height, width, channels]`; height and width are multiples of the scale, and cells begin at the
            first pixel.
        output: The same.
        scale: Side of a cell.

    Returns:
        float32 scalar, 0 without such a pattern.
    """
    height, width, channels = target.shape[1:]
    error = ops.cast(output, "float32") - ops.cast(target, "float32")
    cells = ops.reshape(error, (-1, height // scale, scale, width // scale, scale, channels))
    bias = ops.mean(cells, axis=(1, 3))
    return ops.mean(ops.abs(bias - ops.mean(bias, axis=(1, 2), keepdims=True)))
