"""Adversarial losses against values computed by hand."""

import math

import numpy as np
import pytest

from tfgan_app.losses import ADVERSARIAL_LOSSES

REAL = np.array([2.0, -1.0], np.float32)
FAKE = np.array([0.5, -3.0], np.float32)


def softplus(x):
    return math.log1p(math.exp(x))


CROSS_ENTROPY = (softplus(-2.0) + softplus(1.0)) / 2 + (softplus(0.5) + softplus(-3.0)) / 2
BY_HAND = {
    "minimax": (-(softplus(0.5) + softplus(-3.0)) / 2, CROSS_ENTROPY),
    "non_saturating": ((softplus(-0.5) + softplus(3.0)) / 2, CROSS_ENTROPY),
    "least_squares": ((0.25 + 16.0) / 2, (1 + 4) / 2 + (0.25 + 9) / 2),
    "hinge": ((-0.5 + 3.0) / 2, (0 + 2) / 2 + (1.5 + 0) / 2),
    "wasserstein": ((-0.5 + 3.0) / 2, (0.5 - 3.0) / 2 - (2.0 - 1.0) / 2),
    "relativistic": ((softplus(1.5) + softplus(2.0)) / 2, (softplus(-1.5) + softplus(-2.0)) / 2),
    # The mean of the real logits is 0.5, that of the fake ones -1.25.
    "relativistic_average": (
        (softplus(0.0) + softplus(3.5)) / 2 + (softplus(3.25) + softplus(0.25)) / 2,
        (softplus(-3.25) + softplus(-0.25)) / 2 + (softplus(0.0) + softplus(-3.5)) / 2,
    ),
}


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_losses_equal_their_equations(name):
    loss = ADVERSARIAL_LOSSES[name]
    real = REAL if loss.relativistic else None
    assert float(loss.generator(FAKE, real)) == pytest.approx(BY_HAND[name][0], rel=1e-6)
    assert float(loss.discriminator(REAL, FAKE, 1.0)) == pytest.approx(BY_HAND[name][1], rel=1e-6)


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_cross_entropy_smooths_the_real_label_only(name):
    real = sum(0.9 * softplus(-z) + 0.1 * softplus(z) for z in REAL) / 2
    fake = sum(softplus(z) for z in FAKE) / 2
    assert float(ADVERSARIAL_LOSSES[name].discriminator(REAL, FAKE, 0.9)) == pytest.approx(real + fake, rel=1e-6)


def test_least_squares_moves_the_real_target():
    value = float(ADVERSARIAL_LOSSES["least_squares"].discriminator(REAL, FAKE, 0.9))
    assert value == pytest.approx((1.1**2 + 1.9**2) / 2 + (0.25 + 9) / 2, rel=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_losses_stay_finite_on_extreme_half_precision_logits(name):
    logits = np.array([6e4, -6e4, 0.0], np.float16)
    loss = ADVERSARIAL_LOSSES[name]
    values = [loss.generator(logits, logits[::-1]), loss.discriminator(logits, logits[::-1], 1.0)]
    assert all(np.isfinite(np.asarray(value)) for value in values)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_a_right_discriminator_loses_less_and_is_counted_right(name):
    loss = ADVERSARIAL_LOSSES[name]
    high, low = np.full((2, 3, 3, 1), 3.0, np.float32), np.full((2, 3, 3, 1), -3.0, np.float32)
    if name == "least_squares":
        high, low = np.ones_like(high), np.zeros_like(low)
    assert float(loss.discriminator(high, low, 1.0)) < float(loss.discriminator(low, high, 1.0))
    assert float(loss.generator(high, low)) < float(loss.generator(low, high))
    assert [float(share) for share in loss.accuracies(high, low)] == [1.0, 1.0]
    assert [float(share) for share in loss.accuracies(low, high)] == [0.0, 0.0]


def test_losses_without_a_threshold_count_pairs():
    real, fake = np.array([5.0, 6.0, 7.0, 8.0], np.float32), np.array([4.0, 7.0, 6.0, 7.0], np.float32)
    assert [float(share) for share in ADVERSARIAL_LOSSES["relativistic"].accuracies(real, fake)] == [0.75, 0.75]
    assert [float(share) for share in ADVERSARIAL_LOSSES["non_saturating"].accuracies(real, fake)] == [1.0, 0.0]
