"""Stateless random numbers: functions of (seed, step) and an example's index in the global batch."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf


class StatelessRandom:
    """Draws for the examples of a step, the same on one device and on many.

    Args:
        seed: int64 scalar variable.
        step: int64 scalar variable.
        examples_per_step: Examples of one step over all replicas.

    Attributes:
        examples_per_step: Examples of one step over all replicas.
    """

    def __init__(self, seed, step, examples_per_step: int):
        self._seed = seed
        self._step = step
        self.examples_per_step = examples_per_step

    def uniform(self, positions: tf.Tensor, count: int, *, stream: int = 0) -> tf.Tensor:
        """Draws uniform numbers for each example.

        Args:
            positions: int64 `[batch]`, the examples' positions since the start of training.
            count: Numbers per example.
            stream: Separates independent draws of one step.

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

    def positions(self, count: tf.Tensor) -> tf.Tensor:
        """Positions of a replica's examples, for batches without them: int64 `[count]`, in the order of the replicas.

        Args:
            count: int64 scalar, examples of this replica, the same on every replica.
        """
        return _replica() * count + tf.range(count)

    def places(self, positions: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Indices of examples among the `count` of one share of the global batch: int64 `[batch]`."""
        # A share holds every n-th of a step's examples, n being the number of shares.
        return positions % self.examples_per_step * count // self.examples_per_step

    def _gather(self, table: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        # An example's draws depend on its index in the global batch, not on its replica.
        return tf.gather(table, positions % self.examples_per_step)


class ReplicaDraws(StatelessRandom):
    """Draws for batches of any size: functions of an example's replica and its index in the replica's batch.

    Args:
        seed: int64 scalar variable.
        step: int64 scalar variable.
    """

    def __init__(self, seed, step):
        super().__init__(seed, step, 0)

    def uniform(self, positions: tf.Tensor, count: int, *, stream: int = 0) -> tf.Tensor:
        """Draws as in the base class; `positions` are those of the method `positions`."""
        rows = tf.reduce_max(positions) + 1
        return tf.gather(tf.random.stateless_uniform([rows, count], self._key(stream)), positions)

    def normal(self, positions: tf.Tensor, shape: list[int], *, stream: int) -> tf.Tensor:
        """Draws as in the base class; `positions` are those of the method `positions`."""
        rows = tf.cast(tf.reduce_max(positions) + 1, tf.int32)
        return tf.gather(tf.random.stateless_normal([rows, *shape], self._key(stream)), positions)

    def positions(self, count: tf.Tensor) -> tf.Tensor:
        """Positions in the replica's batch: int64 `[count]`."""
        return tf.range(count)

    def places(self, positions: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Indices of examples among the `count` of all replicas, which have equal shares: int64 `[batch]`."""
        own = tf.shape(positions, out_type=tf.int64)[0]
        del count
        return _replica() * own + tf.range(own)

    def _key(self, stream: int) -> tf.Tensor:
        return tf.random.experimental.stateless_fold_in(super()._key(stream), tf.cast(_replica(), tf.int32))


def build_random(seed, step, examples_per_step: int | None) -> StatelessRandom:
    """Builds the random numbers of a step; without `examples_per_step`, for batches of any size."""
    return ReplicaDraws(seed, step) if examples_per_step is None else StatelessRandom(seed, step, examples_per_step)


def count_examples(batch: Mapping[str, tf.Tensor], *, at_least: int) -> tf.Tensor:
    """Examples of a replica's batch: int64 scalar; fewer than `at_least` stop the run with an error."""
    count = tf.shape(next(iter(batch.values())), out_type=tf.int64)[0]
    message = (
        f"Expected at least {at_least} examples on each replica: one for each of the `discriminator_steps`. Take "
        "larger batches, and dataset.batch(..., drop_remainder=True)."
    )
    with tf.control_dependencies([tf.debugging.Assert(count >= at_least, [message])]):
        return tf.identity(count)


def split_batch(batch: Mapping[str, tf.Tensor], count: int) -> list[dict[str, tf.Tensor]]:
    """Splits a batch into equal shares: every `count`-th example.

    Replicas that each hold a stretch of the global batch then split it as a single one does.
    """
    if count == 1:
        return [dict(batch)]
    return [{name: values[index::count] for name, values in batch.items()} for index in range(count)]


def _replica() -> tf.Tensor:
    """This replica's number: int64 scalar."""
    return tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64)
