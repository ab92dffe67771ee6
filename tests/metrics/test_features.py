"""Feature networks: preparation of images, activations, digests."""

import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from fake_vgg import features_by_hand, write_fake_vgg
from keras import layers

from tfgan_app.metrics import FeatureNetwork, build_inception_features, build_random_features
from tfgan_app.metrics import build_vgg16_feature_network as build_vgg16
from tfgan_app.metrics import features as module


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vgg.npz"
    return path, write_fake_vgg(path)


@pytest.fixture(scope="module")
def inception():
    keras.utils.set_random_seed(0)
    return module._inception_features(None)


def small_network():
    model = keras.Sequential([keras.Input((None, None, 1)), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    model.set_weights([np.array([[1.0, -2.0]]), np.array([0.5, 0.0])])
    return FeatureNetwork(model, name="mean", prepare=lambda x: tf.cast(x, tf.float32), protocol={"more": "this"})


def images(count, size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, channels), np.uint8)


def test_features_of_many_images_keep_their_order():
    # More than one batch, and not a multiple of it.
    values = np.random.default_rng(0).integers(0, 256, 600).astype(np.uint8)
    features = small_network()(np.broadcast_to(values[:, None, None, None], (600, 4, 4, 1)))
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, np.stack([values + 0.5, -2.0 * values], axis=1), rtol=1e-6)
    assert small_network()(np.zeros((0, 4, 4, 1), np.uint8)).shape == (0, 2)


def test_the_digest_is_that_of_the_weights_bytes_in_order():
    network = small_network()
    expected = hashlib.sha256(np.array([1.0, -2.0, 0.5, 0.0], "<f4").tobytes()).hexdigest()[:12]
    assert network.digest == expected
    assert network.protocol() == {"features": "mean", "features_digest": expected, "more": "this"}


@pytest.mark.parametrize(
    "images", [np.zeros((2, 8, 8, 3), np.float32), np.zeros((8, 8, 3), np.uint8), np.zeros((2, 8, 8, 4), np.uint8)]
)
def test_other_arrays_are_refused(images):
    with pytest.raises(ValueError, match=r"uint8 \[count, height, width, 1 or 3\]. Received: "):
        build_random_features()(images)


def test_vgg16_averages_its_last_level(vgg):
    path, arrays = vgg
    network = build_vgg16(weights=path)
    image = images(1, 40)
    expected = features_by_hand(arrays, image[0] / 127.5 - 1.0)[-1].mean((0, 1))
    assert network.dim == 512
    np.testing.assert_allclose(network(image)[0], expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_vgg16_enlarges_small_gray_images(vgg):
    path, arrays = vgg
    image = images(1, 16, channels=1)
    # From 16 to 32 px, bilinear weights are 3/4 and 1/4 of the two nearest, and the border repeats.
    large = np.pad(image[0, :, :, 0].astype(np.float64), 1, mode="edge")
    for _ in range(2):
        even, odd = 0.25 * large[:-2] + 0.75 * large[1:-1], 0.75 * large[1:-1] + 0.25 * large[2:]
        large = np.stack([even, odd], axis=1).reshape(32, -1).T
    expected = features_by_hand(arrays, np.repeat(large[..., None], 3, axis=-1) / 127.5 - 1.0)[-1].mean((0, 1))
    np.testing.assert_allclose(build_vgg16(weights=path)(image)[0], expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_features_do_not_depend_on_the_precision_of_training(vgg):
    builders = lambda: build_vgg16(weights=vgg[0]), build_random_features
    expected = [build()(images(2, 32)) for build in builders]
    keras.config.set_dtype_policy("mixed_bfloat16")
    for build, features in zip(builders, expected, strict=True):
        np.testing.assert_array_equal(build()(images(2, 32)), features)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_inception_sees_299_px_without_aliasing(inception):
    assert inception.dim == 2048 and "299 x 299 px, bilinear, antialiased" in inception.protocol().values()
    # Stripes finer than the smaller grid can hold are flat gray to an antialiased reduction.
    stripes = np.zeros((1, 897, 897, 1), np.uint8)
    stripes[:, :, ::2] = 254
    prepared = inception._prepare(tf.constant(stripes))
    assert prepared.shape == (1, 299, 299, 3)
    # Away from the border.
    assert float(tf.reduce_max(tf.abs(prepared[:, :, 4:-4] - (127 / 127.5 - 1)))) < 0.15
    assert float(tf.reduce_min(inception._prepare(tf.zeros((1, 20, 20, 3), tf.uint8)))) == -1.0


def test_inception_gives_finite_features_of_gray_and_rgb(inception):
    gray = images(2, 32, channels=1)
    features = inception(gray)
    assert features.shape == (2, 2048) and np.isfinite(features).all()
    np.testing.assert_allclose(inception(gray.repeat(3, axis=-1)), features, rtol=1e-4, atol=1e-6)


def test_a_failed_download_is_one_line_that_names_the_alternatives(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure on https://example.org\nmore")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(ValueError, match="URL fetch failure") as caught:
        build_inception_features()
    assert "\n" not in str(caught.value)
    assert all(name in str(caught.value) for name in ("vgg16", "classifier", "random"))


def test_random_features_are_the_same_everywhere_and_tell_images_apart():
    network = build_random_features()
    assert network.dim == 64
    # Known weights: figures that were measured with them stay comparable.
    assert network.digest == "24c6f105b872"
    floats = images(3, 28, channels=1)
    features = network(floats)
    np.testing.assert_array_equal(build_random_features()(floats), features)
    np.testing.assert_allclose(network(floats.repeat(3, axis=-1)), features, rtol=1e-5, atol=1e-5)
    assert np.abs(features[0] - features[1]).max() > 0.01
    assert network(images(2, 100)).shape == (2, 64)
