"""Chains of models in one pass of tiles: the result of running them in sequence."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from small_image_models import model_of, predictor_of

from tfgan_app.inference import Predictor, chain_predictors
from tfgan_app.layers import ReceptiveField
from tfgan_app.model_info import ModelInfo


def one_after_the_other(models, pixels):
    values = pixels[None] / np.float32(255)
    for model in models:
        values = np.clip(model(values), 0, 1)  # As a file of floats holds it.
    return values[0]


CHAINS = {
    "restore, enlarge": [{}, {"scale": 4}],
    "enlarge, restore": [{"scale": 2}, {"seed": 3}],
    "eight times": [{"scale": 4}, {"scale": 2}],
    "strides behind": [{"scale": 2}, {"stride": 4}],
    "strides before": [{"stride": 4}, {"scale": 3}],
    "three": [{"stride": 2}, {"scale": 2}, {"scale": 2, "seed": 1}],
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("size", [(97, 61), (64, 96), (13, 90)])
def test_tiles_of_a_chain_are_the_models_on_the_whole_one_after_the_other(name, size):
    models = [model_of(**options) for options in CHAINS[name]]
    # Strided layers need sizes that fit them, by themselves as well.
    size = [side // 4 * 4 for side in size] if "strides" in name or name == "three" else size
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    chain = chain_predictors([predictor_of(model) for model in models])
    assert chain.local
    expected = one_after_the_other(models, pixels)
    assert expected.std() > 0.1 and (expected == 0).any()
    result = np.concatenate(list(chain.rows(pixels, tile_px=16)))
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_nothing_is_rounded_in_between():
    """A darkening by 1,000 and its inverse keep more than the 256 levels of an 8-bit file."""
    scaled = [
        predictor_of(keras.Sequential([keras.Input((None, None, 3)), layers.Rescaling(by)])) for by in (1e-3, 1e3)
    ]
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=-1)
    np.testing.assert_array_equal(chain_predictors(scaled).image(pixels), pixels)


def test_holes_may_be_filled_first_only():
    filler, other = predictor_of(model_of(channels=4)), predictor_of(model_of(scale=2))
    assert chain_predictors([filler, other]).info.channels == 4
    with pytest.raises(ValueError, match="fills holes must be the first `--model`"):
        chain_predictors([other, filler])


def test_a_model_of_one_size_is_refused():
    fixed = predictor_of(model_of(), largest_px=64)
    assert chain_predictors([fixed]) is fixed
    with pytest.raises(ValueError, match="fixed image size cannot be part of a chain: 'model' takes 64 x 64"):
        chain_predictors([fixed, predictor_of(model_of())])


def test_a_model_that_looks_at_everything_makes_the_chain_do_so():
    whole = Predictor(lambda images: images, "model", info=ModelInfo(receptive_field=ReceptiveField(1, None)))
    assert not chain_predictors([whole, predictor_of(model_of())]).local
