"""The train step: its updates, their order, and its logs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_training import build_batches, build_tiny_trainer

from tfgan_app.losses import ADVERSARIAL_LOSSES
from tfgan_app.training.task import GeneratorOutputs


def weights(models):
    return [v.numpy() for model in models.values() for v in model.variables]


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def step(trainer, batch):
    return {name: float(np.ravel(value)[0]) for name, value in trainer.train_step(batch).items()}


def test_step_is_the_alternating_update_written_by_hand():
    """Discriminator against the detached fake, then generator against the updated discriminator."""
    trainer, twin = build_tiny_trainer(ema_decay=0.0), build_tiny_trainer(ema_decay=0.0)
    batch = next(iter(build_batches()))
    logs = step(trainer, batch)

    generator, discriminator = twin.networks.generators["generator"], twin.networks.discriminators["discriminator"]
    loss = ADVERSARIAL_LOSSES["non_saturating"]
    source, real = batch["input"], batch["target"]
    with tf.GradientTape() as tape:
        fake = tf.stop_gradient(generator(source))
        discriminator_loss = loss.discriminator(discriminator([source, real]), discriminator([source, fake]), 1.0)
    variables = discriminator.trainable_variables
    twin.discriminator_optimizer.apply(tape.gradient(discriminator_loss, variables), variables)
    with tf.GradientTape() as tape:
        fake = generator(source)
        l1 = tf.reduce_mean(tf.abs(fake - real))
        generator_loss = loss.generator(discriminator([source, fake])) + 10.0 * l1
    variables = generator.trainable_variables
    twin.generator_optimizer.apply(tape.gradient(generator_loss, variables), variables)

    assert logs["discriminator_loss"] == pytest.approx(float(discriminator_loss), rel=1e-5)
    assert logs["generator_loss"] == pytest.approx(float(generator_loss), rel=1e-5)
    assert logs["l1"] == pytest.approx(float(l1), rel=1e-5)
    for kind in ("generators", "discriminators"):
        for a, b in zip(weights(getattr(trainer.networks, kind)), weights(getattr(twin.networks, kind)), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_both_networks_learn_under_fit():
    trainer = build_tiny_trainer()
    before = weights(trainer.networks.generators), weights(trainer.networks.discriminators)
    history = trainer.fit(build_batches(), epochs=1, shuffle=False, verbose=0).history
    assert not equal(before[0], weights(trainer.networks.generators))
    assert not equal(before[1], weights(trainer.networks.discriminators))
    assert {"generator_loss", "discriminator_loss", "l1", "adversarial", "real_accuracy", "nonfinite"} <= set(history)
    assert int(trainer.step.numpy()) == 4


def test_generator_overfits_one_batch():
    # The rate falls, so that the end does not depend on the state of the adversarial training on a machine.
    trainer = build_tiny_trainer(optimizer={"learning_rate": 1e-2, "schedule": "cosine", "schedule_steps": 150})
    batch = next(iter(build_batches()))
    batch["target"] = -0.5 * batch["input"]
    train = tf.function(trainer.train_step)
    first = float(train(batch)["l1"][0])
    for _ in range(150):
        trainer.reset_metrics()
        last = float(train(batch)["l1"][0])
    assert last < 0.2 * first


def test_averaged_weights_follow_with_warm_up():
    trainer = build_tiny_trainer(ema_decay=0.999)
    before = weights(trainer.averaged.generators)
    step(trainer, next(iter(build_batches())))
    decay = 1 / 10  # (1 + 0) / (10 + 0), far below 0.999
    expected = [decay * a + (1 - decay) * b for a, b in zip(before, weights(trainer.networks.generators), strict=True)]
    for mean, value in zip(weights(trainer.averaged.generators), expected, strict=True):
        np.testing.assert_allclose(mean, value, atol=1e-7)


def test_real_label_smooths_the_discriminators_target_only():
    batch = next(iter(build_batches()))
    plain, smooth = step(build_tiny_trainer(), batch), step(build_tiny_trainer(real_label=0.9), batch)
    trainer = build_tiny_trainer()
    discriminator = trainer.networks.discriminators["discriminator"]
    mean_real_logit = float(tf.reduce_mean(discriminator([batch["input"], batch["target"]])))
    assert smooth["discriminator_loss"] - plain["discriminator_loss"] == pytest.approx(0.1 * mean_real_logit, abs=1e-5)


def test_accumulating_two_half_batches_is_one_update_of_the_whole():
    """For the discriminator, whose update sees the same generator both times."""
    whole = build_tiny_trainer(ema_decay=0.0)
    step(whole, next(iter(build_batches(steps=1, batch_size=8))))
    halves = build_tiny_trainer(ema_decay=0.0, optimizer={"accumulate_steps": 2})
    first, second = iter(build_batches(steps=2, batch_size=4))
    untouched = weights(halves.networks.discriminators)
    step(halves, first)
    assert equal(untouched, weights(halves.networks.discriminators))
    step(halves, second)
    for a, b in zip(weights(whole.networks.discriminators), weights(halves.networks.discriminators), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_clipping_bounds_the_update():
    """With plain momentum-free Adam the step size hides the norm, so look at the clipped first moment."""
    trainer = build_tiny_trainer(clip_norm=1e-3, optimizer={"beta_1": 0.0})
    logs = step(trainer, next(iter(build_batches())))
    assert logs["generator_gradient_norm"] > 1e-2
    moments = [v.numpy() for v in trainer.generator_optimizer.variables if "momentum" in v.path]
    assert np.sqrt(sum((m**2).sum() for m in moments)) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_with_float32_weights_and_losses(precision):
    trainer = build_tiny_trainer(precision=precision)
    before = weights(trainer.networks.generators), weights(trainer.networks.discriminators)
    trainer.fit(build_batches(), epochs=1, shuffle=False, verbose=0)
    assert {v.dtype for v in trainer.generator_variables + trainer.discriminator_variables} == {"float32"}
    wrapped = [
        isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        for optimizer in (trainer.generator_optimizer, trainer.discriminator_optimizer)
    ]
    assert wrapped == [precision == "mixed_float16"] * 2
    assert not equal(before[0], weights(trainer.networks.generators))
    assert not equal(before[1], weights(trainer.networks.discriminators))
    reference = build_tiny_trainer()
    reference.fit(build_batches(), epochs=1, shuffle=False, verbose=0)
    mixed, full = (float(t._trackers["generator_loss"].result()) for t in (trainer, reference))
    assert mixed == pytest.approx(full, rel=0.02)


def test_float16_overflow_lowers_the_loss_scale_and_keeps_the_weights():
    trainer = build_tiny_trainer(precision="mixed_float16")
    trainer.generator_optimizer.dynamic_scale.assign(2.0**100)
    before = weights(trainer.networks.generators)
    logs = step(trainer, next(iter(build_batches())))
    assert equal(before, weights(trainer.networks.generators))
    assert float(trainer.generator_optimizer.dynamic_scale) < 2.0**100
    assert logs["nonfinite"] == 0.0


def test_a_nonfinite_loss_is_counted_even_where_the_gradients_are_finite():
    trainer = build_tiny_trainer()
    plain = trainer._forward
    trainer._forward = lambda *args: GeneratorOutputs(
        plain(*args).adversarial, {"l1": plain(*args).auxiliary["l1"] + np.float32(np.nan)}
    )
    assert step(trainer, next(iter(build_batches())))["nonfinite"] == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nonfinite_numbers_are_counted(bad):
    trainer = build_tiny_trainer()
    batch = next(iter(build_batches()))
    assert step(trainer, batch)["nonfinite"] == 0.0
    batch["target"] = batch["target"] * bad
    assert step(trainer, batch)["nonfinite"] > 0.0


def test_augmentation_is_a_function_of_seed_step_and_position():
    seen = []

    def augment(batch, draws):
        seen.append(draws.numpy())
        return batch

    options = {"augment": augment, "draws_per_example": 3}
    first, second = iter(build_batches(steps=2))
    a, b, c = build_tiny_trainer(**options), build_tiny_trainer(**options), build_tiny_trainer(seed=1, **options)
    for trainer in (a, b, c):
        step(trainer, first)
    step(a, second)
    assert seen[0].shape == (4, 3)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[3])
    reversed_batch = {name: value[::-1] for name, value in first.items()}
    step(build_tiny_trainer(**options), reversed_batch)
    np.testing.assert_array_equal(seen[0], seen[4][::-1])
