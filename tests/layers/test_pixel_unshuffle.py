"""Pixels to channels and back."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.layers import PixelShuffle, PixelUnshuffle


def test_the_sub_pixels_of_a_pixel_become_its_channels():
    image = np.array([[0, 1], [2, 3]], np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(np.asarray(PixelUnshuffle(2)(image)).ravel(), [0, 1, 2, 3])


@pytest.mark.parametrize("factor", [2, 3])
def test_it_undoes_the_pixel_shuffle_whether_the_size_is_known_or_not(factor):
    depth = np.random.default_rng(0).random((2, 4, 5, 2 * factor**2), np.float32)
    unshuffle = PixelUnshuffle(factor)
    image = PixelShuffle(factor)(depth)
    unknown = tf.function(unshuffle, input_signature=[tf.TensorSpec([None, None, None, 2])])
    np.testing.assert_array_equal(unshuffle(image), depth)
    np.testing.assert_array_equal(unknown(image), depth)


def test_it_does_the_same_with_a_keras_that_has_no_such_operation(monkeypatch):
    image = np.random.default_rng(0).random((2, 4, 6, 3), np.float32)
    expected = np.asarray(PixelUnshuffle(2)(image))
    monkeypatch.delattr("keras.ops.space_to_depth", raising=False)
    np.testing.assert_array_equal(PixelUnshuffle(2)(image), expected)


def test_factor_must_be_positive():
    with pytest.raises(ValueError, match="`factor` must be a positive integer. Received: factor=0"):
        PixelUnshuffle(0)
