"""Pixel shuffle and its initialization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.layers import ICNR, BilinearUpsampling, PixelShuffle, build_normalization


def test_pixel_shuffle_moves_depth_to_space():
    depth = np.arange(8, dtype=np.float32).reshape(1, 1, 1, 8)
    image = np.asarray(PixelShuffle(2)(depth))
    assert image.shape == (1, 2, 2, 2)
    np.testing.assert_array_equal(image[0, :, :, 0], [[0, 2], [4, 6]])


def test_icnr_makes_the_sub_pixels_of_a_fresh_convolution_equal():
    layer = keras.layers.Conv2D(12, 3, kernel_initializer=ICNR(2), padding="same")
    x = np.random.default_rng(0).standard_normal((1, 6, 6, 5)).astype(np.float32)
    y = np.asarray(PixelShuffle(2)(layer(x)))
    np.testing.assert_array_equal(y, y[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2))
    assert y.std() > 0


def test_icnr_says_what_channels_it_needs():
    with pytest.raises(ValueError, match="divisible by factor"):
        ICNR(2)((3, 3, 4, 6))


def test_unknown_normalization_lists_the_valid_ones():
    with pytest.raises(ValueError, match="none, instance, batch"):
        build_normalization("layer")


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 5)])
def test_bilinear_upsampling_is_tensorflows_whether_the_size_is_known_or_not(size):
    x = np.random.default_rng(0).random((2, *size, 3), np.float32)
    layer = BilinearUpsampling()
    unknown = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 3])])
    expected = tf.image.resize(x, (2 * size[0], 2 * size[1]))
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)
    np.testing.assert_allclose(unknown(x), expected, atol=1e-6)
