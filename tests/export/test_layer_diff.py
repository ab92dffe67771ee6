"""The layer where an export begins to differ from its model is named."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick

from tfgan_app.export import export_model
from tfgan_app.export.layer_diff import first_difference, key_of, layer_outputs


@keras.saving.register_keras_serializable(package="tests")
class OtherInGraphs(keras.layers.Layer):
    """A layer that computes something else in an export than eagerly."""

    def call(self, inputs):
        return inputs * (1.0 if tf.executing_eagerly() else 1.1)


def build_nested(culprit):
    """Convolutions in a doubly nested model, with `culprit` between them."""
    inner_input = keras.Input((None, None, 4), name="features")
    x = keras.layers.Conv2D(4, 3, padding="same", name="before")(inner_input)
    x = culprit(x)
    inner = keras.Model(inner_input, keras.layers.Conv2D(4, 3, padding="same", name="after")(x), name="trunk")
    images = keras.Input((None, None, 3), name="images")
    x = keras.layers.Conv2D(4, 1, name="head")(images)
    return keras.Model(images, keras.layers.Conv2D(3, 1, activation="sigmoid", name="tail")(inner(x)))


@pytest.mark.parametrize("format", first_quick(["saved_model", "tflite"]))
def test_the_layer_is_named(tmp_path, format):
    keras.utils.set_random_seed(0)
    model = build_nested(OtherInGraphs(name="culprit"))
    options = {"tile_px": 16} if format == "tflite" else {}
    with pytest.raises(ValueError, match="largest absolute difference .* starts at the layer `trunk/culprit`"):
        export_model(model, format=format, output_dir=tmp_path, name="tiny", **options)
    assert list(tmp_path.iterdir()) == []


def test_outputs_of_all_layers_in_their_order():
    model = build_nested(keras.layers.Activation("relu", name="culprit"))
    image = tf.random.stateless_uniform([1, 8, 8, 3], [0, 0])
    found = layer_outputs(model, image)
    assert list(found) == ["head", "trunk/before", "trunk/culprit", "trunk/after", "tail"]
    np.testing.assert_allclose(found["tail"], model(image), atol=1e-6)


def test_a_layer_that_is_called_twice_is_told_apart():
    inputs = keras.Input((4, 4, 1))
    twice = keras.layers.Dense(1, name="twice")
    found = layer_outputs(keras.Model(inputs, twice(twice(inputs))), tf.ones([1, 4, 4, 1]))
    assert list(found) == ["twice", "twice#2"]


def test_a_difference_of_shape_is_one():
    expected = {"a/b": np.ones((1, 2, 2, 1))}
    found = first_difference(expected, {key_of("a/b"): np.ones((1, 3, 2, 1))}, least_db=60)
    assert found == "the layer `a/b` gives shape [1, 3, 2, 1] instead of [1, 2, 2, 1]"


def test_the_first_layer_below_the_ratio_is_the_one():
    clean = np.ones((1, 10))
    expected = {"first": clean, "second": clean, "third": clean}
    received = {"first": clean * 1.001, "second": clean * 1.1, "third": clean * 1.2}
    assert "`second`, whose signal-to-noise ratio is 20 dB" in first_difference(expected, received, least_db=40)
    said = first_difference(expected, received, least_db=0)
    assert said == "the signal-to-noise ratio falls most at the layer `first`: from 140 to 60 dB"
