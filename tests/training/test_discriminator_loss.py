"""Losses of the discriminators: penalties, lazy intervals, augmentation, noise, codes, several updates per step."""

import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from noise_training import build_noise_batches, build_noise_trainer

from tfgan_app.losses import ADVERSARIAL_LOSSES
from tfgan_app.training.checkpoints import Checkpoints, state_variables
from tfgan_app.training.task import DiscriminatorInputs


def batch(**options):
    return next(iter(build_noise_batches(**options)))


def step(trainer, data):
    trainer.reset_metrics()
    return {name: float(np.ravel(value)[0]) for name, value in trainer.train_step(data).items()}


def both_networks(trainer):
    return trainer.networks.generators["generator"], trainer.networks.discriminators["discriminator"]


def weights(model):
    return [v.numpy() for v in model.variables]


def gradients_at(discriminator, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        summed = tf.reduce_sum(discriminator(images))
    return tape.gradient(summed, images)


def penalty_by_hand(name, discriminator, real, fake, trainer, positions):
    places = {"r1": real, "r2": fake}
    if name == "wgan_gp":
        from tfgan_app.training import discriminator_loss

        share = trainer._draws.uniform(positions, 1, stream=discriminator_loss._SHARE)[:, :, None, None]
        norms = tf.norm(tf.reshape(gradients_at(discriminator, real + share * (fake - real)), [len(real), -1]), axis=1)
        return tf.reduce_mean((norms - 1.0) ** 2)
    return tf.reduce_mean(tf.reduce_sum(gradients_at(discriminator, places[name]) ** 2, axis=(1, 2, 3))) / 2


@pytest.mark.parametrize("name", ["r1", "r2", "wgan_gp"])
def test_discriminator_update_with_a_penalty_is_the_one_written_by_hand(name):
    trainer, twin = build_noise_trainer(penalties={name: 3.0}), build_noise_trainer(penalties={name: 3.0})
    data = batch()
    generator, discriminator = both_networks(twin)
    fake = generator(data["latents"])
    with tf.GradientTape() as tape:
        loss = ADVERSARIAL_LOSSES["non_saturating"].discriminator(
            discriminator(data["image"]), discriminator(fake), 1.0
        )
        penalty = 3.0 * penalty_by_hand(name, discriminator, data["image"], fake, twin, data["position"])
        total = loss + penalty
    variables = discriminator.trainable_variables
    gradients = tape.gradient(total, variables)
    twin.discriminator_optimizer.apply(gradients, variables)
    logs = step(trainer, data)
    assert logs["penalty"] == pytest.approx(float(penalty), rel=1e-4)
    assert logs["discriminator_loss"] == pytest.approx(float(total), rel=1e-5)
    assert logs["discriminator_gradient_norm"] == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-4)
    for a, b in zip(weights(both_networks(trainer)[1]), weights(discriminator), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_several_penalties_add_up():
    both = step(build_noise_trainer(penalties={"r1": 1.0, "r2": 2.0, "wgan_gp": 0.5}), batch())["penalty"]
    each = [
        step(build_noise_trainer(penalties={n: w}), batch())["penalty"]
        for n, w in (("r1", 1), ("r2", 2), ("wgan_gp", 0.5))
    ]
    assert both == pytest.approx(sum(each), rel=1e-5)


def test_a_strong_penalty_flattens_the_discriminator():
    plain = build_noise_trainer(optimizer={"learning_rate": 1e-2})
    penalized = build_noise_trainer(penalties={"r1": 100.0}, optimizer={"learning_rate": 1e-2})
    slopes = []
    for trainer in (plain, penalized):
        trainer.fit(build_noise_batches(steps=60), epochs=1, shuffle=False, verbose=0)
        slopes.append(float(tf.norm(gradients_at(both_networks(trainer)[1], batch()["image"]))))
    assert slopes[1] < 0.2 * slopes[0]


def test_lazy_penalty_weighs_as_much_in_one_compiled_graph():
    lazy = build_noise_trainer(penalties={"r1": 1.0}, every=3)
    eager = step(build_noise_trainer(penalties={"r1": 1.0}), batch())["penalty"]
    traces = []

    @tf.function
    def train(data):
        traces.append(1)
        return lazy.train_step(data)

    values = []
    for data in build_noise_batches(steps=7):
        lazy.reset_metrics()
        values.append(float(train(data)["penalty"][0]))
    assert [value > 0 for value in values] == [True, False, False, True, False, False, True]
    assert values[0] == pytest.approx(3 * eager, rel=1e-5)
    assert len(traces) == 1


@pytest.mark.parametrize("loss", first_quick(ADVERSARIAL_LOSSES))
@pytest.mark.parametrize("precision", first_quick(["float32", "mixed_bfloat16", "mixed_float16"]))
def test_every_loss_trains_with_every_penalty_in_every_precision(loss, precision):
    trainer = build_noise_trainer(loss=loss, precision=precision, penalties={"r1": 0.1, "r2": 0.1, "wgan_gp": 0.1})
    before = [weights(model) for model in both_networks(trainer)]
    history = trainer.fit(build_noise_batches(), epochs=1, shuffle=False, verbose=0).history
    assert history["nonfinite"] == [0.0]
    assert history["penalty"][0] > 0
    for model, old in zip(both_networks(trainer), before, strict=True):
        assert not all(np.array_equal(a, b) for a, b in zip(weights(model), old, strict=True))


def test_relativistic_generator_sees_real_images():
    """One generator step against the updated discriminator, written by hand."""
    trainer, twin = build_noise_trainer(loss="relativistic"), build_noise_trainer(loss="relativistic")
    data = batch()
    logs = step(trainer, data)
    generator, _ = both_networks(twin)
    discriminator = both_networks(trainer)[1]  # Updated once; the generator's step left it alone.
    expected = tf.reduce_mean(tf.nn.softplus(discriminator(data["image"]) - discriminator(generator(data["latents"]))))
    assert logs["adversarial"] == pytest.approx(float(expected), rel=1e-5)


def test_several_discriminator_steps_take_their_own_shares_of_the_batch():
    trainer = build_noise_trainer(discriminator_steps=3)
    twin = build_noise_trainer()
    data = batch(steps=1, batch_size=12)
    step(trainer, data)
    generator, discriminator = both_networks(twin)
    loss = ADVERSARIAL_LOSSES["non_saturating"]
    for share in range(3):
        images, latents = (data[name][share::3] for name in ("image", "latents"))
        with tf.GradientTape() as tape:
            value = loss.discriminator(discriminator(images), discriminator(tf.stop_gradient(generator(latents))), 1.0)
        variables = discriminator.trainable_variables
        twin.discriminator_optimizer.apply(tape.gradient(value, variables), variables)
    for a, b in zip(weights(both_networks(trainer)[1]), weights(discriminator), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert int(trainer.generator_optimizer.iterations.numpy()) == 1
    assert int(trainer.step.numpy()) == 1


class Shift:
    """Adds a draw to the images, as strongly as the probability says, and remembers what it was given."""

    draws_per_example = 2

    def __init__(self):
        self.seen = []

    def __call__(self, images, draws, probability):
        self.seen.append((images, draws.numpy() if hasattr(draws, "numpy") else None, probability))
        return images + probability * draws[:, :1, None, None]


def test_real_and_fake_are_augmented_by_draws_of_their_own():
    shift = Shift()
    step(build_noise_trainer(discriminator_inputs=DiscriminatorInputs(augmentation=shift, probability=0.5)), batch())
    assert len(shift.seen) == 3  # Real and fake for the discriminator, fake for the generator.
    draws = [draws for _, draws, _ in shift.seen]
    assert all(a.shape == (4, 2) for a in draws)
    assert not np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[1], draws[2])
    again = Shift()
    step(build_noise_trainer(discriminator_inputs=DiscriminatorInputs(augmentation=again, probability=0.5)), batch())
    np.testing.assert_array_equal(draws[0], again.seen[0][1])


def test_generator_learns_through_the_augmentation():
    data = batch()
    plain, zeroed = (
        build_noise_trainer(),
        build_noise_trainer(discriminator_inputs=DiscriminatorInputs(augmentation=_Black())),
    )
    assert step(plain, data)["generator_gradient_norm"] > 0
    assert step(zeroed, data)["generator_gradient_norm"] == 0


class _Black:
    draws_per_example = 1

    def __call__(self, images, draws, probability):
        return 0.0 * images


def test_penalty_is_taken_through_the_augmentation():
    """With black images the discriminator's gradient with respect to what came in is zero."""
    trainer = build_noise_trainer(
        discriminator_inputs=DiscriminatorInputs(augmentation=_Black()), penalties={"r1": 1.0}
    )
    assert step(trainer, batch())["penalty"] == 0.0


def test_transformed_real_images_are_a_further_term():
    shift = Shift()
    trainer = build_noise_trainer(
        discriminator_inputs=DiscriminatorInputs(augmentation=shift, transformed_real_weight=3.0)
    )
    data = batch()
    generator, discriminator = both_networks(trainer)
    loss = ADVERSARIAL_LOSSES["non_saturating"]
    plain = [discriminator(data["image"]), discriminator(generator(data["latents"]))]
    logs = step(trainer, data)
    assert len(shift.seen) == 1  # Only real images, and only for the discriminator.
    np.testing.assert_array_equal(shift.seen[0][0], data["image"])
    twin = both_networks(build_noise_trainer())[1]
    transformed = twin(data["image"] + shift.seen[0][1][:, :1, None, None])
    expected = (loss.discriminator(*plain, 1.0) + 3.0 * loss.discriminator(transformed, plain[1], 1.0)) / 4.0
    assert logs["discriminator_loss"] == pytest.approx(float(expected), rel=1e-5)


def adapting(**options):
    discriminator_inputs = DiscriminatorInputs(augmentation=Shift(), probability=0.0, target=0.6, ramp_images=160)
    return build_noise_trainer(discriminator_inputs=discriminator_inputs, **options)


@pytest.mark.parametrize(
    ("start", "accuracy", "expected"),
    [
        (0.0, 1.0, [0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2]),
        (0.5, 0.7, [0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.3]),
        (0.0, 0.7, [0.0] * 8),
        (0.95, 1.0, [0.95, 0.95, 0.95, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_probability_adapts_every_four_steps_towards_the_target(start, accuracy, expected):
    """16 images of 160 move it by a tenth; a share of 0.7 is 0.4, below the target of 0.6."""
    trainer, values = adapting(), []
    trainer._discriminator_loss.variables[0].assign(start)
    for _ in range(8):
        values.append(float(trainer._discriminator_loss.adapt(tf.constant(accuracy), 4)["augment_probability"]))
        trainer.step.assign_add(1)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_adapted_probability_survives_a_resume(tmp_path):
    trainer, resumed, checkpoints = adapting(), adapting(), Checkpoints(tmp_path)
    trainer._discriminator_loss.variables[0].assign(0.37)
    trainer._discriminator_loss.variables[1].assign(1.5)
    checkpoints.save(trainer)
    checkpoints.restore(resumed, on_damaged=pytest.fail)
    for each in (trainer, resumed):
        each.fit(build_noise_batches(steps=5), epochs=1, shuffle=False, verbose=0)
    assert float(trainer._discriminator_loss.probability) != pytest.approx(0.37)
    for name, value in state_variables(trainer).items():
        np.testing.assert_array_equal(value.numpy(), state_variables(resumed)[name].numpy(), err_msg=name)


def test_instance_noise_fades():
    sigma = 0.5
    trainer = build_noise_trainer(discriminator_inputs=DiscriminatorInputs(noise_sigma=sigma, noise_steps=10))
    images, positions = tf.zeros((4, 64, 64, 1)), tf.range(4, dtype=tf.int64)
    for now, expected in ((0, 0.5), (5, 0.25), (10, 0.0), (20, 0.0)):
        trainer.step.assign(now)
        noisy = trainer._discriminator_loss.prepare(images, positions, stream=1, augment=True)
        assert float(tf.math.reduce_std(noisy)) == pytest.approx(expected, abs=0.02)


def test_both_networks_learn_the_codes():
    def code_loss(outputs, codes):
        return tf.reduce_mean(tf.square(outputs - codes))

    trainer = build_noise_trainer(code_loss=code_loss, codes=1, optimizer={"learning_rate": 1e-2})
    history = [step(trainer, data) for data in build_noise_batches(steps=150)]
    assert history[-1]["code_loss"] < 0.3 * history[0]["code_loss"]
    first = history[0]
    assert first["generator_loss"] > first["adversarial"]


def test_normalized_gradients_have_norm_one():
    trainer = build_noise_trainer(normalize_gradients=True, optimizer={"beta_1": 0.0})
    step(trainer, batch())
    for optimizer in (trainer.generator_optimizer, trainer.discriminator_optimizer):
        moments = [v.numpy() for v in optimizer.variables if "momentum" in v.path]
        assert np.sqrt(sum((m**2).sum() for m in moments)) == pytest.approx(1.0, rel=1e-3)


def test_spectrally_normalized_discriminator_takes_penalties():
    trainer = build_noise_trainer(penalties={"r1": 1.0, "wgan_gp": 1.0}, every=2, spectral_norm=True)
    history = trainer.fit(build_noise_batches(), epochs=1, shuffle=False, verbose=0).history
    assert history["nonfinite"] == [0.0]
    assert history["penalty"][0] > 0
