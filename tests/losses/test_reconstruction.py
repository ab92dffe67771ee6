"""Pixel losses against values computed by hand."""

import math

import numpy as np
import pytest

from tfgan_app.losses import RECONSTRUCTION_LOSSES

TARGET = np.array([0.0, 0.5, -1.0, 1.0], np.float32).reshape(1, 2, 2, 1)
OUTPUT = np.array([0.0, 0.25, 1.0, 1.0], np.float32).reshape(1, 2, 2, 1)
BY_HAND = {
    "l1": (0.25 + 2.0) / 4,
    "charbonnier": (2e-3 + math.hypot(0.25, 1e-3) + math.hypot(2.0, 1e-3)) / 4,
}


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_losses_equal_their_equations(name):
    assert float(RECONSTRUCTION_LOSSES[name](TARGET, OUTPUT)) == pytest.approx(BY_HAND[name], rel=1e-6)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_losses_of_half_precision_images_are_float32(name):
    loss = RECONSTRUCTION_LOSSES[name](TARGET.astype(np.float16), OUTPUT)
    assert np.asarray(loss).dtype == np.float32
