"""One half of the channels times the other."""

import keras
import numpy as np
import pytest

from tfgan_app.layers import SplitGate


def test_the_first_half_is_multiplied_by_the_second():
    np.testing.assert_array_equal(SplitGate()(np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)), [[3.0, 8.0]])


def test_each_half_has_its_activation_also_after_loading():
    layer = SplitGate("elu", "sigmoid")
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    x = np.array([[-1.0, 2.0, 0.0, 1.0]], np.float32)
    expected = [[(np.exp(-1.0) - 1) / 2, 2 / (1 + np.exp(-1.0))]]
    np.testing.assert_allclose(loaded(x), expected, rtol=1e-6)


def test_it_wants_an_even_number_of_channels():
    with pytest.raises(ValueError, match="even number of channels. Received: 3"):
        SplitGate()(np.zeros((1, 3), np.float32))
