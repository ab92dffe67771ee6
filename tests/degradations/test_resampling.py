"""Resizing against a plain implementation of MATLAB's `imresize`, hand-computed weights and Pillow."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_app.degradations.resampling import METHODS, downscale, resize


def cubic(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def triangle(x):
    return max(0.0, 1 - abs(x))


def lanczos3(x):
    return float(np.sinc(x) * np.sinc(x / 3)) if abs(x) < 3 else 0.0


KERNELS = {"bicubic": (cubic, 4), "bilinear": (triangle, 2), "lanczos3": (lanczos3, 6)}


def imresize_rows(image, new_size, scale, method, antialias):
    """`imresize` along the first axis, pixel by pixel, with MATLAB's positions from 1."""
    kernel, width = KERNELS[method]
    old_size = len(image)
    widen = scale if antialias and scale < 1 else 1.0
    out = np.zeros((new_size, *image.shape[1:]))
    for place in range(1, new_size + 1):
        center = place / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(center - width / widen / 2)
        taps = range(left, left + math.ceil(width / widen) + 2)
        weights = np.array([widen * kernel(widen * (center - tap)) for tap in taps])
        weights /= weights.sum()
        for tap, weight in zip(taps, weights, strict=True):
            # Pixels n, n - 1, ... 1 follow on n, and 1, 2, ... n on those.
            index = (tap - 1) % (2 * old_size)
            out[place - 1] += weight * image[index if index < old_size else 2 * old_size - 1 - index]
    return out


def imresize(image, size, *, scales=None, method="bicubic", antialias=True):
    scales = scales or (size[0] / image.shape[0], size[1] / image.shape[1])
    image = imresize_rows(image, size[0], scales[0], method, antialias)
    image = imresize_rows(image.swapaxes(0, 1), size[1], scales[1], method, antialias)
    return image.swapaxes(0, 1)


def noise(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("method", sorted(KERNELS))
@pytest.mark.parametrize("size", [(9, 40), (33, 7), (2, 1)])
def test_resize_is_imresize(method, size, antialias):
    images = noise(2, 22, 17, 3)
    resized = resize(tf.constant(images), height=size[0], width=size[1], method=method, antialias=antialias)
    for image, actual in zip(images, resized, strict=True):
        np.testing.assert_allclose(actual, imresize(image, size, method=method, antialias=antialias), atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downscale_is_imresize_by_the_scale(scale):
    image = noise(25, 24, 3)
    size = -(-25 // scale), -(-24 // scale)
    expected = imresize(image, size, scales=(1 / scale, 1 / scale))
    np.testing.assert_allclose(downscale(tf.constant(image[None]), scale=scale)[0], expected, atol=1e-5)


def test_halving_an_impulse_gives_the_weights_worked_out_by_hand():
    image = np.zeros((1, 1, 16, 1), np.float32)
    image[..., 7, :] = 1.0
    # The kernel at 7/4, 5/4, 3/4 and 1/4, twice as wide and half as high.
    expected = np.array([0, 0, -0.0703125, 0.8671875, 0.2265625, -0.0234375, 0, 0]) / 2
    np.testing.assert_allclose(resize(tf.constant(image), height=1, width=8)[0, 0, :, 0], expected, atol=1e-6)


def test_borders_are_mirrored_about_the_pixels_edge():
    image = tf.constant(noise(1, 8, 1, 1))
    mirrored = tf.concat([image[:, ::-1], image, image[:, ::-1]], axis=1)
    np.testing.assert_allclose(
        resize(image, height=4, width=1), resize(mirrored, height=12, width=1)[:, 4:8], atol=1e-6
    )


@pytest.mark.parametrize("size", [(21, 30), (60, 75)])
@pytest.mark.parametrize("method", ["bicubic", "bilinear", "lanczos3"])
def test_inside_of_the_image_pillow_agrees(method, size):
    image = noise(60, 75)
    filters = {"lanczos3": "LANCZOS"}
    expected = Image.fromarray(image).resize(size[::-1], Image.Resampling[filters.get(method, method.upper())])
    resized = resize(tf.constant(image[None, ..., None]), height=size[0], width=size[1], method=method)[0, ..., 0]
    np.testing.assert_allclose(resized[4:-4, 4:-4], np.asarray(expected)[4:-4, 4:-4], atol=1e-4)


def test_area_is_the_mean_over_each_new_pixel():
    image = tf.constant(noise(1, 6, 8, 3))
    blocks = np.reshape(image, (1, 3, 2, 2, 4, 3)).mean(axis=(2, 4))
    np.testing.assert_allclose(resize(image, height=3, width=2, method="area"), blocks, atol=1e-6)
    row = tf.reshape(tf.constant([3.0, 6.0, 9.0]), (1, 1, 3, 1))
    halves = resize(row, height=1, width=2, method="area")
    np.testing.assert_allclose(np.ravel(halves), [4.0, 8.0], atol=1e-5)
    larger = resize(row, height=1, width=5, method="area")
    np.testing.assert_allclose(np.ravel(larger), [3.0, 4.0, 6.0, 8.0, 9.0], atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_sizes_that_only_the_graph_knows_give_the_same(method):
    images = tf.constant(noise(2, 13, 18, 3))

    @tf.function(autograph=False)
    def resized(height, width):
        return resize(images, height=height, width=width, method=method)

    for size in ((5, 31), (20, 4)):
        expected = resize(images, height=size[0], width=size[1], method=method)
        np.testing.assert_allclose(resized(*map(tf.constant, size)), expected, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_size_changes_nothing_and_flat_colors_stay(method):
    images = tf.constant(noise(1, 9, 12, 3))
    np.testing.assert_allclose(resize(images, height=9, width=12, method=method), images, atol=1e-6)
    np.testing.assert_allclose(resize(tf.fill((1, 9, 12, 3), 0.3), height=4, width=31, method=method), 0.3, atol=1e-6)


@pytest.mark.parametrize("method", ["bicubic", "bilinear", "area"])
def test_reduction_by_a_whole_number_keeps_the_mean(method):
    images = noise(2, 24, 36, 3)
    reduced = downscale(tf.constant(images), scale=4, method=method)
    np.testing.assert_allclose(np.mean(reduced, axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-5)


def test_gradient_is_the_transpose():
    images, weights = tf.constant(noise(1, 12, 8, 3)), tf.constant(noise(1, 5, 11, 3))
    with tf.GradientTape() as tape:
        tape.watch(images)
        product = tf.reduce_sum(resize(images, height=5, width=11) * weights)
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(product, images) * images), product, rtol=1e-5)


def test_unknown_methods_and_scales_are_named():
    with pytest.raises(ValueError, match="bicubic, bilinear.*'cubic'"):
        resize(tf.zeros((1, 4, 4, 3)), height=2, width=2, method="cubic")
    with pytest.raises(ValueError, match="`scale`.*0"):
        downscale(tf.zeros((1, 4, 4, 3)), scale=0)
