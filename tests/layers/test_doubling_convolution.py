"""One transposed convolution in training, and still the convolution of an enlarged image."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgan_app.layers import DoublingConv2D, receptive_field_of


def enlarged_then_convolved(layer, inputs):
    """The same function of two layers of Keras, with the same weights."""
    convolution = layers.Conv2D(layer.filters, 3, padding="same", use_bias=layer.use_bias, activation=layer.activation)
    enlarged = layers.UpSampling2D(2, interpolation="nearest")(inputs)
    convolution.build(enlarged.shape)
    for mine, theirs in zip(convolution.weights, layer.weights, strict=True):
        mine.assign(theirs)
    return convolution, convolution(enlarged)


def built(shape, **options):
    keras.utils.set_random_seed(0)
    layer = DoublingConv2D(5, **options)
    layer.build((None, *shape[1:]))
    if layer.use_bias:
        layer.bias.assign(np.arange(5.0))
    return layer, tf.constant(np.random.default_rng(0).standard_normal(shape), tf.float32)


@pytest.mark.parametrize("shape", [(2, 4, 6, 3), (1, 1, 1, 2), (1, 5, 3, 1)])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", [{}, {"use_bias": False, "activation": "relu"}])
def test_the_values_and_gradients_are_those_of_two_layers(shape, training, options):
    layer, inputs = built(shape, **options)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        received = layer(inputs, training=training)
        convolution, expected = enlarged_then_convolved(layer, inputs)
        losses = [tf.reduce_sum(tf.sin(outputs)) for outputs in (received, expected)]
    assert received.shape == expected.shape == layer.compute_output_shape(shape)
    np.testing.assert_allclose(received, expected, atol=1e-5)
    mine = tape.gradient(losses[0], [inputs, *layer.trainable_variables])
    theirs = tape.gradient(losses[1], [inputs, *convolution.trainable_variables])
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_second_derivatives_for_penalties():
    layer, inputs = built((1, 3, 4, 2), use_bias=False)

    def squared_slope(forward):
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                value = tf.reduce_sum(tf.sin(forward(inputs)))
            slope = tf.reduce_sum(inner.gradient(value, inputs) ** 2)
        return outer.gradient(slope, inputs)

    expected = squared_slope(lambda x: enlarged_then_convolved(layer, x)[1])
    np.testing.assert_allclose(squared_slope(lambda x: layer(x, training=True)), expected, rtol=1e-3, atol=1e-3)


def test_sizes_that_are_known_late_and_reduced_precision():
    layer, inputs = built((2, 4, 6, 3))
    run = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(run(inputs), layer(inputs, training=False), atol=1e-5)
    half = DoublingConv2D(5, dtype="mixed_bfloat16")
    outputs = [half(inputs, training=training) for training in (True, False)]
    assert outputs[0].dtype == outputs[1].dtype == tf.bfloat16
    np.testing.assert_allclose(*[np.asarray(it, np.float32) for it in outputs], atol=0.1)


def test_it_is_saved_loaded_and_looks_as_far_as_two_layers(tmp_path):
    inputs = keras.Input((None, None, 3))
    models = [
        keras.Model(inputs, DoublingConv2D(3)(inputs)),
        keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(layers.UpSampling2D(2)(inputs))),
    ]
    assert receptive_field_of(models[0]) == receptive_field_of(models[1])
    models[0].save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    images = np.random.default_rng(0).random((1, 5, 4, 3), np.float32)
    np.testing.assert_array_equal(loaded(images), models[0](images))
