"""Networks, optimizers and trainer of a task and its configuration."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.tasks.base import Task
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer


def build_trainer(task: Task, config: RunConfig, *, strategy: tf.distribute.Strategy) -> AdversarialTrainer:
    """Builds networks, averaged networks (in float32), optimizers and trainer in the strategy's scope.

    Args:
        task: The task.
        config: Its configuration with `training.precision` resolved.
        strategy: Distribution strategy of the training.
    """
    training, optimizer = config.training, config.optimizer
    with strategy.scope():
        keras.utils.set_random_seed(training.seed)
        try:
            keras.config.set_dtype_policy(training.precision)
            networks = task.build_networks()
        finally:
            keras.config.set_dtype_policy("float32")
        trainer = AdversarialTrainer(
            networks,
            task.build_networks(),
            objective=task.objective,
            forward=task.forward,
            augment=task.augment,
            draws_per_example=task.draws_per_example,
            discriminator_inputs=task.discriminator_inputs,
            discriminator_steps=training.discriminator_steps,
            ema_decay=training.ema_decay,
            clip_norm=optimizer.clip_norm,
            normalize_gradients=optimizer.normalize_gradients,
            seed=training.seed,
            global_batch_size=training.batch_size,
        )
        rates = (
            (optimizer.generator_learning_rate, optimizer.muon_learning_rate, 1),
            (optimizer.discriminator_learning_rate, None, training.discriminator_steps),
        )
        optimizers = [
            build_optimizer(
                learning_rate=rate,
                muon_learning_rate=muon_rate,
                schedule_steps=optimizer.schedule_steps or training.steps,
                schedule=optimizer.schedule,
                schedule_start=optimizer.schedule_start,
                warmup_steps=optimizer.warmup_steps,
                updates_per_step=updates,
                beta_1=optimizer.beta_1,
                beta_2=optimizer.beta_2,
                accumulate_steps=training.accumulate_steps,
                scale_loss=training.precision == "mixed_float16",
            )
            for rate, muon_rate, updates in rates
        ]
        trainer.compile(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], jit_compile=False)
    return trainer
