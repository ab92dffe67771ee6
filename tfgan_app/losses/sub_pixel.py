"""Sub-pixel bias: what is left of a checkerboard when everything else is averaged away."""

from __future__ import annotations

from keras import ops


def sub_pixel_bias_loss(target, output, *, scale: int):
    """How far each sub-pixel is off on average over an image, beyond what all sub-pixels are.

    A generator that ends in a pixel shuffle can add the same pattern of `scale` x `scale` sub-pixels everywhere. To
    features and discriminators it passes for texture, while no image has it: there, what one sub-pixel lacks on
    average, the others lack too. So the errors of an image are averaged over all places but the place within a cell,
    their mean is taken away, and the mean absolute value of the rest is the loss.

    Args:
        target: `[batch, height, width, channels]`; height and width are multiples of the scale, and cells begin at the
            first pixel.
        output: The same.
        scale: Sides of a cell.

    Returns:
        float32 scalar, 0 where there is no such pattern.
    """
    height, width, channels = target.shape[1:]
    error = ops.cast(output, "float32") - ops.cast(target, "float32")
    cells = ops.reshape(error, (-1, height // scale, scale, width // scale, scale, channels))
    bias = ops.mean(cells, axis=(1, 3))
    return ops.mean(ops.abs(bias - ops.mean(bias, axis=(1, 2), keepdims=True)))
