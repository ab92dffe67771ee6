"""DRUNet: size, initial output, scaling with the input."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    random_image,
    weights_without_gradient,
)

from tfgan_app.networks.restoration_unet import build_restoration_unet

SMALL = {"width": 4, "depth": 2, "blocks": 1}


@functools.cache
def generator(use_bias=False):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_restoration_unet(use_bias=use_bias, **SMALL))


def test_the_papers_network_is_as_large_as_published_less_the_map_of_the_noise():
    """DRUNet's weights for color images hold 32 640 960 numbers, 9 * 64 of them for the map."""
    assert build_restoration_unet(width=64, blocks=4).count_params() == 32_640_960 - 9 * 64


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_starts_as_a_copy_in_every_precision(policy):
    image = random_image(2, 9, 6, 3)
    output = in_precision(policy, build_restoration_unet, **SMALL)(image)
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, image)


def test_without_biases_the_output_scales_with_the_input():
    image = random_image(1, 12, 16, 3)
    np.testing.assert_allclose(generator()(3 * image), 3 * np.asarray(generator()(image)), rtol=1e-4, atol=1e-5)


def test_biases_are_offered():
    layers = [layer for layer in generator(use_bias=True).layers if isinstance(layer, keras.layers.Conv2D)]
    assert all(layer.use_bias for layer in layers)


@pytest.mark.parametrize("use_bias", [False, True])
def test_every_weight_gets_a_gradient(use_bias):
    assert weights_without_gradient(generator(use_bias), random_image(2, 16, 16, 3)) == []
