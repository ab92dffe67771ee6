"""Path-length regularization: its value for a linear generator, its state, and its gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.training.path_length import MEAN, MEAN_DECAY, path_length_regularizer, path_lengths
from tfgan_app.training.task import Networks

SIZE_PX, DIM, LAYERS = 4, 3, 2


def linear(matrices):
    """Images that are a linear function of the styles of each layer: `matrices` `[layers, dim, pixels]`."""

    def synthesize(styles):
        flat = tf.einsum("bld,ldp->bp", styles, tf.cast(matrices, styles.dtype))
        return tf.reshape(flat, [-1, SIZE_PX, SIZE_PX, 1])

    return synthesize


def test_length_of_a_linear_generator_is_the_norm_of_its_projected_matrix():
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((LAYERS, DIM, SIZE_PX**2)).astype(np.float32)
    noise = rng.standard_normal((5, SIZE_PX, SIZE_PX, 1)).astype(np.float32)
    styles = tf.constant(rng.standard_normal((5, LAYERS, DIM)), tf.float32)
    projected = np.einsum("ldp,bp->bld", matrices, noise.reshape(5, -1)) / SIZE_PX
    expected = np.sqrt(np.square(projected).sum(2).mean(1))
    np.testing.assert_allclose(path_lengths(linear(matrices), styles, noise), expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_orthonormal_generators_have_the_length_of_their_scale(scale):
    """The property of the paper's appendix C: J^T y has a constant norm where J is orthogonal up to a scale."""
    dim = 4096
    noise = tf.random.stateless_normal([8, 64, 64, 1], [0, 1])
    styles = tf.zeros([8, 1, dim])
    lengths = path_lengths(lambda w: scale * tf.reshape(w, [-1, 64, 64, 1]), styles, noise)
    np.testing.assert_allclose(lengths, scale, rtol=0.05)


def networks_with(weight):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((1, DIM))
    x = keras.layers.Dense(SIZE_PX**2, use_bias=False, name="linear")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Reshape((SIZE_PX, SIZE_PX, 1))(x))
    model.get_layer("linear").kernel.assign(weight)
    return Networks({"generator": model}, {})


def test_penalty_is_the_distance_from_the_running_mean_and_pulls_towards_it():
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((DIM, SIZE_PX**2)).astype(np.float32)
    noise = tf.constant(rng.standard_normal((6, SIZE_PX, SIZE_PX, 1)), tf.float32)
    networks = networks_with(kernel)
    regularizer = path_length_regularizer(
        lambda networks, batch: (tf.zeros([6, 1, DIM]), networks.generators["generator"]), weight=2.0, every_steps=4
    )
    batch = {"image": tf.zeros([6, SIZE_PX, SIZE_PX, 1])}
    lengths = np.linalg.norm(np.asarray(noise).reshape(6, -1) @ kernel.T / SIZE_PX, axis=1)
    old = 3.0
    with tf.GradientTape() as tape:
        value, state = regularizer.penalty(networks, batch, lambda shape: noise, {MEAN: tf.constant(old)})
    mean = old + MEAN_DECAY * (lengths.mean() - old)
    assert float(state[MEAN]) == pytest.approx(mean, rel=1e-5)
    assert float(value) == pytest.approx(np.square(lengths - mean).mean(), rel=1e-5)
    (variable,) = networks.generators["generator"].trainable_variables
    gradient = tape.gradient(value, variable.value)
    variable.assign(variable - 0.01 * gradient)
    after, _ = regularizer.penalty(networks, batch, lambda shape: noise, {MEAN: tf.constant(old)})
    assert after < value
