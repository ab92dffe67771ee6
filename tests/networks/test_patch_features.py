"""Encoder features of a generator, and patches of them."""

import keras
import numpy as np
import pytest

from tfgan_app.networks import GENERATORS
from tfgan_app.networks.encoder_features import (
    ENCODER_LAYERS,
    build_encoder,
    build_generator_with_features,
    encoder_layers,
)
from tfgan_app.networks.patch_features import build_patch_features, take_patches

SMALL = {"residual_unet": {"width": 4, "depth": 2}, "unet": {"width": 4, "depth": 4}}


def images(seed=0, size=16):
    return np.random.default_rng(seed).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_gives_its_features_and_its_image_in_one_pass(name):
    keras.utils.set_random_seed(0)
    generator = GENERATORS[name](**SMALL.get(name, {"width": 4}))
    layers = encoder_layers(generator, name)
    assert layers == list(ENCODER_LAYERS[name])
    encoder, both = build_encoder(generator, layers), build_generator_with_features(generator, layers)
    output, *features = both(images(), training=False)
    np.testing.assert_allclose(output, generator(images(), training=False), atol=1e-6)
    np.testing.assert_array_equal(features[0], images())
    for first, second in zip(features, encoder(images(), training=False), strict=True):
        assert None not in first.shape, "patches need to know how many there are"
        np.testing.assert_allclose(first, second, atol=1e-6)
    mine = {id(v) for v in generator.variables}
    assert {id(v) for model in (encoder, both) for v in model.variables} <= mine


def test_a_shallow_generator_has_fewer_layers():
    generator = GENERATORS["residual_unet"](width=4, depth=1)
    assert encoder_layers(generator, "residual_unet") == ["pad", "down_0", "middle"]


@pytest.mark.parametrize("draw", [0.0, 0.5, np.nextafter(np.float32(1), np.float32(0))])
def test_patches_are_of_places_that_differ(draw):
    maps = np.arange(2 * 6 * 5, dtype=np.float32).reshape(2, 6, 5, 1)
    taken = np.asarray(take_patches(maps, np.full((2, 7), draw, np.float32)))
    assert taken.shape == (2, 7, 1)
    for image, values in zip(maps, taken, strict=True):
        assert len(np.unique(values)) == 7
        assert set(values.ravel()) <= set(image.ravel())


def test_every_place_can_be_drawn_and_each_draw_is_its_own_images():
    maps = np.arange(2 * 4 * 4, dtype=np.float32).reshape(2, 4, 4, 1)
    draws = np.random.default_rng(0).random((200, 2, 3)).astype(np.float32)
    seen = [np.asarray(take_patches(maps, draw))[:, :, 0] for draw in draws]
    assert set(np.concatenate(seen, axis=1)[0]) == set(range(16))
    assert any((second - 16 != first).any() for first, second in seen)


def test_all_places_where_there_are_no_more():
    maps = np.arange(8, dtype=np.float32).reshape(1, 2, 4, 1)
    np.testing.assert_array_equal(np.ravel(take_patches(maps, np.zeros((1, 9), np.float32))), np.arange(8))


def test_features_of_patches_are_of_length_1_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build_patch_features([3, 7], dim=8)
    outputs = model([np.ones((2, 5, 3), np.float32), np.ones((2, 4, 7), np.float32)])
    assert [tuple(x.shape) for x in outputs] == [(2, 5, 8), (2, 4, 8)]
    for x in outputs:
        assert x.dtype == "float32"
        np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1.0, atol=1e-3)
