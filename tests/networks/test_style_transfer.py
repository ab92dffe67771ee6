"""The encoder and the decoder of style transfer."""

import keras
import numpy as np
import pytest
from fake_vgg import features_by_hand, write_fake_vgg

from tfgan_app.layers import feature_bytes_per_px, receptive_field_of
from tfgan_app.networks.style_transfer import LEVELS, build_style_decoder, build_style_encoder


def test_the_encoder_is_vgg16_up_to_relu4_1(tmp_path):
    arrays = write_fake_vgg(tmp_path / "vgg.npz")
    encoder = build_style_encoder(weights=tmp_path / "vgg.npz")
    assert not encoder.trainable_variables and encoder.count_params() == 2_915_648
    image = np.random.default_rng(0).uniform(-1, 1, (1, 16, 24, 3)).astype(np.float32)
    features = encoder(image)
    assert [tuple(level.shape[1:]) for level in features] == [(16, 24, 64), (8, 12, 128), (4, 6, 256), (2, 3, 512)]
    vgg = keras.Model(encoder.inputs[0], encoder.get_layer("relu1_2").output)
    np.testing.assert_allclose(vgg(image)[0], features_by_hand(arrays, image[0])[0], rtol=1e-3, atol=1e-3)
    assert LEVELS[-1] == "relu4_1"


def test_a_shallower_encoder_is_the_beginning_of_the_deeper_one(tmp_path):
    write_fake_vgg(tmp_path / "vgg.npz")
    deep, shallow = (build_style_encoder(level=level, weights=tmp_path / "vgg.npz") for level in ("relu4_1", "relu3_1"))
    image = np.random.default_rng(0).uniform(-1, 1, (1, 16, 24, 3)).astype(np.float32)
    found = shallow(image)
    assert len(found) == 3
    for first, second in zip(found, deep(image), strict=False):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(1, 1), (2, 5)])
@pytest.mark.parametrize(("level", "factor"), [("relu4_1", 8), ("relu3_1", 4)])
def test_the_decoder_enlarges_features_of_any_size(size, level, factor):
    decoder = build_style_decoder(level=level, width=4, channels=6)
    images = decoder(np.random.default_rng(0).normal(size=(2, *size, 6)).astype(np.float32))
    assert tuple(images.shape) == (2, factor * size[0], factor * size[1], 3)
    assert np.abs(images).max() < 1.0


def test_the_decoder_mirrors_the_encoder_and_draws_no_checkerboard():
    decoder = build_style_decoder()
    assert decoder.count_params() == 2_915_139
    small = build_style_decoder(width=4, channels=6)
    image = np.asarray(small(np.full((1, 6, 6, 6), 0.7, np.float32)))
    assert np.ptp(image, axis=(1, 2)).max() < 1e-5 and np.abs(image).max() > 1e-5
    assert receptive_field_of(small).halo_px is not None and feature_bytes_per_px(small)
