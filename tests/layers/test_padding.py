"""Padding and cropping inside the graph."""

import keras
import numpy as np
import pytest

from tfgan_app.layers import CropLike, PadToMultiple


@pytest.mark.parametrize(("size", "padded"), [(1, 8), (3, 8), (8, 8), (13, 16)])
def test_any_size_is_padded_by_mirroring_and_cropped_back(size, padded):
    inputs = keras.Input((None, None, 2))
    pad = PadToMultiple(8)(inputs)
    model = keras.Model(inputs, [pad, CropLike()([pad, inputs])])
    image = np.random.default_rng(0).random((2, size, size + 1, 2), np.float32)
    larger, cropped = (np.asarray(x) for x in model(image))
    assert larger.shape[1] == padded
    assert larger.shape[2] % 8 == 0
    np.testing.assert_array_equal(cropped, image)
    if size > 1 and padded < 2 * size:
        expected = np.pad(image, ((0, 0), (0, padded - size), (0, 0), (0, 0)), mode="reflect")
        np.testing.assert_array_equal(larger[:, :, : size + 1], expected)


def test_padding_by_more_than_the_image_repeats_the_mirroring():
    row = np.arange(3, dtype=np.float32).reshape(1, 3, 1, 1)
    padded = np.asarray(PadToMultiple(8)(row))[0, :, 0, 0]
    np.testing.assert_array_equal(padded, [0, 1, 2, 1, 0, 1, 2, 1])


def test_multiple_must_be_positive():
    with pytest.raises(ValueError, match="`multiple` must be a positive integer"):
        PadToMultiple(0)
