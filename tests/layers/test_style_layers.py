"""Layers of style-based GANs against the definitions of their papers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.layers import (
    BinomialFilter,
    EqualizedConv2D,
    EqualizedDense,
    MinibatchDeviation,
    ModulatedConv2D,
    UnitPower,
)

RNG = np.random.default_rng(0)


def modulated_kernels(layer, style):
    """Kernels of one image as StyleGAN2 defines them: scaled by the style, normalized by output channel."""
    kernel = np.asarray(layer.kernel, np.float64)
    kernel = kernel / np.sqrt(np.prod(kernel.shape[:3])) * style[None, None, :, None]
    if layer.demodulate:
        kernel = kernel / np.sqrt(np.square(kernel).sum(axis=(0, 1, 2)) + 1e-8)
    return kernel.astype(np.float32)


def binomial(images):
    taps = np.array([1, 3, 3, 1]) / 8
    kernel = np.repeat(np.outer(taps, taps)[:, :, None, None], images.shape[-1], axis=2)
    return tf.nn.depthwise_conv2d(images, kernel.astype(np.float32), [1, 1, 1, 1], "VALID")


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("double", [False, True])
def test_scaled_activations_equal_modulated_kernels(double, demodulate):
    """Against the paper's form, one convolution for each image with its own kernels."""
    keras.utils.set_random_seed(0)
    layer = ModulatedConv2D(5, index=1, double=double, demodulate=demodulate)
    x = RNG.standard_normal((3, 8, 8, 4)).astype(np.float32)
    styles = RNG.standard_normal((3, 2, 6)).astype(np.float32)
    received = np.asarray(layer([x, styles]))
    coefficients = np.asarray(layer.to_style(styles[:, 1]))
    for image, style, result in zip(x, coefficients, received, strict=True):
        kernel = modulated_kernels(layer, style)
        if double:  # Zeros between the pixels, the filter and the convolution, in this order; away from the border.
            spread = np.zeros((1, 16, 16, 4), np.float32)
            spread[0, ::2, ::2] = image
            wide = 4 * binomial(np.pad(spread, ((0, 0), (2, 1), (2, 1), (0, 0))))
            expected = np.asarray(tf.nn.conv2d(wide, kernel, 1, "SAME"))[0, 3:-3, 3:-3]
            np.testing.assert_allclose(result[3:-3, 3:-3], expected, atol=1e-4)
        else:
            np.testing.assert_allclose(result, tf.nn.conv2d(image[None], kernel, 1, "SAME")[0], atol=1e-4)


def test_demodulated_outputs_do_not_depend_on_the_length_of_the_kernels():
    layer = ModulatedConv2D(3, index=0)
    x, styles = RNG.standard_normal((2, 6, 6, 4)).astype(np.float32), np.ones((2, 1, 2), np.float32)
    before = np.asarray(layer([x, styles]))
    layer.kernel.assign(7.0 * layer.kernel)
    np.testing.assert_allclose(layer([x, styles]), before, atol=1e-4)


@pytest.mark.parametrize(("padding", "stride", "size"), [(1, 2, 4), (2, 1, 9), (0, 1, 5)])
def test_binomial_filter_keeps_flat_images_and_removes_checkerboards(padding, stride, size):
    layer = BinomialFilter(padding, stride)
    flat = layer(np.ones((1, 8, 8, 2), np.float32))
    assert flat.shape == layer.compute_output_shape((1, 8, 8, 2)) == (1, size, size, 2)
    assert np.asarray(flat)[0, size // 2, size // 2, 0] == pytest.approx(1.0)
    checkers = np.indices((8, 8)).sum(0)[None, :, :, None] % 2 * 2.0 - 1.0
    assert np.abs(np.asarray(layer(checkers.astype(np.float32)))[0, size // 2, size // 2]) == pytest.approx(0.0)


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_equalized_layers_keep_the_variance_and_start_alike_at_any_rate(rate):
    keras.utils.set_random_seed(0)
    x = RNG.standard_normal((256, 64)).astype(np.float32)
    dense = EqualizedDense(128, rate=rate, bias=0.5)
    outputs = np.asarray(dense(x))
    assert outputs.std() == pytest.approx(1.0, rel=0.05)
    assert outputs.mean() == pytest.approx(0.5, abs=0.05)
    assert np.asarray(dense.kernel).std() == pytest.approx(1 / rate, rel=0.05)


def test_equalized_convolution_keeps_the_variance():
    keras.utils.set_random_seed(0)
    layer = EqualizedConv2D(64, 3, padding="valid")
    assert np.asarray(layer(RNG.standard_normal((8, 8, 8, 32)).astype(np.float32))).std() == pytest.approx(1, rel=0.1)


def test_deviation_is_that_of_its_group():
    x = RNG.standard_normal((8, 4, 4, 3)).astype(np.float32)
    x[1::2] = x[1]  # Images 1, 3, 5 and 7 are one group, which does not vary.
    features = np.asarray(MinibatchDeviation()(x))
    assert features.shape == (8, 4, 4, 4)
    expected = x[::2].std(axis=0).mean()
    np.testing.assert_allclose(features[::2, :, :, 3], expected, rtol=1e-4)
    np.testing.assert_allclose(features[1::2, :, :, 3], 0.0, atol=2e-4)
    # Six images are one group.
    np.testing.assert_allclose(MinibatchDeviation()(x[:6])[:, 0, 0, 3], x[:6].std(axis=0).mean(), rtol=1e-3)


def test_unit_power_has_a_mean_square_of_one():
    x = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    np.testing.assert_allclose(np.square(UnitPower()(x)).mean(axis=1), [1.0, 0.0], atol=1e-6)
