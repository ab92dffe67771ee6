"""Gradient penalties against values computed by hand."""

import numpy as np
import pytest

from tfgan_app.losses import GRADIENT_PENALTIES

GRADIENTS = np.zeros((2, 2, 2, 1), np.float32)
GRADIENTS[0, :, :, 0] = [[1.0, 2.0], [2.0, 0.0]]  # norm 3
GRADIENTS[1, 0, 0, 0] = 0.5


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_zero_centered_penalties_are_half_the_mean_squared_norm(name):
    assert float(GRADIENT_PENALTIES[name].of(GRADIENTS)) == pytest.approx((9.0 + 0.25) / 4)


def test_wgan_gp_pulls_norms_to_one():
    assert float(GRADIENT_PENALTIES["wgan_gp"].of(GRADIENTS)) == pytest.approx((4.0 + 0.25) / 2)


def test_where_each_is_taken():
    assert {name: penalty.at for name, penalty in GRADIENT_PENALTIES.items()} == {
        "r1": "real",
        "r2": "fake",
        "wgan_gp": "between",
    }


@pytest.mark.parametrize("name", GRADIENT_PENALTIES)
def test_half_precision_gradients_are_summed_in_float32(name):
    gradients = np.full((1, 64, 64, 3), 4.0, np.float16)  # Its squared norm overflows float16.
    value = float(GRADIENT_PENALTIES[name].of(gradients))
    norm = np.sqrt(16.0 * 64 * 64 * 3)
    assert value == pytest.approx((norm - 1) ** 2 if name == "wgan_gp" else norm**2 / 2, rel=1e-5)
