"""Adaptive instance normalization: statistics of one image on the features of another."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.layers import AdaptiveInstanceNorm, channel_statistics, statistics_maps

RNG = np.random.default_rng(0)
CONTENT = RNG.normal(2.0, 3.0, (2, 7, 5, 4)).astype(np.float32)
STYLE = RNG.normal(-1.0, 0.5, (2, 3, 9, 4)).astype(np.float32)


def moved(strength, content=CONTENT):
    statistics = [channel_statistics(features) for features in (content, STYLE)]
    return np.asarray(AdaptiveInstanceNorm()([content, *statistics, np.array(strength, np.float32)]))


def test_statistics_by_hand():
    found = np.asarray(channel_statistics(CONTENT))
    assert found.shape == (2, 2, 4)
    np.testing.assert_allclose(found[:, 0], CONTENT.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found[:, 1], CONTENT.std((1, 2)), rtol=1e-5)


def test_the_output_has_the_statistics_of_the_style():
    output = moved([1.0, 1.0])
    np.testing.assert_allclose(output.mean((1, 2)), STYLE.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(output.std((1, 2)), STYLE.std((1, 2)), rtol=1e-4)


def test_strength_leads_from_the_content_to_the_style():
    np.testing.assert_allclose(moved([0.0, 0.0]), CONTENT, atol=1e-6)
    np.testing.assert_allclose(moved([0.25, 0.0])[0], 0.75 * CONTENT[0] + 0.25 * moved([1.0, 1.0])[0], atol=1e-5)


def test_a_flat_channel_gives_finite_numbers_and_gradients():
    flat, style = tf.constant(np.full_like(CONTENT, 3.0)), channel_statistics(STYLE)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        total = tf.reduce_sum(AdaptiveInstanceNorm()([flat, channel_statistics(flat), style, tf.ones(2)]))
    assert np.isfinite(tape.gradient(total, flat)).all() and np.isfinite(total)


def test_graphs_agree_with_eager_runs():
    """A slice with an integer and new axes is read wrongly in graphs."""
    mean, deviation = tf.function(lambda: statistics_maps(channel_statistics(CONTENT)))()
    assert mean.shape == deviation.shape == (2, 1, 1, 4)
    inputs = [CONTENT, channel_statistics(CONTENT), channel_statistics(STYLE), np.ones(2, np.float32)]
    np.testing.assert_allclose(tf.function(AdaptiveInstanceNorm())(inputs), moved([1.0, 1.0]), atol=1e-5)


def test_half_precision_features_are_measured_in_float32():
    layer = AdaptiveInstanceNorm()
    layer = AdaptiveInstanceNorm.from_config(layer.get_config())
    assert layer.compute_dtype == "float32"
    near = keras.ops.cast(np.repeat([100.0, 101.0], 16).reshape(1, 4, 8, 1), "bfloat16")
    np.testing.assert_allclose(np.asarray(channel_statistics(near))[0, 1], 0.5, atol=0.01)
