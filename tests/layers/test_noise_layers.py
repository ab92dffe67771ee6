"""The layers between noise, class labels and images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.layers import (
    CenterPad,
    ClassGainAndBias,
    ClassNames,
    FixedBilinearUpsampling,
    OneHot,
    SpatialBasis,
    SpatialBasisSum,
    conditional_batch_norm,
)


def random(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (3, 8)])
def test_fixed_bilinear_upsampling_is_tensorflows(size):
    x = random(2, *size, 3)
    expected = tf.image.resize(x, (2 * size[0], 2 * size[1]))
    np.testing.assert_allclose(FixedBilinearUpsampling()(x), expected, atol=1e-6)


def test_fixed_bilinear_upsampling_computes_in_low_precision():
    layer = FixedBilinearUpsampling(dtype="mixed_bfloat16")
    x = random(2, 8, 8, 3)
    assert layer(x).dtype == tf.bfloat16
    np.testing.assert_allclose(np.asarray(layer(x), np.float32), tf.image.resize(x, (16, 16)), atol=0.03)


def test_fixed_bilinear_upsampling_says_that_it_needs_a_size():
    with pytest.raises(ValueError, match="needs a known height"):
        FixedBilinearUpsampling()(keras.Input((None, 8, 3)))


@pytest.mark.parametrize(("size", "grid"), [(28, 32), (5, 8), (32, 32)])
def test_center_pad_mirrors_about_the_border_pixels(size, grid):
    x = random(2, size, size, 1)
    before = (grid - size) // 2
    after = grid - size - before
    expected = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(CenterPad(grid)(x), expected)


def test_center_pad_can_pad_by_more_than_the_image():
    x = np.float32([[0, 1], [0, 1]])[None, :, :, None]
    np.testing.assert_array_equal(np.asarray(CenterPad(7)(x))[0, 3, :, 0], [0, 1, 0, 1, 0, 1, 0])


def test_one_hot_of_a_label_that_is_no_class_is_zero():
    np.testing.assert_array_equal(OneHot(3)(np.int32([0, 2, 3, -1])), [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])


def test_one_hot_gives_the_precision_of_its_policy():
    labels = keras.Input((), dtype="int32")
    assert OneHot(3, dtype="mixed_bfloat16")(labels).dtype == "bfloat16"
    assert OneHot(3, dtype="mixed_bfloat16")(np.int32([1])).dtype == tf.bfloat16


def test_spatial_basis_scales_one_map_per_channel():
    layer = SpatialBasis(4)
    x = random(2, 5)
    grid = np.asarray(layer(x))
    assert grid.shape == (2, 4, 4, 5)
    np.testing.assert_allclose(grid[1, 2, 3, 4], x[1, 4] * np.asarray(layer.kernel)[2, 3, 4], rtol=1e-6)
    assert np.asarray(SpatialBasis(32)(np.ones((1, 64), np.float32))).std() == pytest.approx(1, abs=0.02)


def test_spatial_basis_sum_is_a_depthwise_convolution_of_the_whole_image():
    layer = SpatialBasisSum()
    x = random(2, 4, 4, 5)
    y = layer(x)
    kernel = tf.reshape(layer.kernel, (4, 4, 5, 1))
    np.testing.assert_allclose(y, tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "VALID")[:, 0, 0], atol=1e-5)
    assert np.asarray(SpatialBasisSum()(random(1, 8, 8, 4096))).std() == pytest.approx(1, abs=0.05)


def test_class_gain_and_bias_starts_as_the_identity_and_stays_it_without_a_class():
    layer = ClassGainAndBias()
    x = random(3, 2, 2, 4)
    one_hot = np.float32([[1, 0], [0, 1], [0, 0]])
    np.testing.assert_array_equal(layer([x, one_hot]), x)
    layer.gain.assign([[1, 1, 1, 1], [0, 0, 0, 0]])
    layer.bias.assign([[0, 0, 0, 0], [5, 6, 7, 8]])
    y = np.asarray(layer([x, one_hot]))
    np.testing.assert_allclose(y[0], 2 * x[0])
    np.testing.assert_allclose(y[1], x[1] + np.float32([5, 6, 7, 8]))
    np.testing.assert_array_equal(y[2], x[2])


@pytest.mark.parametrize("classes", [0, 3])
def test_conditional_batch_norm_has_one_gain_and_bias_in_each_class(classes):
    x = keras.Input((2, 2, 4))
    one_hot = keras.Input((classes,)) if classes else None
    model = keras.Model([x, one_hot] if classes else x, conditional_batch_norm(x, one_hot))
    assert [tuple(v.shape) for v in model.trainable_variables] == [(classes, 4) if classes else (4,)] * 2


def test_class_names_are_kept_in_a_saved_model(tmp_path):
    labels = keras.Input((), dtype="int32")
    model = keras.Model(labels, ClassNames(["cat", "dog"], name="classes")(labels))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_layer("classes").names == ["cat", "dog"]
    passed = loaded(np.int32([1, 0, 16_777_217]))
    assert passed.dtype == tf.int32
    np.testing.assert_array_equal(passed, [1, 0, 16_777_217])
