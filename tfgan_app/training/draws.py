"""Random numbers of a train step: functions of (seed, step) and an example's place in the global batch."""

from __future__ import annotations

import tensorflow as tf


class Draws:
    """Draws for the examples of a step, the same on one device and on many.

    Args:
        seed: int64 scalar variable.
        step: int64 scalar variable.
        examples_per_step: examples of one step over all replicas.

    Attributes:
        examples_per_step: as given.
    """

    def __init__(self, seed, step, examples_per_step: int):
        self._seed = seed
        self._step = step
        self.examples_per_step = examples_per_step

    def uniform(self, positions: tf.Tensor, count: int, *, stream: int = 0) -> tf.Tensor:
        """Draws numbers for each example.

        Args:
            positions: int64 `[batch]`, the examples' positions since the start of training.
            count: numbers for each.
            stream: tells independent draws of one step apart.

        Returns:
            float32 `[batch, count]`, uniform in [0, 1).
        """
        return self._gather(tf.random.stateless_uniform([self.examples_per_step, count], self._key(stream)), positions)

    def normal(self, positions: tf.Tensor, shape: list[int], *, stream: int) -> tf.Tensor:
        """Draws standard normal numbers: float32 `[batch, *shape]`; arguments as for `uniform`."""
        return self._gather(tf.random.stateless_normal([self.examples_per_step, *shape], self._key(stream)), positions)

    def _key(self, stream: int) -> tf.Tensor:
        key = tf.stack([tf.convert_to_tensor(self._seed), tf.convert_to_tensor(self._step)])
        return tf.random.experimental.stateless_fold_in(key, stream) if stream else key

    def _gather(self, table: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        # An example's draws depend on its place in the global batch, not on the replica that has it.
        return tf.gather(table, positions % self.examples_per_step)
