"""Pools of generated images: their content and outputs, and their place in the training state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from noise_training import build_noise_batches, build_noise_trainer

from tfgan_app.training.checkpoints import Checkpoints, state_variables
from tfgan_app.training.image_pool import ImagePool
from tfgan_app.training.stateless_random import StatelessRandom
from tfgan_app.training.task import DiscriminatorInputs

STREAM = 200


def build_pool(size, batch):
    model = keras.Model()
    step = tf.Variable(0, dtype=tf.int64)
    draws = StatelessRandom(tf.constant(5, tf.int64), step, batch)
    pool = ImagePool(size, (1, 1, 1), draws=draws, stream=STREAM, add_weight=model.add_weight, name="pool")
    return pool, draws, step


def one_after_the_other(kept, size, images, draws):
    """The pool as CycleGAN's authors describe it; changes `kept`."""
    handed_out = []
    for image, (coin, slot) in zip(images, draws, strict=True):
        if len(kept) < size:
            kept.append(image)
            handed_out.append(image)
        elif coin < 0.5:
            index = int(slot * size)
            handed_out.append(kept[index])
            kept[index] = image
        else:
            handed_out.append(image)
    return handed_out


@pytest.mark.parametrize(("size", "batch"), [(3, 1), (5, 4), (2, 8)])
def test_images_of_a_batch_are_exchanged_one_after_the_other(size, batch):
    pool, draws, step = build_pool(size, batch)
    kept, exchanged = [], 0
    exchange = tf.function(pool.exchange)
    for number in range(12):
        step.assign(number)
        images = np.arange(number * batch, (number + 1) * batch, dtype=np.float32)
        positions = tf.range(number * batch, (number + 1) * batch, dtype=tf.int64)
        expected = one_after_the_other(kept, size, images, draws.uniform(positions, 2, stream=STREAM).numpy())
        handed_out = exchange(images[:, None, None, None], positions).numpy().ravel()
        np.testing.assert_array_equal(handed_out, expected)
        exchanged += (handed_out != images).sum()
        assert int(pool.variables[1]) == len(kept)
        np.testing.assert_array_equal(np.ravel(pool.variables[0])[: len(kept)], kept)
    assert exchanged


def test_the_shape_of_what_is_handed_out_is_known_to_networks():
    pool, _, _ = build_pool(3, 4)
    images = tf.TensorSpec([None, 1, 1, 1], tf.float32)
    exchange = tf.function(pool.exchange, input_signature=[images, tf.TensorSpec([None], tf.int64)])
    assert exchange.get_concrete_function().structured_outputs.shape.as_list()[1:] == [1, 1, 1]


def test_half_of_the_images_are_exchanged():
    pool, _, step = build_pool(50, 100)
    shares = []
    for number in range(20):
        step.assign(number)
        images = np.arange(number * 100, (number + 1) * 100, dtype=np.float32)[:, None, None, None]
        handed_out = pool.exchange(tf.constant(images), tf.range(100, dtype=tf.int64)).numpy()
        shares.append((handed_out != images).mean())
    assert shares[0] < 0.5, "the first fifty fill the pool"
    assert np.mean(shares[1:]) == pytest.approx(0.5, abs=0.04)


def test_discriminators_see_older_images_and_the_generator_answers_for_its_new_ones():
    logs = []
    for discriminator_inputs in (DiscriminatorInputs(pool_size=2, pool_image=(8, 8, 1)), DiscriminatorInputs()):
        trainer = build_noise_trainer(discriminator_inputs=discriminator_inputs, optimizer={"learning_rate": 1e-12})
        for batch in build_noise_batches(steps=2):
            step = trainer.train_step(batch)
        logs.append({name: float(value[0]) for name, value in step.items()})
    pooled, plain = logs
    assert pooled["fake_logits"] != pytest.approx(plain["fake_logits"], abs=1e-5)
    assert pooled["real_logits"] == pytest.approx(plain["real_logits"], abs=1e-6)
    assert pooled["adversarial"] == pytest.approx(plain["adversarial"], abs=1e-6)


def test_the_pool_is_resumed_with_the_training(tmp_path):
    options = {"discriminator_inputs": DiscriminatorInputs(pool_size=3, pool_image=(8, 8, 1))}
    batches = list(build_noise_batches(steps=4))
    whole, begun, resumed = (build_noise_trainer(**options) for _ in range(3))
    for batch in batches:
        whole.train_step(batch)
    for batch in batches[:2]:
        begun.train_step(batch)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(begun)
    checkpoints.restore(resumed, on_damaged=pytest.fail)
    for batch in batches[2:]:
        resumed.train_step(batch)
    left, right = state_variables(whole), state_variables(resumed)
    assert any(tuple(variable.shape) == (3, 8, 8, 1) for variable in left.values())
    for name, variable in left.items():
        np.testing.assert_array_equal(variable.numpy(), right[name].numpy(), err_msg=name)
