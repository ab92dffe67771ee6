"""Checks of the arguments of degradations."""

from __future__ import annotations

import tensorflow as tf


def height_and_width(images: tf.Tensor) -> tuple[int | tf.Tensor, int | tf.Tensor]:
    """Height and width of `[batch, height, width, channels]`: integers where they are static, else int32 scalars."""
    dynamic = tf.shape(images)
    height, width = (images.shape[axis] or dynamic[axis] for axis in (1, 2))
    return height, width


def check_range(name: str, bounds: tuple[float, float], *, limits: tuple[float, float]) -> tuple[float, float]:
    """Checks that two numbers are a range within limits.

    Args:
        name: Name of the range, for the message.
        bounds: Lower and upper bound.
        limits: Range that the bounds must stay within, both included.

    Returns:
        The bounds as two floats.

    Raises:
        ValueError: If they are not two ascending numbers within the limits.
    """
    if not (len(bounds) == 2 and limits[0] <= bounds[0] <= bounds[1] <= limits[1]):
        raise ValueError(
            f"`{name}` must be two ascending numbers within [{limits[0]:g}, {limits[1]:g}]. Received: {bounds}. "
            "Give the same number twice for a fixed strength."
        )
    return float(bounds[0]), float(bounds[1])


def check_share(name: str, share: float) -> float:
    """Checks that a number is a share of all images.

    Args:
        name: Name of the number, for the message.
        share: The number.

    Returns:
        The share.

    Raises:
        ValueError: If it is not in [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"`{name}` is a share of the images and must be in [0, 1]. Received: {share}.")
    return share
