"""Bicubic enlargement against Pillow."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_app.layers import BicubicUpsampling


def pillow(plane, scale):
    size = (plane.shape[1] * scale, plane.shape[0] * scale)
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_is_pillows_bicubic_resize(scale):
    image = np.random.default_rng(0).random((2, 11, 8, 3), np.float32)
    enlarged = np.asarray(BicubicUpsampling(scale)(image))
    assert enlarged.shape == (2, 11 * scale, 8 * scale, 3)
    inside = slice(2 * scale, -2 * scale)
    for example, channel in [(0, 0), (1, 2)]:
        expected = pillow(image[example, :, :, channel], scale)
        np.testing.assert_allclose(enlarged[example, inside, inside, channel], expected[inside, inside], atol=1e-5)


def test_beyond_the_border_its_outermost_pixels_repeat():
    image = np.random.default_rng(0).random((1, 5, 6, 1), np.float32)
    repeated = np.pad(image, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    expected = np.asarray(BicubicUpsampling(2)(repeated))[:, 4:-4, 4:-4]
    np.testing.assert_allclose(BicubicUpsampling(2)(image), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 5)])
def test_a_size_that_is_not_known_gives_the_same_and_flat_stays_flat(size):
    layer = BicubicUpsampling(3)
    unknown = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 2])])
    image = np.random.default_rng(0).random((2, *size, 2), np.float32)
    np.testing.assert_allclose(unknown(image), layer(image), atol=1e-6)
    np.testing.assert_allclose(unknown(np.full_like(image, 0.7)), 0.7, atol=1e-6)


def test_as_a_float32_layer_it_keeps_an_images_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    image = np.full((1, 3, 3, 1), 0.7001, np.float32)
    np.testing.assert_allclose(BicubicUpsampling(2, dtype="float32")(image), 0.7001, atol=1e-6)


def test_scale_must_be_positive():
    with pytest.raises(ValueError, match="`scale` must be a positive integer. Received: scale=0"):
        BicubicUpsampling(0)
