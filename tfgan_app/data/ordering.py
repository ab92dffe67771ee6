"""Random draws as pure functions of (seed, position), so that training can start at any step.

A position counts the images since the start of training. All functions work on vectors of positions, in eager code and
inside `tf.data`.
"""

from __future__ import annotations

import tensorflow as tf

_MASK = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15
# `tf.random.experimental.index_shuffle` pads its seed with this number and runs this many rounds.
_INDEX_SHUFFLE_PAD = 498247692
_INDEX_SHUFFLE_ROUNDS = 4


def shuffled_indices(positions: tf.Tensor, *, count: int, seed: int) -> tf.Tensor:
    """Returns the image index at each position: a new permutation of all images in every epoch.

    It equals `tf.random.experimental.index_shuffle(position % count, [seed, epoch], count - 1)`. That wrapper fails on
    vectors of seeds in TensorFlow 2.21, so the raw operation is called.

    Args:
        positions: int64 [n], at least 0.
        count: Number of images.
        seed: Any integer; its low 63 bits are used.

    Returns:
        int64 [n] in [0, count).
    """
    epochs = positions // count
    pad = tf.fill(tf.shape(positions), tf.constant(_INDEX_SHUFFLE_PAD, tf.int64))
    seeds = tf.fill(tf.shape(positions), tf.constant(seed % 2**63, tf.int64))
    return tf.raw_ops.RandomIndexShuffle(
        index=positions % count,
        seed=tf.stack([pad, seeds, epochs], axis=1),
        max_index=tf.fill(tf.shape(positions), tf.constant(count - 1, tf.int64)),
        rounds=_INDEX_SHUFFLE_ROUNDS,
    )


def random_below(limits: tf.Tensor, *, positions: tf.Tensor, seed: int, stream: int) -> tf.Tensor:
    """Draws an integer below each limit.

    It uses SplitMix64 (Steele, Lea & Flood 2014), because TensorFlow's stateless operations take one seed for a whole
    tensor, while each element needs its own.

    Args:
        limits: int64 [n], at least 1.
        positions: int64 [n].
        seed: Any integer; its low 63 bits are used.
        stream: Number of an independent stream of draws for the same positions.

    Returns:
        int64 [n], uniform in [0, limit).
    """
    start = _mix((seed & _MASK) ^ _mix(stream + 1))
    z = tf.cast(positions, tf.uint64) * _u64(_GAMMA) + _u64(start)
    z = (z ^ tf.bitwise.right_shift(z, _u64(30))) * _u64(0xBF58476D1CE4E5B9)
    z = (z ^ tf.bitwise.right_shift(z, _u64(27))) * _u64(0x94D049BB133111EB)
    z = z ^ tf.bitwise.right_shift(z, _u64(31))
    return tf.cast(z % tf.cast(limits, tf.uint64), tf.int64)


def _mix(value: int) -> int:
    """Returns the SplitMix64 finalizer of a Python integer."""
    value = (value + _GAMMA) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _u64(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint64)
