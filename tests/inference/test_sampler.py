"""All locations of a generative model draw the same image for the same seed."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from tiny_generator import build_tiny_generator, expected_image

from tfgan_app.export import export_model
from tfgan_app.inference import Predictor, Sampler, load_predictor
from tfgan_app.layers import ToUnitRange

NAMES = ("bag", "coat/jacket", "日本 é")


def save_everywhere(model, root):
    """One path of each kind that holds the model."""
    (root / "run" / "checkpoints").mkdir(parents=True)
    model.save(root / "run" / "checkpoints" / "last.keras")
    for _ in range(2):
        version = export_model(model, format="saved_model", output_dir=root / "exported", name="tiny").path
    keras_file = export_model(model, format="keras", output_dir=root / "exported", name="tiny").path
    return {"run": root / "run", "file": keras_file, "version": version, "exported": version.parent}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return save_everywhere(build_tiny_generator(channels=3), tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def class_places(tmp_path_factory):
    return save_everywhere(build_tiny_generator(class_names=NAMES), tmp_path_factory.mktemp("places"))


@pytest.mark.parametrize("kind", ["run", "file", "version", "exported"])
def test_every_kind_of_path_draws_the_same(places, kind):
    sampler = load_predictor(places[kind])
    assert isinstance(sampler, Sampler) and sampler.info.latent_dim == 48 and sampler.class_names == ()
    images = sampler([42, 0, 2**62])
    assert images.dtype == np.uint8
    expected = [expected_image(seed, channels=3) for seed in (42, 0, 2**62)]
    np.testing.assert_allclose(images.astype(int), np.stack(expected), atol=1)  # A tie may fall either way.


@pytest.mark.parametrize("kind", ["run", "file", "version", "exported"])
def test_classes_are_known_wherever_the_model_is(class_places, kind):
    sampler = load_predictor(class_places[kind])
    assert sampler.class_names == NAMES
    images = sampler([5, 5, 6], [0, 2, 1])
    expected = [expected_image(seed, label=label) for seed, label in ((5, 0), (5, 2), (6, 1))]
    np.testing.assert_allclose(images.astype(int), np.stack(expected), atol=1)


def test_an_export_draws_what_the_run_draws(class_places):
    seeds, labels = list(range(30)), [seed % 3 for seed in range(30)]
    run, exported = (load_predictor(class_places[kind])(seeds, labels) for kind in ("run", "exported"))
    np.testing.assert_array_equal(run, exported)


def test_an_image_does_not_depend_on_the_others(tmp_path):
    keras.utils.set_random_seed(0)
    latents = keras.Input((64,), name="latents")
    hidden = keras.layers.Dense(256, activation="gelu")(latents)
    image = keras.layers.Reshape((28, 28, 1))(keras.layers.Dense(784)(hidden))
    keras.Model(latents, ToUnitRange()(image)).save(tmp_path / "mlp.keras")
    sampler = load_predictor(tmp_path / "mlp.keras")
    together = sampler(list(range(21)))
    for first, count in ((20, 1), (3, 2), (7, 13)):
        np.testing.assert_array_equal(sampler(list(range(first, first + count))), together[first : first + count])


def test_truncation_draws_in_the_latents(places):
    sampler = load_predictor(places["file"])
    truncated = sampler(list(range(20)), truncation=0.5)
    # Latents in [-0.5, 0.5] are values in [0.25, 0.75] here.
    assert truncated.min() >= 64 and truncated.max() <= 191
    assert truncated.min() < 70 and truncated.max() > 185
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="`truncation` must be a positive number"):
            sampler([0], truncation=wrong)


def test_labels_are_checked(places, class_places):
    with pytest.raises(ValueError, match="must be None for a model without classes"):
        load_predictor(places["file"])([0], [0])
    sampler = load_predictor(class_places["file"])
    for wrong in (None, [0], [0, 3], [-1, 0]):
        with pytest.raises(ValueError, match="`labels` must be 2 integers from 0 to 2"):
            sampler([0, 1], wrong)


def test_a_model_of_images_stays_one(tmp_path):
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, ToUnitRange()(inputs)).save(tmp_path / "images.keras")
    assert isinstance(load_predictor(tmp_path / "images.keras"), Predictor)


def test_labels_without_names_are_refused(tmp_path):
    latents, labels = keras.Input((2,), name="latents"), keras.Input((), dtype="int32", name="labels")
    outputs = keras.layers.Add()([latents, keras.layers.Embedding(3, 2)(labels)])
    keras.Model([latents, labels], outputs).save(tmp_path / "nameless.keras")
    with pytest.raises(ValueError, match=r"nameless\.keras' takes labels, so it must name its classes"):
        load_predictor(tmp_path / "nameless.keras")


def test_a_diverged_model_says_so(tmp_path):
    latents = keras.Input((4,), name="latents")
    dense = keras.layers.Dense(4, kernel_initializer=keras.initializers.Constant(float("nan")))
    keras.Model(latents, keras.layers.Reshape((2, 2, 1))(dense(latents))).save(tmp_path / "nan.keras")
    with pytest.raises(ValueError, match="NaN or infinite values"):
        load_predictor(tmp_path / "nan.keras")([0])
