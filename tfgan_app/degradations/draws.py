"""Ranges, choices and noise fields from the uniform numbers of one example."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

SEED_DRAWS = 2
"""Number of uniform draws per example that seed a field of noise."""


def in_range(draws: tf.Tensor, bounds: tuple[float, float]) -> tf.Tensor:
    """Maps uniform numbers in [0, 1) to uniform numbers between two bounds.

    Args:
        draws: float32 of any shape in [0, 1).
        bounds: Lower and upper bound; if they are equal, every result is exactly this bound.

    Returns:
        float32 of the shape of `draws`.
    """
    low, high = bounds
    return low + (high - low) * draws


def choice(draws: tf.Tensor, shares: Sequence[float]) -> tf.Tensor:
    """Chooses between alternatives, each with its share.

    Args:
        draws: float32 of any shape in [0, 1).
        shares: Weight of each alternative; at least 0, their sum is taken as 1.

    Returns:
        int32 of the shape of `draws`, the number of an alternative. One of share 0 is never chosen.
    """
    total = float(sum(shares))
    ends = [sum(shares[: index + 1]) / total for index in range(len(shares) - 1)]
    return tf.reduce_sum(tf.cast(draws[..., None] >= tf.constant(ends, shape=(len(ends),)), tf.int32), axis=-1)


def normal_fields(draws: tf.Tensor, shape: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """A field of standard normal numbers for each example, a function of its draws alone.

    Args:
        draws: float32 `[batch, SEED_DRAWS]` in [0, 1).
        shape: Shape of one example's field.

    Returns:
        float32 `[batch, *shape]`.
    """
    return _fields(tf.random.stateless_normal, draws, shape)


def uniform_fields(draws: tf.Tensor, shape: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Like `normal_fields`, with uniform numbers in [0, 1)."""
    return _fields(tf.random.stateless_uniform, draws, shape)


def _fields(sample, draws, shape):
    # Uniform float32 numbers have no more than 24 random bits.
    seeds = tf.cast(draws * 2.0**24, tf.int32)
    return tf.map_fn(lambda seed: sample(shape, seed, alg="philox"), seeds, fn_output_signature=tf.float32)
