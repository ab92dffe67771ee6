"""Adversarial losses against values computed by hand."""

import math

import numpy as np
import pytest

from tfgan_app.losses import ADVERSARIAL_LOSSES

REAL = np.array([2.0, -1.0], np.float32)
FAKE = np.array([0.5, -3.0], np.float32)


def softplus(x):
    return math.log1p(math.exp(x))


def test_non_saturating_is_binary_cross_entropy_of_the_sigmoid():
    loss = ADVERSARIAL_LOSSES["non_saturating"]
    generator = (softplus(-0.5) + softplus(3.0)) / 2
    discriminator = ((softplus(-2.0) + softplus(1.0)) / 2 + (softplus(0.5) + softplus(-3.0)) / 2) / 2
    assert float(loss.generator(FAKE)) == pytest.approx(generator, rel=1e-6)
    assert float(loss.discriminator(REAL, FAKE, 1.0)) == pytest.approx(discriminator, rel=1e-6)


def test_non_saturating_smooths_the_real_label_only():
    loss = ADVERSARIAL_LOSSES["non_saturating"]
    real = sum(0.9 * softplus(-z) + 0.1 * softplus(z) for z in REAL) / 2
    fake = sum(softplus(z) for z in FAKE) / 2
    assert float(loss.discriminator(REAL, FAKE, 0.9)) == pytest.approx((real + fake) / 2, rel=1e-6)


def test_least_squares():
    loss = ADVERSARIAL_LOSSES["least_squares"]
    assert float(loss.generator(FAKE)) == pytest.approx((0.25 + 16.0) / 2)
    assert float(loss.discriminator(REAL, FAKE, 1.0)) == pytest.approx(((1 + 4) / 2 + (0.25 + 9) / 2) / 2)
    assert float(loss.discriminator(REAL, FAKE, 0.9)) == pytest.approx(
        ((1.1**2 + 1.9**2) / 2 + (0.25 + 9) / 2) / 2, rel=1e-6
    )


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_losses_stay_finite_on_extreme_half_precision_logits(name):
    logits = np.array([6e4, -6e4, 0.0], np.float16)
    loss = ADVERSARIAL_LOSSES[name]
    values = [loss.generator(logits), loss.discriminator(logits, logits, 1.0)]
    assert all(np.isfinite(np.asarray(value)) for value in values)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_a_right_discriminator_loses_less_and_is_counted_right(name):
    loss = ADVERSARIAL_LOSSES[name]
    high, low = np.full((2, 3, 3, 1), 3.0, np.float32), np.full((2, 3, 3, 1), -3.0, np.float32)
    if name == "least_squares":
        high, low = np.ones_like(high), np.zeros_like(low)
    assert float(loss.discriminator(high, low, 1.0)) < float(loss.discriminator(low, high, 1.0))
    assert float(loss.generator(high)) < float(loss.generator(low))
    assert float(loss.says_real(high)) == 1.0
    assert float(loss.says_real(low)) == 0.0
