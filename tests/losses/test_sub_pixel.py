"""The loss of checkerboards, and of nothing else."""

import numpy as np
import pytest
from keras import ops

from tfgan_app.losses import sub_pixel_bias_loss


def test_a_pattern_of_sub_pixels_counts_by_its_size():
    target = np.random.default_rng(0).uniform(-1, 1, (2, 8, 12, 3)).astype(np.float32)
    pattern = np.zeros((4, 4, 3), np.float32)
    pattern[1, 2] = 1.6
    output = target + np.tile(pattern, (2, 3, 1))
    # The mean over the cell is 0.1: one sub-pixel is 1.5 above it, and fifteen are 0.1 below.
    assert float(sub_pixel_bias_loss(target, output, scale=4)) == pytest.approx((1.5 + 15 * 0.1) / 16, rel=1e-5)


def test_other_colors_and_opposite_errors_do_not_count():
    target = np.random.default_rng(0).uniform(-1, 1, (2, 8, 12, 3)).astype(np.float32)
    assert float(sub_pixel_bias_loss(target, target + np.float32([0.1, 0.0, -0.2]), scale=4)) < 1e-6
    opposite = np.zeros((2, 8, 12, 3), np.float32)
    opposite[:, 1, 2], opposite[:, 5, 6] = 1.0, -1.0
    assert float(sub_pixel_bias_loss(target, target + opposite, scale=4)) < 1e-6


def test_images_do_not_make_up_for_each_other():
    target = np.zeros((2, 4, 4, 1), np.float32)
    output = target.copy()
    output[0, ::2], output[1, ::2] = 1.0, -1.0
    assert float(sub_pixel_bias_loss(target, output, scale=2)) == pytest.approx(0.5)
    assert ops.dtype(sub_pixel_bias_loss(target.astype(np.float16), output, scale=2)) == "float32"
