"""Gated convolutions over an image with holes."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    random_image,
    saved_and_loaded,
    weights_without_gradient,
    with_unknown_size,
)

from tfgan_app.networks.inpainting import build_gated_inpainting


@functools.cache
def generator():
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_gated_inpainting(width=4))


def image_and_mask(height, width, *, seed=0):
    mask = (np.random.default_rng(seed).random((2, height, width, 1)) < 0.4).astype(np.float32)
    return random_image(2, height, width, 3) * (1 - mask), mask


def test_it_is_as_large_as_computed_by_hand():
    inputs_and_outputs = [
        (24, 48),
        (48, 48),
        (48, 96),
        *[(96, 96)] * 8,
        (96 + 48, 48),
        (48, 48),
        (48 + 24, 24),
        (24, 12),
    ]
    gated = sum((9 * a + 1) * 2 * b for a, b in inputs_and_outputs)
    first, last = (25 * 4 + 1) * 2 * 24, (9 * 12 + 1) * 3
    assert build_gated_inpainting().count_params() == first + gated + last


@pytest.mark.parametrize("size", [(1, 1), (13, 6), (16, 24)])
def test_known_pixels_come_back_exactly_at_any_size_known_or_not(size):
    image, mask = image_and_mask(*size)
    output = np.asarray(generator()([image, mask]))
    known = np.broadcast_to(mask == 0, image.shape)
    np.testing.assert_array_equal(output[known], image[known])
    assert not mask.any() or np.abs(output[~known]).max() > 0
    np.testing.assert_allclose(with_unknown_size(generator())(image, mask), output, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_known_pixels_come_back_exactly_in_mixed_precision(policy):
    image, mask = image_and_mask(13, 6)
    output = in_precision(policy, build_gated_inpainting, width=4)([image, mask])
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, image)


def test_what_lies_in_the_holes_does_not_count():
    image, mask = image_and_mask(16, 16)
    dirty = image + mask * random_image(2, 16, 16, 3, seed=1)
    np.testing.assert_array_equal(generator()([dirty, mask]), generator()([image, mask]))


def test_where_the_hole_is_matters_even_if_the_image_is_gray():
    gray = np.zeros((1, 32, 32, 3), np.float32)
    whole, corner = np.ones((2, 1, 32, 32, 1), np.float32)
    corner[:, 16:] = 0.0
    outputs = [np.asarray(generator()([gray, mask]))[:, :8, :8] for mask in (whole, corner)]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4


def test_the_middle_of_a_large_hole_sees_its_border():
    """100 pixels away from the hole's center, on all sides."""
    mask = np.zeros((1, 256, 256, 1), np.float32)
    mask[:, 28:228, 28:228] = 1.0
    image = np.zeros((1, 256, 256, 3), np.float32)
    changed = (1 - mask) * np.ones((1, 256, 256, 3), np.float32)
    outputs = [np.asarray(generator()([it, mask]))[0, 128, 128] for it in (image, changed)]
    assert np.abs(outputs[0] - outputs[1]).max() > 0


def test_every_weight_gets_a_gradient():
    assert weights_without_gradient(generator(), list(image_and_mask(16, 16))) == []


def test_it_survives_saving(tmp_path):
    inputs = list(image_and_mask(9, 8))
    np.testing.assert_array_equal(saved_and_loaded(generator(), tmp_path)(inputs), generator()(inputs))
