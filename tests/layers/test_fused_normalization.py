"""Fused normalization gives what Keras gives: values, gradients of both orders, and moving statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.layers.fused_normalization import BatchNormalization, InstanceNormalization

SHAPES = [(1, 5, 7, 3), (3, 8, 8, 4), (2, 1, 1, 2)]


def _pair(kind, dtype="float32", **options):
    if kind == "batch":
        classes = (BatchNormalization, keras.layers.BatchNormalization)
    else:
        classes = (InstanceNormalization, lambda **rest: keras.layers.GroupNormalization(groups=-1, **rest))
    return [build(epsilon=1e-5, dtype=dtype, **options) for build in classes]


def _differentiated(layer, images, upstream):
    """Outputs, gradients, and the gradient of a penalty on the gradient with regard to the images."""
    images = tf.constant(images)
    with tf.GradientTape() as outer:
        outer.watch(images)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(images)
            outputs = layer(images, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, tf.float32) * upstream)
        gradients = inner.gradient(loss, [images, *layer.trainable_variables])
        penalty = tf.reduce_sum(tf.cast(gradients[0], tf.float32) ** 2)
    return [outputs, *gradients, outer.gradient(penalty, images)]


@pytest.mark.parametrize("kind", ["batch", "instance"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"center": False, "scale": False}], ids=["affine", "plain"])
def test_training_gives_the_values_and_gradients_of_keras(kind, shape, options):
    rng = np.random.default_rng(0)
    images, upstream = rng.normal(2.0, 3.0, (2, *shape)).astype(np.float32)
    fused, plain = _pair(kind, **options)
    for layer in (fused, plain):
        layer.build(shape)
        layer.set_weights([value + 0.25 * index for index, value in enumerate(layer.get_weights())])
    for found, wanted in zip(
        _differentiated(fused, images, upstream), _differentiated(plain, images, upstream), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=2e-4 * max(1.0, np.abs(wanted).max()))
    for found, wanted in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_low_precision_normalizes_in_float32_inside(kind):
    images = np.random.default_rng(0).normal(100.0, 1.0, (2, 16, 16, 4)).astype(np.float32)
    fused, plain = _pair(kind, dtype="mixed_bfloat16")
    rounded = tf.cast(images, tf.bfloat16)
    found, wanted = (tf.cast(layer(rounded, training=True), tf.float32) for layer in (fused, plain))
    np.testing.assert_allclose(found, wanted, atol=0.04)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_inference_is_that_of_keras_at_any_size(kind):
    fused, plain = _pair(kind)
    images = np.random.default_rng(0).normal(size=(20, 3, 5, 2)).astype(np.float32)
    np.testing.assert_allclose(fused(images), plain(images), atol=2e-6)


@pytest.mark.parametrize("options", [{}, {"center": False, "scale": False}], ids=["affine", "plain"])
def test_instances_that_vary_little_are_normalized_exactly(options):
    """As a running sum of all pixels does not."""
    images = np.random.default_rng(0).normal(3.0, 0.1, (1, 256, 256, 4)).astype(np.float32)
    exact = images.astype(np.float64) - images.mean((1, 2), np.float64, keepdims=True)
    exact /= np.sqrt((exact**2).mean((1, 2), keepdims=True) + 1e-5)
    layer = InstanceNormalization(epsilon=1e-5, **options)
    np.testing.assert_allclose(layer(images), exact, atol=2e-5)


@pytest.mark.parametrize("layer", [BatchNormalization(momentum=0.5), InstanceNormalization(epsilon=1e-3)])
def test_a_saved_model_comes_back(tmp_path, layer):
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded.layers[-1]) is type(layer)
    assert loaded.layers[-1].epsilon == layer.epsilon
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(loaded(images, training=True), model(images, training=True), atol=1e-6)


def test_a_frozen_layer_keeps_its_statistics():
    layer = BatchNormalization()
    layer.build((None, 4, 4, 2))
    layer.trainable = False
    layer(np.ones((1, 4, 4, 2), np.float32) * 9.0, training=True)
    np.testing.assert_array_equal(layer.moving_mean, [0.0, 0.0])
