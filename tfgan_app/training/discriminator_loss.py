"""Adversarial losses on prepared images: augmentation, noise, gradient penalties, codes."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfgan_app.training.image_pool import ImagePool
from tfgan_app.training.stateless_random import StatelessRandom
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Objective

ADAPT_EVERY_STEPS = 4
"""Steps over which the accuracy on real images is averaged (Karras et al. 2020, arXiv:2006.06676)."""

# Streams of random numbers; 0 is that of the task.
_REAL, _FAKE, _BETWEEN, _TRANSFORMED, _GENERATOR_FAKE, _GENERATOR_REAL, _SHARE = range(1, 8)
_NOISE, _POOL = 100, 200


class DiscriminatorOutputs(NamedTuple):
    """A discriminator's outputs: logits, and recognized codes or `None`."""

    logits: Any
    codes: Any


class DiscriminatorLoss:
    """Adversarial losses of discriminators and generators, on images prepared by `DiscriminatorInputs`.

    Args:
        discriminators: Models by name, of `image` or `[condition, image]`.
        objective: Losses and their weights.
        discriminator_inputs: Augmentation, noise and pools of the images.
        draws: Random numbers of the step.
        step: int64 scalar variable.
        add_weight: `keras.Model.add_weight`, for the variables of an adaptive probability and of pools.
    """

    def __init__(
        self,
        discriminators: dict[str, keras.Model],
        *,
        objective: Objective,
        discriminator_inputs: DiscriminatorInputs,
        draws: StatelessRandom,
        step,
        add_weight,
    ):
        self.discriminators = discriminators
        self._objective = objective
        self._inputs = discriminator_inputs
        self._draws = draws
        self._step = step
        self.variables: list[Any] = []
        self.logged: tuple[str, ...] = ("penalty",) if objective.penalties else ()
        self.logged += ("code_loss",) if objective.code_loss else ()
        self.logged += ("mismatched_logits",) if objective.mismatch_weight else ()
        if discriminator_inputs.target is not None:
            self.logged += ("augment_probability",)
            options = {"shape": (), "dtype": "float32", "trainable": False}
            start = keras.initializers.Constant(discriminator_inputs.probability)
            self._probability = add_weight(name="augment_probability", initializer=start, **options)
            self._signs = add_weight(name="real_signs", initializer="zeros", **options)
            self.variables = [self._probability, self._signs]
        self._pools = {}
        for index, name in enumerate(discriminators if discriminator_inputs.pool_size else ()):
            pool = ImagePool(
                discriminator_inputs.pool_size,
                discriminator_inputs.pool_image,
                draws=draws,
                stream=_POOL + index,
                add_weight=add_weight,
                name=f"{name}_pool",
            )
            self._pools[name] = pool
            self.variables += pool.variables

    @property
    def probability(self):
        """Current probability of each augmentation: a float, or a scalar tensor."""
        adapts = self._inputs.target is not None
        return tf.convert_to_tensor(self._probability) if adapts else self._inputs.probability

    def pooled(self, outputs: GeneratorOutputs, positions: tf.Tensor) -> GeneratorOutputs:
        """Replaces fake images by those of the pools, if there are any.

        Args:
            outputs: The generators' forward pass; its images must have no condition.
            positions: int64 `[batch]`, positions of the examples.
        """
        if not self._pools:
            return outputs
        if any(condition is not None for _, _, condition in outputs.adversarial.values()):
            raise ValueError(
                "`DiscriminatorInputs.pool_size` must be 0 where images have a condition: it is not kept with them."
            )
        adversarial = {
            name: (real, self._pools[name].exchange(fake, positions), condition)
            for name, (real, fake, condition) in outputs.adversarial.items()
        }
        return dataclasses.replace(outputs, adversarial=adversarial)

    def for_discriminators(
        self, outputs: GeneratorOutputs, positions: tf.Tensor, *, penalize: bool, training: bool = True
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Loss of the discriminators on the detached output of the generators.

        Args:
            outputs: The generators' forward pass.
            positions: int64 `[batch]`, positions of the examples.
            penalize: Whether to add the objective's penalties.
            training: False runs the discriminators in inference mode, on images without augmentation and noise.

        Returns:
            A float32 scalar and a dictionary of figures to log.
        """
        totals, figures = [], []
        for name, (real, fake, condition) in outputs.adversarial.items():
            discriminate = _PreparedDiscriminator(self, name, condition, positions, training=training)
            fake = tf.stop_gradient(fake)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                images = {"real": real, "fake": fake} | self._between(real, fake, positions, penalize=penalize)
                tape.watch(images)
                predictions = {"real": discriminate(real, stream=_REAL), "fake": discriminate(fake, stream=_FAKE)}
                if "between" in images:
                    predictions["between"] = discriminate(images["between"], stream=_BETWEEN)
                summed = self._summed_logits(predictions) if penalize else None
            total, logs = self._adversarial(predictions, discriminate, real)
            if self._objective.penalties and training:
                penalty = self._penalty(tape, summed, images) if penalize else tf.constant(0.0)
                total, logs = total + penalty, logs | {"penalty": penalty}
            if self._objective.code_loss:
                logs["code_loss"] = self._objective.code_loss(predictions["fake"].codes, outputs.codes)
                total += self._objective.code_weight * logs["code_loss"]
            totals.append(total)
            figures.append(logs)
        logs = {name: tf.add_n([each[name] for each in figures]) / len(figures) for name in figures[0]}
        return tf.add_n(totals), logs

    def for_generators(
        self, outputs: GeneratorOutputs, positions: tf.Tensor, *, training: bool = True
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Adversarial loss of the generators against the current discriminators, and the code loss (or 0)."""
        losses, code_losses = [], [tf.constant(0.0)]
        for name, (real, fake, condition) in outputs.adversarial.items():
            discriminate = _PreparedDiscriminator(self, name, condition, positions, training=training)
            prediction, real_logits = discriminate(fake, stream=_GENERATOR_FAKE), None
            if self._objective.adversarial_loss.relativistic:
                real_logits = discriminate(real, stream=_GENERATOR_REAL).logits
            losses.append(self._objective.adversarial_loss.generator(prediction.logits, real_logits))
            if self._objective.code_loss:
                code_losses.append(self._objective.code_loss(prediction.codes, outputs.codes))
        return tf.add_n(losses), tf.add_n(code_losses)

    def adapt(self, real_accuracy: tf.Tensor | None, images: int) -> dict[str, tf.Tensor]:
        """Updates an adaptive probability; returns it for the logs.

        Args:
            real_accuracy: Share of real images classified correctly in this step; `None` without discriminators.
            images: Number of real images of this step, over all replicas.
        """
        if self._inputs.target is None:
            return {}
        context = tf.distribute.get_replica_context()
        sign = 2.0 * real_accuracy - 1.0
        if context.num_replicas_in_sync > 1:
            sign = context.all_reduce("MEAN", sign)
        signs = self._signs + sign
        due = tf.cast((tf.convert_to_tensor(self._step) + 1) % ADAPT_EVERY_STEPS == 0, tf.float32)
        change = tf.sign(signs / ADAPT_EVERY_STEPS - self._inputs.target)
        change *= due * ADAPT_EVERY_STEPS * images / self._inputs.ramp_images
        self._probability.assign(tf.clip_by_value(self._probability + change, 0.0, 1.0))
        self._signs.assign(signs * (1.0 - due))
        return {"augment_probability": self.probability}

    def prepare(self, images: tf.Tensor, positions: tf.Tensor, *, stream: int, augment: bool) -> tf.Tensor:
        """Augments images and adds instance noise."""
        settings = self._inputs
        if augment and settings.augmentation is not None:
            draws = self._draws.uniform(positions, settings.augmentation.draws_per_example, stream=stream)
            images = settings.augmentation(images, draws, self.probability)
        if settings.noise_sigma:
            sigma = settings.noise_sigma
            if settings.noise_steps:
                sigma *= tf.maximum(0.0, 1.0 - tf.cast(self._step, tf.float32) / settings.noise_steps)
            noise = self._draws.normal(positions, images.shape[1:], stream=stream + _NOISE)
            images += tf.cast(sigma * noise, images.dtype)
        return images

    @property
    def augments_all(self) -> bool:
        """Whether the discriminators see augmented images only."""
        return not self._inputs.transformed_real_weight

    def _adversarial(
        self, predictions: dict[str, DiscriminatorOutputs], discriminate: _PreparedDiscriminator, real: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The weighted adversarial loss, and its figures for the logs."""
        loss, label = self._objective.adversarial_loss, self._objective.real_label
        real_logits, fake_logits = predictions["real"].logits, predictions["fake"].logits
        value = loss.discriminator(real_logits, fake_logits, label)
        weight = self._inputs.transformed_real_weight
        if weight and discriminate.training:
            # Mean over images and transformed ones on the real side: real and fake keep their weights.
            transformed = discriminate(real, stream=_TRANSFORMED, augment=True).logits
            value = (value + weight * loss.discriminator(transformed, fake_logits, label)) / (1.0 + weight)
        figures = {}
        if weight := self._objective.mismatch_weight:
            # The same augmented images, so that only the condition differs.
            wrong = discriminate.mismatched()(real, stream=_REAL).logits
            value = (value + weight * loss.discriminator(real_logits, wrong, label)) / (1.0 + weight)
            figures["mismatched_logits"] = tf.reduce_mean(tf.cast(wrong, tf.float32))
        real_accuracy, fake_accuracy = loss.accuracies(real_logits, fake_logits)
        return self._objective.discriminator_weight * value, {
            **figures,
            "real_accuracy": real_accuracy,
            "fake_accuracy": fake_accuracy,
            "real_logits": tf.reduce_mean(tf.cast(real_logits, tf.float32)),
            "fake_logits": tf.reduce_mean(tf.cast(fake_logits, tf.float32)),
        }

    def _between(self, real, fake, positions, *, penalize: bool) -> dict[str, tf.Tensor]:
        if not penalize or not any(penalty.at == "between" for penalty, _ in self._objective.penalties):
            return {}
        share = self._draws.uniform(positions, 1, stream=_SHARE)
        share = tf.reshape(share, [-1] + [1] * (len(real.shape) - 1))
        return {"between": real + tf.cast(share, real.dtype) * (tf.cast(fake, real.dtype) - real)}

    def _summed_logits(self, predictions: dict[str, DiscriminatorOutputs]) -> tf.Tensor:
        places = {penalty.at for penalty, _ in self._objective.penalties}
        return tf.add_n([tf.reduce_sum(predictions[place].logits) for place in sorted(places)])

    def _penalty(self, tape: tf.GradientTape, summed: tf.Tensor, images: dict) -> tf.Tensor:
        """Weighted sum of the penalties; an image's gradient is that of its own logits, so one sum serves all."""
        places = sorted({penalty.at for penalty, _ in self._objective.penalties})
        gradients = dict(zip(places, tape.gradient(summed, [images[place] for place in places]), strict=True))
        terms = [weight * penalty.of(gradients[penalty.at]) for penalty, weight in self._objective.penalties]
        return self._objective.penalty_every_steps * tf.add_n(terms)


class _PreparedDiscriminator:
    """One discriminator with the condition of the batch: prepares images and runs it on them."""

    def __init__(
        self, discriminator_loss: DiscriminatorLoss, name: str, condition, positions: tf.Tensor, *, training: bool
    ):
        self.training = training
        self._discriminator_loss = discriminator_loss
        self._name = name
        self._discriminator = discriminator_loss.discriminators[name]
        self._condition = condition
        self._positions = positions

    def mismatched(self) -> _PreparedDiscriminator:
        """The same discriminator, each image with the condition of another."""
        condition = mismatched(self._condition)
        return _PreparedDiscriminator(
            self._discriminator_loss, self._name, condition, self._positions, training=self.training
        )

    def __call__(self, images: tf.Tensor, *, stream: int, augment: bool | None = None) -> DiscriminatorOutputs:
        augment = self._discriminator_loss.augments_all if augment is None else augment
        if self.training:
            images = self._discriminator_loss.prepare(images, self._positions, stream=stream, augment=augment)
        inputs = images if self._condition is None else [self._condition, images]
        outputs = self._discriminator(inputs, training=self.training)
        return (
            DiscriminatorOutputs(*outputs)
            if isinstance(outputs, (list, tuple))
            else DiscriminatorOutputs(outputs, None)
        )


def mismatched(conditions: tf.Tensor) -> tf.Tensor:
    """Returns for each row the next different row of the batch; itself if all are equal.

    Args:
        conditions: int32 `[batch, length]`.
    """
    count = tf.shape(conditions)[0]
    same = tf.reduce_all(conditions[:, tf.newaxis] == conditions[tf.newaxis], axis=-1)
    ahead = (tf.range(count)[tf.newaxis] - tf.range(count)[:, tf.newaxis]) % count
    return tf.gather(conditions, tf.argmin(tf.where(same, count, ahead), axis=1))
