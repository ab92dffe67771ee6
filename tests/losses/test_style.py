"""Losses of style transfer by hand."""

import keras
import numpy as np

from tfgan_app.losses import build_style_losses, content_distance, structure_distance, style_distance

RNG = np.random.default_rng(0)
FIRST = [RNG.normal(1, 2, (2, 5, 4, 3)).astype(np.float32), RNG.normal(0, 1, (2, 2, 3, 6)).astype(np.float32)]
SECOND = [RNG.normal(0, 1, (2, 8, 9, 3)).astype(np.float32), RNG.normal(2, 1, (2, 4, 3, 6)).astype(np.float32)]


def test_style_distance_compares_means_and_deviations_of_each_level():
    expected = 0.0
    for a, b in zip(FIRST, SECOND, strict=True):
        expected += np.square(a.mean((1, 2)) - b.mean((1, 2))).mean(1)
        expected += np.square(a.std((1, 2)) - b.std((1, 2))).mean(1)
    np.testing.assert_allclose(style_distance(FIRST, SECOND), expected, rtol=1e-4)
    np.testing.assert_allclose(style_distance(FIRST, FIRST), 0.0)


def test_style_does_not_depend_on_places():
    mirrored = [level[:, ::-1, ::-1] for level in FIRST]
    np.testing.assert_allclose(style_distance(FIRST, mirrored), 0.0, atol=1e-9)


def test_content_distance_is_the_mean_square():
    expected = np.square(FIRST[0] - 1.0).mean((1, 2, 3))
    np.testing.assert_allclose(content_distance(FIRST[0], np.ones_like(FIRST[0])), expected, rtol=1e-5)


def test_structure_is_what_is_left_without_statistics():
    features = RNG.normal(1, 2, (2, 40, 40, 3)).astype(np.float32)
    np.testing.assert_allclose(structure_distance(features, 3.0 * features - 7.0), 0.0, atol=1e-5)
    np.testing.assert_allclose(structure_distance(features, -features), 4.0, rtol=1e-3)
    other = RNG.normal(0, 1, features.shape).astype(np.float32)
    np.testing.assert_allclose(structure_distance(features, other), 2.0, atol=0.1)


def test_features_have_one_magnitude_whatever_the_network_is_scaled_by():
    def encoder(scale):
        inputs = keras.Input((None, None, 3))
        return keras.Model(inputs, [keras.layers.Rescaling(scale)(inputs), keras.layers.Rescaling(-3 * scale)(inputs)])

    image = RNG.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    small, large = (build_style_losses(encoder(scale)) for scale in (0.1, 50.0))
    for a, b in zip(small.features(image), large.features(image), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    np.testing.assert_allclose(small.features(image)[1], -small.features(image)[0], rtol=1e-5)
    np.testing.assert_allclose(small.scaled([encoder(0.1)(image)[1]])[0], small.features(image)[1], rtol=1e-5)
