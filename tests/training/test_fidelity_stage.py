"""Training without discriminators, on auxiliary losses only."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from tiny_training import build_batches, build_tiny_networks

from tfgan_app.losses import RECONSTRUCTION_LOSSES
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.checkpoints import Checkpoints, state_variables
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import ADVERSARIAL_HEALTH, GeneratorOutputs, Networks, Objective


def build_trainer(precision="float32"):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    networks = Networks(build_tiny_networks().generators, {})
    keras.config.set_dtype_policy("float32")
    trainer = AdversarialTrainer(
        networks,
        Networks(build_tiny_networks().generators, {}),
        objective=Objective(None, auxiliary_weights={"l1": 10.0}),
        forward=forward,
        ema_decay=0.0,
        clip_norm=0.5,
        global_batch_size=4,
    )
    settings = {"learning_rate": 1e-3, "schedule_steps": 100, "scale_loss": precision == "mixed_float16"}
    optimizers = [build_optimizer(**settings) for _ in range(2)]
    trainer.compile(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], jit_compile=False)
    return trainer


def forward(networks, batch, training):
    output = networks.generators["generator"](batch["input"], training=training)
    return GeneratorOutputs({}, {"l1": RECONSTRUCTION_LOSSES["l1"](batch["target"], output)})


def state(trainer):
    return {name: np.asarray(variable.value) for name, variable in state_variables(trainer).items()}


def test_step_is_the_update_written_by_hand():
    trainer, twin = build_trainer(), build_trainer()
    batch = next(iter(build_batches()))
    logs = {name: float(np.ravel(value)[0]) for name, value in trainer.train_step(batch).items()}
    generator = twin.networks.generators["generator"]
    with tf.GradientTape() as tape:
        l1 = tf.reduce_mean(tf.abs(generator(batch["input"]) - batch["target"]))
        loss = 10.0 * l1
    gradients, norm = tf.clip_by_global_norm(tape.gradient(loss, generator.trainable_variables), 0.5)
    twin.generator_optimizer.apply(gradients, generator.trainable_variables)
    assert logs["l1"] == pytest.approx(float(l1), rel=1e-5)
    assert logs["generator_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert logs["generator_gradient_norm"] == pytest.approx(float(norm), rel=1e-5)
    for mine, by_hand in zip(trainer.generator_variables, twin.generator_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), by_hand.numpy(), atol=1e-6)


@pytest.mark.parametrize("precision", first_quick(["float32", "mixed_bfloat16", "mixed_float16"]))
def test_trains_saves_and_resumes_in_every_precision(tmp_path, precision):
    trainer, resumed = build_trainer(precision), build_trainer(precision)
    batches = build_batches(steps=2).repeat()
    history = trainer.fit(batches, steps_per_epoch=2, epochs=1, shuffle=False, verbose=0).history
    assert history["nonfinite"] == [0.0]
    assert not set(ADVERSARIAL_HEALTH) & set(history)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(trainer)
    checkpoints.restore(resumed, on_damaged=pytest.fail)
    for each in (trainer, resumed):
        each.fit(batches, steps_per_epoch=2, epochs=1, shuffle=False, verbose=0)
    for name, value in state(trainer).items():
        np.testing.assert_array_equal(value, state(resumed)[name], err_msg=name)
