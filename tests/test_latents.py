"""Latents depend on their seed alone, and truncation keeps their order."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.latents import seeded_latents, truncate_latents

NORMAL = statistics.NormalDist()


def test_a_seed_alone_decides_its_latents():
    seeds = [3, 0, 2**31 + 5, 2**63 - 1]
    together = seeded_latents(np.array(seeds), 7).numpy()
    assert together.dtype == np.float32 and together.shape == (4, 7)
    for seed, latents in zip(seeds, together, strict=True):
        np.testing.assert_array_equal(latents, seeded_latents(np.array([seed]), 7)[0])
        np.testing.assert_array_equal(latents, tf.random.stateless_normal([7], [seed, 0], alg="philox"))
    assert len(np.unique(together)) == together.size


def test_a_graph_draws_the_same():
    graph = tf.function(lambda seeds: seeded_latents(seeds, 5), input_signature=[tf.TensorSpec([None], tf.int64)])
    seeds = tf.range(6, dtype=tf.int64)
    np.testing.assert_array_equal(graph(seeds), seeded_latents(seeds, 5))
    assert graph(seeds[:0]).shape == (0, 5)


def test_values_do_not_change_between_versions():
    # Images are named by their seeds: these latents may never become others.
    np.testing.assert_allclose(seeded_latents(np.array([3]), 2)[0], [-0.6715848, 1.6760504], rtol=1e-6)


def test_latents_are_standard_normal():
    latents = seeded_latents(np.arange(400), 128).numpy().ravel()
    assert abs(latents.mean()) < 0.02 and abs(latents.std() - 1.0) < 0.02
    assert abs((latents < -1.0).mean() - NORMAL.cdf(-1.0)) < 0.005


@pytest.mark.parametrize("threshold", [0.5, 1.0, 2.0])
def test_truncation_keeps_quantiles(threshold):
    latents = np.array([-6.0, -2.5, -1.0, 0.0, 0.3, 1.5, 6.0], np.float32)
    low, high = NORMAL.cdf(-threshold), NORMAL.cdf(threshold)
    expected = [NORMAL.inv_cdf(low + NORMAL.cdf(float(latent)) * (high - low)) for latent in latents]
    truncated = truncate_latents(latents, threshold).numpy()
    assert truncated.dtype == np.float32
    np.testing.assert_allclose(truncated, expected, atol=1e-5)
    assert np.abs(truncated).max() <= threshold


def test_wide_truncation_changes_next_to_nothing():
    latents = np.array([-12.0, -6.5, 0.0, 5.6, 6.5, 12.0], np.float32)
    np.testing.assert_allclose(truncate_latents(latents, 20.0), latents, rtol=1e-5)
    assert np.abs(truncate_latents(latents, 6.0)).max() <= 6.0
