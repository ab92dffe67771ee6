"""Equalized weights: the same function, better suited to 8-bit integers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgan_app.export.equalization import equalized
from tfgan_app.export.layer_diff import layer_outputs
from tfgan_app.export.tflite import convert
from tfgan_app.layers import ParametricReLU
from tfgan_app.lite.model import run_signature

ACTIVATIONS = {
    "relu": layers.ReLU,
    "leaky": lambda: layers.LeakyReLU(0.2),
    "prelu": lambda: layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal"),
    "own_prelu": ParametricReLU,
}
IMAGES = np.random.default_rng(0).random((6, 1, 16, 16, 3), np.float32)


def build(activation, *, spread=30.0):
    """Two convolutions in a nested model, with very different channel ranges between them."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3))
    first, second = layers.Conv2D(8, 3, padding="same", name="first"), layers.Conv2D(3, 3, padding="same")
    network = keras.Model(image, second(activation()(first(image))), name="generator")
    factors = np.geomspace(1 / spread, spread, 8).astype(np.float32)
    first.set_weights([array * factors for array in first.get_weights()])
    kernel, bias = second.get_weights()
    second.set_weights([kernel / factors[:, np.newaxis], bias])
    outer = keras.Input((None, None, 3))
    return keras.Model(outer, network(outer))


def ranges(model):
    return np.abs(np.asarray(layer_outputs(model, IMAGES[0])["generator/first"])).max((0, 1, 2))


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_the_function_stays_and_the_ranges_become_one(activation):
    model = build(activation)
    expected, weights = np.asarray(model(IMAGES[0])), model.get_weights()
    assert ranges(model).max() / ranges(model).min() > 100
    with equalized(model, [[image] for image in IMAGES]):
        np.testing.assert_allclose(model(IMAGES[0]), expected, atol=1e-5)
        assert ranges(model).max() / ranges(model).min() < 10
    for kept, given in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, given)


@pytest.mark.large
def test_integers_lose_less():
    model = build(layers.ReLU)
    rows = [[image] for image in IMAGES]
    specs = [tf.TensorSpec([1, 16, 16, 3], tf.float32, name="images")]

    def error():
        received = run_signature(convert(model, specs, quantize="int8", calibration=rows), {"images": IMAGES[0]})
        return float(np.mean(np.square(received["outputs"] - expected)))

    expected = np.asarray(model(IMAGES[0]))
    plain = error()
    with equalized(model, rows):
        assert error() < 0.3 * plain


@pytest.mark.parametrize("activation", [lambda: layers.Activation("tanh"), lambda: layers.ReLU(max_value=6.0)])
def test_other_activations_stay_as_they_are(activation):
    model = build(activation)
    weights = model.get_weights()
    with equalized(model, [[image] for image in IMAGES]):
        for kept, given in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(kept, given)
