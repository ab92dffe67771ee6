"""Latents that are codes."""

import keras
import numpy as np

from tfgan_app.layers import LatentCodes


def test_codes_have_their_distributions_and_the_rest_stays():
    latents = np.random.default_rng(0).standard_normal((20_000, 9)).astype(np.float32)
    codes = np.asarray(LatentCodes(4, 2)(latents))
    assert codes.shape == latents.shape
    np.testing.assert_array_equal(codes[:, :4].sum(1), 1)
    np.testing.assert_allclose(codes[:, :4].mean(0), 0.25, atol=0.02)
    np.testing.assert_allclose(np.histogram(codes[:, 4], 10, (-1, 1))[0], 2000, atol=250)
    np.testing.assert_array_equal(codes[:, 6:], latents[:, 6:])


def test_without_codes_latents_stay_and_the_layer_survives_saving(tmp_path):
    latents = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(LatentCodes()(latents)), latents)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, LatentCodes(2, 1)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(np.asarray(loaded(latents)), np.asarray(model(latents)))
