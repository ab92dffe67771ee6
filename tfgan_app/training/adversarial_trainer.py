"""The one train step of every adversarial game."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from tfgan_app.training.task import Networks, Objective, Synthesis

HEALTH = (
    "generator_loss",
    "discriminator_loss",
    "adversarial",
    "real_accuracy",
    "fake_accuracy",
    "generator_gradient_norm",
    "discriminator_gradient_norm",
    "nonfinite",
)
"""Names logged for every game, beside those of its auxiliary losses."""


class AdversarialTrainer(keras.Model):
    """Trains generators against discriminators: discriminator step, generator step, averaged weights.

    One forward pass of the generators serves both players: the discriminators are updated on its
    detached output, and the generators then against the updated discriminators, as in the reference
    implementation of pix2pix, which does the same.

    Augmentation is a function of (seed, step), whatever the number of replicas, and what layers such as
    dropout draw from is a variable of theirs, so that a resumed training continues bit for bit.

    Args:
        networks: the players.
        averaged: like `networks`; its generators hold the averaged weights, and may compute in another
            precision.
        objective: losses and their weights.
        synthesize: `(networks, batch, training) -> Synthesis`, by the task.
        augment: `(batch, draws) -> batch` by the task, or `None`; `draws` is float32
            `[batch, draws_per_example]`, uniform in [0, 1).
        draws_per_example: random numbers that `augment` wants.
        clip_norm: bound on the global norm of each player's gradients, over all replicas, or `None`.
        ema_decay: decay of the averaged generator weights (warmed up: `min(decay, (1 + t) / (10 + t))`).
        seed: seed of every random draw.
        global_batch_size: examples of one step over all replicas.
    """

    def __init__(
        self,
        networks: Networks,
        averaged: Networks,
        *,
        objective: Objective,
        synthesize: Callable[[Networks, dict, bool], Synthesis],
        augment: Callable[[dict, tf.Tensor], dict] | None = None,
        draws_per_example: int = 0,
        ema_decay: float = 0.999,
        clip_norm: float | None = None,
        seed: int = 0,
        global_batch_size: int,
    ):
        super().__init__(name="adversarial_trainer")
        self.networks = networks
        self.averaged = averaged
        self._objective = objective
        self._synthesize = synthesize
        self._augment = augment
        self._draws_per_example = draws_per_example
        self._ema_decay = ema_decay
        self._clip_norm = clip_norm
        self._global_batch_size = global_batch_size
        for name, model in averaged.generators.items():
            model.set_weights(networks.generators[name].get_weights())
        self.initial_step = 0
        self.seed = self.add_weight(shape=(), dtype="int64", trainable=False, name="seed", initializer="zeros")
        self.seed.assign(seed)
        self.step = self.add_weight(shape=(), dtype="int64", trainable=False, name="step", initializer="zeros")
        self._trackers = {name: keras.metrics.Mean(name=name) for name in (*HEALTH, *objective.auxiliary_weights)}
        self.built = True

    def compile(self, *, generator_optimizer, discriminator_optimizer, **kwargs):
        """Takes one optimizer for each side and builds their slots (inside the strategy's scope)."""
        super().compile(optimizer=None, loss=None, **kwargs)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        generator_optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator_variables)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built already; Keras' attempt fails on dicts under MultiWorkerMirroredStrategy.
        return

    @property
    def metrics(self):
        return list(self._trackers.values())

    @property
    def generator_variables(self) -> list:
        return [v for model in self.networks.generators.values() for v in model.trainable_variables]

    @property
    def discriminator_variables(self) -> list:
        return [v for model in self.networks.discriminators.values() for v in model.trainable_variables]

    def train_step(self, batch: dict) -> dict[str, tf.Tensor]:
        """One update of every player; returns the running means of losses and health figures."""
        batch = self._augmented(batch)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in self.generator_variables])
            synthesis = self._synthesize(self.networks, batch, True)
            with tape.stop_recording():
                logs = self._discriminator_step(synthesis)
            losses, total = self._generator_losses(synthesis)
            scaled = self._scaled(total, self.generator_optimizer)
        logs |= losses | self._apply(tape, scaled, self.generator_optimizer, self.generator_variables, "generator")
        logs["generator_loss"] = total
        self._average_weights()
        self.step.assign_add(1)
        return self._log(logs)

    def _augmented(self, batch: dict) -> dict:
        if self._augment is None:
            return batch
        seed = tf.stack([tf.convert_to_tensor(self.seed), tf.convert_to_tensor(self.step)])
        draws = tf.random.stateless_uniform([self._global_batch_size, self._draws_per_example], seed)
        # An example's draws depend on its place in the global batch, not on the replica that has it.
        return self._augment(batch, tf.gather(draws, batch["position"] % self._global_batch_size))

    def _discriminator_step(self, synthesis: Synthesis) -> dict[str, tf.Tensor]:
        adversarial_loss, real_label = self._objective.adversarial_loss, self._objective.real_label
        losses, real_hits, fake_hits = [], [], []
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in self.discriminator_variables])
            for name, (real, fake, condition) in synthesis.adversarial.items():
                real_logits = self._judge(name, real, condition)
                fake_logits = self._judge(name, tf.stop_gradient(fake), condition)
                losses.append(adversarial_loss.discriminator(real_logits, fake_logits, real_label))
                real_hits.append(adversarial_loss.says_real(real_logits))
                fake_hits.append(1.0 - adversarial_loss.says_real(fake_logits))
            total = tf.add_n(losses)
            scaled = self._scaled(total, self.discriminator_optimizer)
        health = self._apply(tape, scaled, self.discriminator_optimizer, self.discriminator_variables, "discriminator")
        accuracies = {"real_accuracy": tf.reduce_mean(real_hits), "fake_accuracy": tf.reduce_mean(fake_hits)}
        return {"discriminator_loss": total, **accuracies, **health}

    def _generator_losses(self, synthesis: Synthesis) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        adversarial = tf.add_n(
            [
                self._objective.adversarial_loss.generator(self._judge(name, fake, condition))
                for name, (_, fake, condition) in synthesis.adversarial.items()
            ]
        )
        total = self._objective.adversarial_weight * adversarial
        for name, weight in self._objective.auxiliary_weights.items():
            total += weight * synthesis.auxiliary[name]
        return {"adversarial": adversarial, **synthesis.auxiliary}, total

    def _judge(self, name: str, image, condition):
        discriminator = self.networks.discriminators[name]
        return discriminator(image if condition is None else [condition, image], training=True)

    def _scaled(self, loss, optimizer):
        # Replicas' gradients are summed, so each takes its share of the mean.
        return optimizer.scale_loss(loss / self.distribute_strategy.num_replicas_in_sync)

    def _apply(self, tape, loss, optimizer, variables, player: str) -> dict[str, tf.Tensor]:
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        replicas, scale = self.distribute_strategy.num_replicas_in_sync, loss_scale(optimizer)
        if self._clip_norm is None:
            norm = tf.linalg.global_norm(gradients) * replicas / scale
        else:
            if replicas > 1:  # The optimizer would sum what each replica had clipped by itself.
                gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
            norm = tf.linalg.global_norm(gradients) / scale
            factor = tf.minimum(1.0, self._clip_norm / (norm + 1e-12)) / replicas
            gradients = [gradient * factor for gradient in gradients]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        # Under float16 the optimizer skips overflown gradients by design; only the loss can be sick.
        finite = tf.math.is_finite(loss if _scales_loss(optimizer) else loss + norm)
        return {f"{player}_gradient_norm": norm, f"{player}_nonfinite": 1.0 - tf.cast(finite, tf.float32)}

    def _average_weights(self):
        step = tf.cast(self.step, tf.float32)
        decay = tf.minimum(self._ema_decay, (1.0 + step) / (10.0 + step))
        for name, averaged in self.averaged.generators.items():
            source = self.networks.generators[name]
            for mean, value in zip(averaged.trainable_variables, source.trainable_variables, strict=True):
                mean.assign(value + decay * (mean - value))
            for mean, value in zip(averaged.non_trainable_variables, source.non_trainable_variables, strict=True):
                mean.assign(value)

    def _log(self, logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        players = ("generator_nonfinite", "discriminator_nonfinite")
        logs["nonfinite"] = tf.maximum(*(logs.pop(name) for name in players))
        for name, tracker in self._trackers.items():
            tracker.update_state(logs[name])
        # Shape [1]: several workers' logs are averaged over their first axis.
        return {name: tf.reshape(tracker.result(), [1]) for name, tracker in self._trackers.items()}


def loss_scale(optimizer) -> tf.Tensor | float:
    """The factor that the optimizer puts on losses: 1 unless it scales them for float16."""
    return tf.cast(optimizer.dynamic_scale, tf.float32) if _scales_loss(optimizer) else 1.0


def _scales_loss(optimizer) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
