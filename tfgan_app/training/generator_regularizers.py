"""Regularizers of the generators on a pass of their own, computed every few steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.training.stateless_random import StatelessRandom
from tfgan_app.training.task import GeneratorRegularizer, Networks

_STREAM = 300
"""First stream of random numbers of the regularizers; lower ones are those of the discriminators' losses."""


class GeneratorRegularization:
    """The regularizers of a training, with the state that they keep from step to step.

    A regularizer runs in steps 0, `every_steps`, ..., where its gradient is multiplied by `every_steps`: lazy
    regularization, Karras et al. 2020, arXiv:1912.04958, section 2.2. Both kinds of step are branches of one graph.

    Args:
        networks: Generators and discriminators.
        regularizers: Regularizers of the objective.
        draws: Random numbers of the step.
        step: int64 scalar variable.
        add_weight: `keras.Model.add_weight`, for the state.
    """

    def __init__(
        self,
        networks: Networks,
        regularizers: tuple[GeneratorRegularizer, ...],
        *,
        draws: StatelessRandom,
        step,
        add_weight,
    ):
        self._networks = networks
        self._regularizers = regularizers
        self._draws = draws
        self._step = step
        self._state = {
            name: add_weight(
                name=name, shape=(), dtype="float32", trainable=False, initializer=keras.initializers.Constant(value)
            )
            for regularizer in regularizers
            for name, value in regularizer.state.items()
        }
        self.logged = tuple(name for each in regularizers for name in (each.name, *each.state))

    @property
    def variables(self) -> list:
        """Variables of the state, for checkpoints."""
        return list(self._state.values())

    def add(
        self, gradients: list, variables: list, batch: dict, scaled: Callable[[tf.Tensor], tf.Tensor]
    ) -> tuple[list, dict[str, tf.Tensor]]:
        """Adds the regularizers' gradients to those of the losses, and updates the state.

        Args:
            gradients: Gradients of the generators' losses.
            variables: Variables of the generators.
            batch: The generators' share of the augmented batch.
            scaled: This replica's share of a loss, in the optimizer's scale.

        Returns:
            The sums, and the figures to log: the last value of each regularizer, and the state.
        """
        logs: dict[str, tf.Tensor] = {}
        for index, regularizer in enumerate(self._regularizers):
            own = functools.partial(self._differentiated, regularizer, variables, batch, scaled, _STREAM + index)
            none = functools.partial(self._nothing, regularizer, variables)
            due = tf.convert_to_tensor(self._step) % regularizer.every_steps == 0
            added, value, state = own() if regularizer.every_steps == 1 else tf.cond(due, own, none)
            gradients = [
                each if more is None else more if each is None else each + more
                for each, more in zip(gradients, added, strict=True)
            ]
            logs |= {regularizer.name: value} | self._updated(state)
        return gradients, logs

    def _differentiated(self, regularizer: GeneratorRegularizer, variables, batch, scaled, stream: int):
        noise = functools.partial(self._draws.normal, batch["position"], stream=stream)
        state = {name: tf.convert_to_tensor(self._state[name]) for name in regularizer.state}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            value, state = regularizer.penalty(self._networks, batch, noise, state)
            loss = scaled(regularizer.weight * regularizer.every_steps * value)
        gradients = tape.gradient(loss, [v.value for v in variables], unconnected_gradients="zero")
        return gradients, tf.stop_gradient(value), state

    def _nothing(self, regularizer: GeneratorRegularizer, variables):
        zeros = [tf.zeros_like(variable.value) for variable in variables]
        return zeros, tf.constant(0.0), {name: tf.convert_to_tensor(self._state[name]) for name in regularizer.state}

    def _updated(self, state: dict[str, tf.Tensor]) -> dict[str, Any]:
        context = tf.distribute.get_replica_context()
        for name, value in state.items():
            value = context.all_reduce("MEAN", value) if context.num_replicas_in_sync > 1 else value
            self._state[name].assign(value)
        return {name: tf.convert_to_tensor(self._state[name]) for name in state}
