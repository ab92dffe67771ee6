"""JPEG in the graph against Pillow's encoder and decoder."""

import io

import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from PIL import Image

from tfgan_app.degradations.jpeg import Jpeg, jpeg


def photo(height, width):
    return skimage.data.astronaut()[80 : 80 + height, 160 : 160 + width]


def pillow(rgb, quality, subsampling):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer))


def psnr(actual, expected):
    return 10 * np.log10(255**2 / np.mean((np.float64(actual) - expected) ** 2))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("size", [(96, 128), (49, 67), (5, 7)])
def test_pixels_are_pillows(size, subsampling):
    rgb = photo(*size)
    qualities = [10, 30, 50, 75, 95]
    images = tf.constant(np.stack([rgb] * len(qualities)) / np.float32(255))
    decoded = 255 * jpeg(images, tf.constant(qualities, tf.float32), subsampling=subsampling).numpy()
    np.testing.assert_allclose(decoded, np.round(decoded), atol=1e-3)
    for quality, actual in zip(qualities, decoded, strict=True):
        expected = pillow(rgb, quality, subsampling)
        assert np.abs(actual - expected).mean() < 0.6
        assert abs(psnr(actual, rgb) - psnr(expected, rgb)) < 0.2


def test_flat_gray_is_coded_as_by_pillow():
    # Halves in every coefficient: the places where rounding shows.
    levels = np.arange(256, dtype=np.uint8)
    images = tf.constant(np.broadcast_to(levels[:, None, None, None], (256, 8, 8, 3)) / np.float32(255))
    for quality in (5, 75):
        decoded = jpeg(images, tf.fill((256,), float(quality))).numpy()
        expected = [pillow(np.full((8, 8, 3), level, np.uint8), quality, "4:2:0")[0, 0] for level in levels]
        np.testing.assert_allclose(255 * decoded[:, 0, 0], expected, atol=1e-3)


def test_lower_quality_is_further_from_the_image():
    images = tf.constant(np.stack([photo(64, 64)] * 5) / np.float32(255))
    decoded = jpeg(images, tf.constant([5.0, 20.0, 50.0, 90.0, 100.0])).numpy()
    errors = np.mean((decoded - images) ** 2, axis=(1, 2, 3))
    assert (np.diff(errors) < 0).all()


def test_gradient_passes_rounding_as_if_there_was_none():
    rng = np.random.default_rng(0)
    images = tf.constant(rng.uniform(0.4, 0.6, (2, 16, 24, 3)), tf.float32)
    weights = tf.constant(rng.normal(size=images.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(jpeg(images, tf.constant([80.0, 95.0]), subsampling="4:4:4") * weights)
    np.testing.assert_allclose(tape.gradient(loss, images), weights, atol=1e-4)


def test_qualities_are_the_whole_numbers_of_the_range():
    images = tf.constant(np.repeat(photo(16, 16)[None], 3, axis=0) / np.float32(255))
    decoded = Jpeg(quality=(20, 22))(images, tf.constant([[0.0], [0.5], [1 - 2**-24]]))
    np.testing.assert_array_equal(decoded, jpeg(images, tf.constant([20.0, 21.0, 22.0])))


def test_settings_out_of_range_are_named():
    with pytest.raises(ValueError, match="`quality`"):
        Jpeg(quality=(0, 50))
    with pytest.raises(ValueError, match="4:2:0, 4:4:4"):
        Jpeg(subsampling="4:1:1")
    with pytest.raises(ValueError, match="4:2:0, 4:4:4"):
        jpeg(tf.zeros((1, 8, 8, 3)), tf.constant([50.0]), subsampling="4:2:2")
