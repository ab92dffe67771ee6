"""Noise has the requested distribution."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfgan_app.degradations.noise import Noise, add_noise

SIDE = 128


def flat(level, batch=1):
    return tf.fill((batch, SIDE, SIDE, 3), np.float32(level))


def draws(batch=1, seed=0):
    return tf.random.stateless_uniform((batch, 2), (seed, 1))


def test_gaussian_noise_has_each_examples_standard_deviation():
    noise = add_noise(flat(0.5, 3), draws(3), sigma_255=tf.constant([0.0, 5.0, 50.0])).numpy() - 0.5
    assert not noise[0].any()
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)) * 255, [0.0, 5.0, 50.0], rtol=0.02)
    assert scipy.stats.kstest(noise[2].ravel() * 255 / 50, "norm").statistic < 0.01
    correlation = np.corrcoef(noise[2].reshape(-1, 3).T)
    assert np.abs(correlation - np.eye(3)).max() < 0.03


def test_gray_noise_is_the_same_in_all_channels():
    noisy = add_noise(flat(0.5, 2), draws(2), sigma_255=tf.fill((2,), 20.0), gray=tf.constant([True, False])).numpy()
    assert np.ptp(noisy[0], axis=-1).max() == 0
    assert noisy[0].std() * 255 == pytest.approx(20, rel=0.02)
    assert np.ptp(noisy[1], axis=-1).min() > 0


@pytest.mark.parametrize("counts", [0, 0.3, 1, 4, 20, 200])
def test_poisson_noise_counts(counts):
    noisy = add_noise(flat(counts / 256), draws(), sigma_255=tf.zeros((1,)), poisson_scale=tf.ones((1,)))
    counted = 256 * noisy.numpy().astype(np.float64)
    np.testing.assert_allclose(counted, np.round(counted), atol=1e-3)
    assert counted.mean() == pytest.approx(counts, abs=0.08 + 0.005 * counts**0.5)
    assert counted.var() == pytest.approx(counts, abs=0.15 + 0.02 * counts)
    values = np.arange(400)
    measured = np.searchsorted(np.sort(np.round(counted).ravel()), values, side="right") / counted.size
    assert np.abs(measured - scipy.stats.poisson.cdf(values, counts)).max() < 0.08


def test_poisson_noise_scales_and_in_gray_follows_luma():
    images = tf.constant(np.broadcast_to(np.float32([0.9, 0.1, 0.2]), (1, SIDE, SIDE, 3)))
    options = {"sigma_255": tf.zeros((1,)), "poisson_scale": tf.constant([3.0])}
    color = (add_noise(images, draws(), **options) - images).numpy()
    np.testing.assert_allclose(color.var(axis=(0, 1, 2)), 9 * np.array([0.9, 0.1, 0.2]) / 256, rtol=0.05)
    gray = (add_noise(images, draws(), gray=tf.constant([True]), **options) - images).numpy()
    assert np.ptp(gray, axis=-1).max() < 1e-6
    assert gray.var() == pytest.approx(9 * (0.299 * 0.9 + 0.587 * 0.1 + 0.114 * 0.2) / 256, rel=0.05)


def test_strengths_are_uniform_and_a_share_stays_clean():
    degradation = Noise(sigma_255=(10, 30), clean=0.25)
    images = tf.fill((400, 16, 16, 3), 0.5)
    u = tf.random.stateless_uniform((400, degradation.draws_per_example), (0, 5))
    sigmas = 255 * (degradation(images, u) - images).numpy().std(axis=(1, 2, 3))
    assert np.mean(sigmas == 0) == pytest.approx(0.25, abs=0.06)
    noisy = sigmas[sigmas > 0]
    assert noisy.min() == pytest.approx(10, abs=1)
    assert noisy.max() == pytest.approx(30, abs=2)
    assert noisy.mean() == pytest.approx(20, abs=1)


def test_equal_bounds_fix_the_strength_and_strength_0_changes_nothing():
    images = flat(0.5, 2)
    u = tf.random.stateless_uniform((2, Noise.draws_per_example), (0, 6))
    noise = (Noise(sigma_255=(25, 25), clean=0)(images, u) - images).numpy()
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)) * 255, 25, rtol=0.02)
    np.testing.assert_array_equal(Noise(sigma_255=(0, 0))(images, u), images)


def test_a_share_gets_poisson_noise():
    degradation = Noise(sigma_255=(50, 50), clean=0, poisson=0.4, poisson_scale=(1, 1))
    u = tf.random.stateless_uniform((300, degradation.draws_per_example), (0, 7))
    black = degradation(tf.zeros((300, 4, 4, 3)), u).numpy()
    assert np.mean(~black.any(axis=(1, 2, 3))) == pytest.approx(0.4, abs=0.07)


@pytest.mark.parametrize("option", ["sigma_255", "poisson_scale", "clean", "gray", "poisson"])
def test_settings_out_of_range_are_named(option):
    wrong = (5.0, -1.0) if option in ("sigma_255", "poisson_scale") else -0.1
    with pytest.raises(ValueError, match=f"`{option}`"):
        Noise(**{option: wrong})
