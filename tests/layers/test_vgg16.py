"""VGG16 features from the weights of keras.applications, with different preprocessing."""

import keras
import numpy as np
import pytest

from tfgan_app.layers import build_vgg16_features


def test_features_are_those_of_keras_applications(monkeypatch):
    keras.utils.set_random_seed(0)
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    monkeypatch.setattr(keras.applications, "VGG16", lambda **kwargs: vgg)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3)).astype(np.float32)
    names = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
    reference = keras.Model(vgg.inputs, [vgg.get_layer(name).output for name in names])
    expected = reference(keras.applications.vgg16.preprocess_input(image.copy()))
    features = build_vgg16_features()(image / 127.5 - 1.0)
    for ours, theirs in zip(features, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_failed_download_says_how_to_go_on(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure on https://example.invalid")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(ValueError, match="give them as a file"):
        build_vgg16_features()
