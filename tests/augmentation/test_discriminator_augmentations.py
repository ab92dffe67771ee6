"""Contract of every augmentation of the discriminator's images."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.augmentation import DISCRIMINATOR_AUGMENTATIONS

EVERY = pytest.mark.parametrize("name", sorted(DISCRIMINATOR_AUGMENTATIONS))


def build(name, batch=6, size=8, channels=3):
    """An augmentation, images, and draws for them."""
    augmentation = DISCRIMINATOR_AUGMENTATIONS[name]()
    images = tf.random.stateless_uniform((batch, size, size, channels), (0, 1), -1.0, 1.0)
    return augmentation, images, tf.random.stateless_uniform((batch, augmentation.draws_per_example), (2, 3))


def dense_jacobian(augmentation, draws, shape):
    """The matrix of the affine map that one example's draws make, column by column."""
    unit = tf.reshape(tf.eye(int(np.prod(shape))), (-1, *shape))
    draws = tf.repeat(draws, len(unit), axis=0)
    columns = augmentation(unit, draws, 0.8) - augmentation(tf.zeros_like(unit), draws, 0.8)
    return np.asarray(columns, np.float64).reshape(len(unit), -1).T


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_probability_0_changes_not_one_bit(name, dtype):
    augmentation, images, draws = build(name, batch=32)
    images = tf.cast(images, dtype)
    out = augmentation(images, draws, 0.0)
    assert out.dtype == images.dtype
    np.testing.assert_array_equal(out, images)


@EVERY
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_computed_in_float32(name, dtype):
    augmentation, images, draws = build(name)
    images = tf.cast(images, dtype)
    expected = tf.cast(augmentation(tf.cast(images, tf.float32), draws, 1.0), dtype)
    np.testing.assert_array_equal(augmentation(images, draws, 1.0), expected)


@EVERY
def test_images_are_augmented_one_by_one_and_as_their_draws_say(name):
    augmentation, images, draws = build(name)
    out = augmentation(images, draws, 0.7).numpy()
    np.testing.assert_array_equal(augmentation(images[::-1], draws[::-1], 0.7), out[::-1])
    same_image = augmentation(tf.repeat(images[:1], 6, axis=0), draws, 1.0).numpy()
    for other in same_image[1:]:
        assert np.abs(other - same_image[0]).max() > 0.1


@EVERY
@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_is_the_transpose(name, channels):
    augmentation, images, draws = build(name, batch=8, channels=channels)
    weights = tf.random.stateless_normal(images.shape, (4, 5))
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(weights * augmentation(images, draws, 0.8))
    gradient = tape.gradient(value, images).numpy()
    for i in range(8):
        jacobian = dense_jacobian(augmentation, draws[i : i + 1], images.shape[1:])
        expected = jacobian.T @ weights[i].numpy().ravel()
        np.testing.assert_allclose(gradient[i].ravel(), expected, atol=1e-4)


@EVERY
def test_gradient_penalty_has_the_right_gradient(name):
    """With A the augmentation's matrix, |A^T y|^2 / 2 for y = A x + b has the gradient A^T A A^T y."""
    augmentation, images, draws = build(name, batch=8)

    @tf.function
    def penalty_gradient(images):
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                energy = tf.reduce_sum(augmentation(images, draws, 0.8) ** 2) / 2.0
            penalty = tf.reduce_sum(inner.gradient(energy, images) ** 2) / 2.0
        return outer.gradient(penalty, images)

    result = penalty_gradient(images).numpy()
    y = augmentation(images, draws, 0.8).numpy().astype(np.float64)
    for i in range(8):
        jacobian = dense_jacobian(augmentation, draws[i : i + 1], images.shape[1:])
        expected = jacobian.T @ jacobian @ jacobian.T @ y[i].ravel()
        np.testing.assert_allclose(result[i].ravel(), expected, atol=1e-4 * max(1.0, np.abs(expected).max()))


@EVERY
def test_one_trace_serves_every_probability_and_batch(name):
    augmentation, images, draws = build(name)
    traces = []
    specs = [tf.TensorSpec((None, 8, 8, 3)), tf.TensorSpec((None, augmentation.draws_per_example))]
    adapted = tf.Variable(0.0)

    @tf.function(input_signature=[*specs, tf.TensorSpec(())])
    def compiled(images, draws, probability):
        traces.append(1)
        with tf.GradientTape() as tape:
            tape.watch(images)
            by_variable, by_tensor = (augmentation(images, draws, p) for p in (adapted, probability))
            value = tf.reduce_sum(by_variable)
        return by_variable, by_tensor, tape.gradient(value, images)

    for probability, batch in ((0.0, 6), (0.5, 6), (1.0, 3)):
        adapted.assign(probability)
        by_variable, by_tensor, gradient = compiled(images[:batch], draws[:batch], tf.constant(probability))
        expected = augmentation(images[:batch], draws[:batch], probability)
        assert by_variable.shape == gradient.shape == (batch, 8, 8, 3)
        np.testing.assert_allclose(by_variable, expected, atol=1e-5)
        np.testing.assert_allclose(by_tensor, expected, atol=1e-5)
    assert len(traces) == 1


@EVERY
def test_images_need_not_be_square(name):
    augmentation = DISCRIMINATOR_AUGMENTATIONS[name]()
    images = tf.random.stateless_uniform((4, 8, 12, 3), (0, 1), -1.0, 1.0)
    draws = tf.random.stateless_uniform((4, augmentation.draws_per_example), (2, 3))
    np.testing.assert_array_equal(augmentation(images, draws, 0.0), images)
    out = augmentation(images, draws, 1.0).numpy()
    assert out.shape == images.shape
    assert np.isfinite(out).all()
