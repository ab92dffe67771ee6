"""InfoGAN's loss against values computed by hand."""

import math

import numpy as np
import pytest

from tfgan_app.losses import information_loss


def test_categorical_code_is_cross_entropy():
    outputs = np.array([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]], np.float32)
    codes = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    first = -2.0 + math.log(math.exp(2.0) + 1.0 + math.exp(-1.0))
    assert float(information_loss(outputs, codes, categories=3)) == pytest.approx((first + math.log(3)) / 2, rel=1e-6)


def test_continuous_codes_are_gaussian_likelihoods_of_variance_one():
    outputs, codes = np.array([[0.5, 0.0], [-1.0, 0.5]], np.float32), np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    expected = 0.5 * (0.25 + (4.0 + 0.25)) / 2
    assert float(information_loss(outputs, codes, categories=0)) == pytest.approx(expected, rel=1e-6)


def test_both_kinds_add_up():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(5, 3 + 2)).astype(np.float32)
    codes = np.concatenate([np.eye(3)[rng.integers(3, size=5)], rng.uniform(-1, 1, (5, 2))], 1).astype(np.float32)
    parts = information_loss(outputs[:, :3], codes[:, :3], categories=3)
    parts += information_loss(outputs[:, 3:], codes[:, 3:], categories=0)
    assert float(information_loss(outputs, codes, categories=3)) == pytest.approx(float(parts), rel=1e-6)
