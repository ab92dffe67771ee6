"""DRUNet: its size, where it starts, and that it scales."""

import functools

import keras
import numpy as np
import pytest
from picture_networks import (
    fill_zero_kernels,
    in_precision,
    peak_to_peak_of_flat_middle,
    random_picture,
    saved_and_loaded,
    weights_without_gradient,
    with_unknown_size,
)

from tfgan_app.layers.locality import locality_of
from tfgan_app.networks.restoration_unet import build_restoration_unet

SMALL = {"width": 4, "depth": 2, "blocks": 1}


@functools.cache
def generator(use_bias=False):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_restoration_unet(use_bias=use_bias, **SMALL))


def test_the_papers_network_is_as_large_as_published_less_the_map_of_the_noise():
    """DRUNet's weights for colour pictures hold 32 640 960 numbers, 9 * 64 of them for the map."""
    assert build_restoration_unet(width=64, blocks=4).count_params() == 32_640_960 - 9 * 64


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_starts_as_a_copy_in_every_precision(policy):
    picture = random_picture(2, 9, 6, 3)
    output = in_precision(policy, build_restoration_unet, **SMALL)(picture)
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, picture)


@pytest.mark.parametrize("size", [(1, 1), (13, 4), (8, 16)])
def test_it_takes_any_size_whether_known_or_not(size):
    picture = random_picture(2, *size, 3)
    output = generator()(picture)
    assert output.shape == picture.shape
    np.testing.assert_allclose(with_unknown_size(generator())(picture), output, atol=1e-5)


def test_without_biases_the_output_scales_with_the_input():
    picture = random_picture(1, 12, 16, 3)
    np.testing.assert_allclose(generator()(3 * picture), 3 * np.asarray(generator()(picture)), rtol=1e-4, atol=1e-5)


def test_biases_are_offered():
    layers = [layer for layer in generator(use_bias=True).layers if isinstance(layer, keras.layers.Conv2D)]
    assert all(layer.use_bias for layer in layers)


def test_untrained_sub_pixels_draw_no_checkerboard_on_a_flat_picture():
    assert peak_to_peak_of_flat_middle(generator(), size_px=160) < 1e-4


@pytest.mark.parametrize("use_bias", [False, True])
def test_every_weight_gets_a_gradient(use_bias):
    assert weights_without_gradient(generator(use_bias), random_picture(2, 16, 16, 3)) == []


def test_it_looks_no_further_than_it_says():
    locality = locality_of(generator())
    picture = random_picture(1, 8, 400, 3)
    changed = picture.copy()
    changed[:, :, 200 + locality.context_px + 1 :] = 0.0
    before, after = (np.asarray(generator()(x))[:, :, :201] for x in (picture, changed))
    np.testing.assert_array_equal(before, after)
    assert locality.multiple == 4


def test_it_survives_saving(tmp_path):
    picture = random_picture(1, 5, 8, 3)
    np.testing.assert_array_equal(saved_and_loaded(generator(), tmp_path)(picture), generator()(picture))
