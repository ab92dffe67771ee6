"""The train step of all adversarial trainings."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.training.discriminator_loss import DiscriminatorLoss
from tfgan_app.training.generator_regularizers import GeneratorRegularization
from tfgan_app.training.optimizers import check_compile_options, current_rates, resolve_optimizers
from tfgan_app.training.stateless_random import build_random, count_examples, split_batch
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks, Objective, logged_figures
from tfgan_app.training.updating import apply_gradients, average_weights


class AdversarialTrainer(keras.Model):
    """Trains generators against discriminators: discriminator steps, generator step, averaged weights.

    One forward pass of the generators serves both sides: the discriminators are updated on its detached output, then
    the generators against the updated discriminators, as in the reference implementation of pix2pix. Without
    discriminators only the auxiliary losses are minimized: the fidelity stage before the adversarial one.

    All randomness is a function of (seed, step), for any number of replicas, and layers such as dropout keep their
    random state in variables, so that a resumed training continues bit for bit.

    Args:
        networks: Generators and discriminators.
        averaged: Like `networks`; its generators hold the averaged weights, and may compute in another
            precision.
        objective: Losses and their weights.
        forward: `(networks, batch, training) -> GeneratorOutputs`, of the task.
        augment: `(batch, draws) -> batch` of the task, or `None`; `draws` is float32
            `[batch, draws_per_example]`, uniform in [0, 1).
        draws_per_example: Random numbers that `augment` takes.
        discriminator_inputs: Augmentation, noise and pools of the discriminators' images.
        discriminator_steps: Updates of the discriminators per update of the generators, each on its own share
            of the batch; the generators use the last share.
        clip_norm: Bound on the global norm of each side's gradients, over all replicas, or `None`.
        normalize_gradients: Scale each side's gradients to a global norm of 1.
        ema_decay: Decay of the averaged generator weights (warmed up: `min(decay, (1 + t) / (10 + t))`).
        seed: Seed of every random draw.
        global_batch_size: Examples of one update over all replicas; a batch holds `discriminator_steps` times
            as many. None takes batches of any size; an example's draws then depend on its replica.
        measures: Further figures of `evaluate` by name: `(batch, outputs) -> float32 scalar`.
        **options: Options of `keras.Model`: `name`, `dtype`.
    """

    def __init__(
        self,
        networks: Networks,
        averaged: Networks,
        *,
        objective: Objective,
        forward: Callable[[Networks, dict, bool], GeneratorOutputs],
        augment: Callable[[dict, tf.Tensor], dict] | None = None,
        draws_per_example: int = 0,
        discriminator_inputs: DiscriminatorInputs | None = None,
        discriminator_steps: int = 1,
        ema_decay: float = 0.999,
        clip_norm: float | None = None,
        normalize_gradients: bool = False,
        seed: int = 0,
        global_batch_size: int | None,
        measures: Mapping[str, Callable[[dict, GeneratorOutputs], tf.Tensor]] | None = None,
        **options: Any,
    ):
        super().__init__(**{"name": "adversarial_trainer", **options})
        self.networks = networks
        self.averaged = averaged
        self._objective = objective
        self._forward = forward
        self._augment = augment
        self._draws_per_example = draws_per_example
        self._discriminator_steps = discriminator_steps
        self._ema_decay = ema_decay
        self._scaling: dict[str, Any] = {"clip_norm": clip_norm, "normalize": normalize_gradients}
        self._images_per_step = None if global_batch_size is None else global_batch_size * discriminator_steps
        self.reset_average()
        self.initial_step = 0
        self.seed = self.add_weight(shape=(), dtype="int64", trainable=False, name="seed", initializer="zeros")
        self.seed.assign(seed)
        self.step = self.add_weight(shape=(), dtype="int64", trainable=False, name="step", initializer="zeros")
        self._draws = build_random(self.seed, self.step, self._images_per_step)
        self._discriminator_loss = DiscriminatorLoss(
            networks.discriminators,
            objective=objective,
            discriminator_inputs=discriminator_inputs or DiscriminatorInputs(),
            draws=self._draws,
            step=self.step,
            add_weight=self.add_weight,
        )
        self._regularization = GeneratorRegularization(
            networks, objective.regularizers, draws=self._draws, step=self.step, add_weight=self.add_weight
        )
        self._measures = dict(measures or {})
        self._logged = logged_figures(
            objective,
            has_discriminators=bool(networks.discriminators),
            discriminator_figures=self._discriminator_loss.logged,
            regularizers=self._regularization.logged,
            measures=self._measures,
        )
        names = dict.fromkeys((*self._logged["train"], *self._logged["test"]))
        self._trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self._phase = "train"
        self.built = True

    def reset_average(self):
        """Sets the averaged weights to the current ones, as at the start of a training."""
        for name, model in self.averaged.generators.items():
            model.set_weights(self.networks.generators[name].get_weights())

    def compile(self, generator_optimizer="adam", discriminator_optimizer="adam", *, jit_compile=False, **kwargs):
        """Sets one optimizer for each side and builds their slots (inside the strategy's scope).

        Args:
            generator_optimizer: `keras.optimizers.Optimizer`, its name or its configuration.
            discriminator_optimizer: Likewise, a different object.
            jit_compile: Compile the steps with XLA, which is slower for convolutions on a CPU.
            **kwargs: Further options of `keras.Model.compile`, but no `optimizer`, `loss` or metrics: the model has
                its own.

        Raises:
            ValueError: If these are not two optimizers, or for options that the model sets itself.
        """
        check_compile_options(kwargs)
        optimizers = resolve_optimizers(
            {"generator_optimizer": generator_optimizer, "discriminator_optimizer": discriminator_optimizer},
            scale_loss=self.dtype_policy.name == "mixed_float16",
        )
        super().compile(optimizer=None, loss=None, jit_compile=jit_compile, **kwargs)
        self.generator_optimizer, self.discriminator_optimizer = optimizers
        self.generator_optimizer.build(self.generator_variables)
        self.discriminator_optimizer.build(self.discriminator_variables)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built already; Keras' attempt fails on dicts under MultiWorkerMirroredStrategy.
        return

    @property
    def metrics(self):
        return list(self._trackers.values())

    @property
    def metrics_names(self) -> list[str]:
        """Names of the figures of `evaluate`, in the order of its list."""
        return list(self._logged["test"])

    @property
    def generator_variables(self) -> list:
        return [v for model in self.networks.generators.values() for v in model.trainable_variables]

    @property
    def discriminator_variables(self) -> list:
        return [v for model in self.networks.discriminators.values() for v in model.trainable_variables]

    @property
    def state_variables(self) -> list:
        """Variables of the training state besides those of networks and optimizers."""
        return [self.step, self.seed, *self._discriminator_loss.variables, *self._regularization.variables]

    @property
    def learning_rates(self) -> dict[str, float]:
        """Learning rates of the next update, by the names of their settings."""
        rates = current_rates(self.generator_optimizer)
        rates["generator_learning_rate"] = rates.pop("learning_rate")
        if self.networks.discriminators:
            rates["discriminator_learning_rate"] = current_rates(self.discriminator_optimizer)["learning_rate"]
        return rates

    def train_step(self, batch: dict) -> dict[str, tf.Tensor]:
        """Updates the generators once, and the discriminators `discriminator_steps` times.

        Returns:
            The running means of losses and health figures, each of shape `[1]`.
        """
        batch = self._positioned(batch)
        shares = split_batch(self._augmented(batch), self._discriminator_steps)
        health = []
        for share in shares[:-1]:
            health.append(self._discriminator_step(self._forward(self.networks, share, True), share["position"]))
        share = shares[-1]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in self.generator_variables])
            outputs = self._forward(self.networks, share, True)
            if self.networks.discriminators:
                with tape.stop_recording():
                    health.append(self._discriminator_step(outputs, share["position"]))
            losses, total = self._generator_losses(outputs, share["position"])
            scaled = self._scaled(total, self.generator_optimizer)
        logs = {name: tf.add_n([each[name] for each in health]) / len(health) for name in (health or [{}])[0]}
        gradients = tape.gradient(scaled, [variable.value for variable in self.generator_variables])
        scale = functools.partial(self._scaled, optimizer=self.generator_optimizer)
        gradients, figures = self._regularization.add(gradients, self.generator_variables, share, scale)
        logs |= losses | figures | self._apply(gradients, scaled, "generator")
        logs |= self._discriminator_loss.adapt(logs.get("real_accuracy"), self._images_in(batch))
        average_weights(self.averaged, self.networks, step=self.step, decay=self._ema_decay)
        self.step.assign_add(1)
        flags = [name for name in logs if name.endswith("_nonfinite")]
        logs["nonfinite"] = functools.reduce(tf.maximum, [logs.pop(name) for name in flags])
        return self._log(logs, "train")

    def test_step(self, batch: dict) -> dict[str, tf.Tensor]:
        """Losses of the averaged generators in inference mode, and the figures of `measures`; changes no state.

        Returns:
            The running means, each of shape `[1]`.
        """
        batch = self._augmented(self._positioned(batch))
        positions = batch["position"]
        outputs = self._forward(self.averaged, batch, False)
        logs, _ = self._generator_losses(outputs, positions, training=False)
        if self.networks.discriminators:
            total, figures = self._discriminator_loss.for_discriminators(
                outputs, positions, penalize=False, training=False
            )
            logs |= figures | {"discriminator_loss": total}
        logs |= {name: measure(batch, outputs) for name, measure in self._measures.items()}
        return self._log(logs, "test")

    def evaluate(self, *args, **kwargs):
        """Like `keras.Model.evaluate`, on the averaged generators; see `test_step`."""
        self._phase = "test"
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self._phase = "train"

    def get_metrics_result(self) -> dict[str, tf.Tensor]:
        """Running means of the figures of the current phase."""
        return {name: self._trackers[name].result() for name in self._logged[self._phase]}

    def _positioned(self, batch: dict) -> dict:
        """The batch with the examples' positions, which a task's data set gives for resumed trainings."""
        if "position" in batch:
            return batch
        return {**batch, "position": self._draws.positions(count_examples(batch, at_least=self._discriminator_steps))}

    def _images_in(self, batch: dict):
        """Number of real images of this step, over all replicas."""
        if self._images_per_step is not None:
            return self._images_per_step
        return tf.cast(tf.size(batch["position"]) * self.distribute_strategy.num_replicas_in_sync, tf.float32)

    def _augmented(self, batch: dict) -> dict:
        if self._augment is None:
            return batch
        draws = self._draws.uniform(batch["position"], self._draws_per_example)
        return {"position": batch["position"]} | self._augment(batch, draws)

    def _discriminator_step(self, outputs: GeneratorOutputs, positions: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self._discriminator_loss.pooled(outputs, positions)

        def differentiate(penalize: bool):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([variable.value for variable in self.discriminator_variables])
                total, logs = self._discriminator_loss.for_discriminators(outputs, positions, penalize=penalize)
                scaled = self._scaled(total, self.discriminator_optimizer)
            gradients = tape.gradient(scaled, [variable.value for variable in self.discriminator_variables])
            return gradients, scaled, logs | {"discriminator_loss": total}

        every = self._objective.penalty_every_steps
        if every == 1 or not self._objective.penalties:
            gradients, scaled, logs = differentiate(bool(self._objective.penalties))
        else:  # Both kinds of step are branches of one graph.
            due = tf.convert_to_tensor(self.step) % every == 0
            gradients, scaled, logs = tf.cond(due, lambda: differentiate(True), lambda: differentiate(False))
        return logs | self._apply(gradients, scaled, "discriminator")

    def _generator_losses(self, outputs: GeneratorOutputs, positions: tf.Tensor, *, training: bool = True):
        objective = self._objective
        logs = {name: outputs.monitored[name] for name in objective.monitored}
        logs |= {name: objective.logged_as.get(name, 1.0) * loss for name, loss in outputs.auxiliary.items()}
        terms = [weight * outputs.auxiliary[name] for name, weight in objective.auxiliary_weights.items()]
        if self.networks.discriminators:
            logs["adversarial"], code_loss = self._discriminator_loss.for_generators(
                outputs, positions, training=training
            )
            terms = [objective.adversarial_weight * logs["adversarial"] + objective.code_weight * code_loss, *terms]
        logs["generator_loss"] = functools.reduce(operator.add, terms)
        return logs, logs["generator_loss"]

    def _scaled(self, loss, optimizer):
        # Replicas' gradients are summed, so each takes its share of the mean.
        return optimizer.scale_loss(loss / self.distribute_strategy.num_replicas_in_sync)

    def _apply(self, gradients: list, loss, side: str) -> dict[str, tf.Tensor]:
        variables, optimizer = getattr(self, f"{side}_variables"), getattr(self, f"{side}_optimizer")
        health = apply_gradients(gradients, optimizer, variables, loss=loss, **self._scaling)
        return {f"{side}_{name}": value for name, value in health.items()}

    def _log(self, logs: dict[str, tf.Tensor], phase: str) -> dict[str, tf.Tensor]:
        names = self._logged[phase]
        for name in names:
            self._trackers[name].update_state(logs[name])
        # Shape [1]: several workers' logs are averaged over their first axis.
        return {name: tf.reshape(self._trackers[name].result(), [1]) for name in names}
