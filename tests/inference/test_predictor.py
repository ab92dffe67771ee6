"""All model locations give the same uint8 images."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.export import export_model
from tfgan_app.inference import load_predictor
from tfgan_app.layers import ReceptiveField, receptive_field_of
from tfgan_app.networks.residual_unet import build_residual_unet
from tfgan_app.networks.unet import build_unet


def build_model():
    """An inference model: any size in, same size out, in [0, 1]."""
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(3, 3, padding="same", activation="sigmoid")(inputs)
    return keras.Model(inputs, outputs)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build_model()


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


def expected_outputs(model, images):
    return np.rint(np.asarray(model(images.astype(np.float32) / 255)) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def places(model, tmp_path_factory):
    """One path of each kind that holds the model."""
    root = tmp_path_factory.mktemp("places")
    (root / "run" / "checkpoints").mkdir(parents=True)
    for name in ("last", "best"):
        model.save(root / "run" / "checkpoints" / f"{name}.keras")
    for _ in range(2):
        version = export_model(model, format="saved_model", output_dir=root / "exported", name="tiny").path
    keras_file = export_model(model, format="keras", output_dir=root / "exported", name="tiny").path
    return {"run": root / "run", "file": keras_file, "version": version, "exported": version.parent}


@pytest.mark.parametrize("kind", ["run", "file", "version", "exported"])
def test_every_kind_of_path_predicts_the_same(places, model, kind):
    predictor = load_predictor(places[kind])
    for shape in ((2, 8, 9), (1, 1, 1)):
        images = random_images(*shape)
        outputs = predictor(images)
        assert outputs.dtype == np.uint8
        expected = expected_outputs(model, images)
        assert np.abs(outputs.astype(int) - expected).max() <= 1  # A rounding tie may fall either way.


@pytest.mark.parametrize("kind", ["run", "file", "version", "exported"])
def test_every_kind_of_path_tiles_exactly(places, model, kind):
    predictor = load_predictor(places[kind])
    assert (predictor.local, predictor.scale, predictor.info.receptive_field) == (True, 1, ReceptiveField(1, 1, 1))
    pixels = random_images(31, 45)
    rows = np.concatenate(list(predictor.rows(pixels, tile_px=10)))
    np.testing.assert_allclose(rows, model(pixels[None] / np.float32(255))[0], atol=1e-5)


def test_the_receptive_field_of_an_export_is_that_of_its_model(tmp_path):
    inputs = keras.Input((None, None, 3))
    for name, generator in (("far", build_residual_unet(width=4, depth=3)), ("global", build_unet(width=4, depth=2))):
        model = keras.Model(inputs, generator(inputs))
        path = export_model(model, format="saved_model", output_dir=tmp_path, name=name).path
        assert load_predictor(path).info.receptive_field == receptive_field_of(model)


def test_the_highest_version_is_taken(places, tmp_path):
    exported = tmp_path / "many"
    for version in ("9", "10", "draft"):
        (exported / version).mkdir(parents=True)
        for entry in ("saved_model.pb", "variables", "fingerprint.pb"):
            (exported / version / entry).symlink_to(places["version"] / entry)
    assert load_predictor(exported).path == exported / "10"


def test_best_checkpoint_of_a_run(places):
    assert load_predictor(places["run"], checkpoint="best").path.name == "best.keras"
    with pytest.raises(ValueError, match="one of last, best. Received: worst"):
        load_predictor(places["run"], checkpoint="worst")
    with pytest.raises(ValueError, match="applies to a run directory only"):
        load_predictor(places["file"], checkpoint="best")


def test_what_is_no_model_gets_one_line(tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "broken.keras").write_bytes(b"not an archive")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "saved_model.pb").write_bytes(b"\xff\xff nothing")
    cases = {
        "missing": "There is no model at",
        "run": r"no model .*last\.keras",
        "broken.keras": "Cannot load the Keras model",
        "damaged": "Cannot load the SavedModel",
        "notes.txt": "must be a run directory, a .keras or .tflite file",
        ".": "must be a run directory, a .keras or .tflite file",
    }
    for name, message in cases.items():
        with pytest.raises(ValueError, match=message) as caught:
            load_predictor(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_foreign_saved_model_is_refused_by_its_signatures(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, str(tmp_path), signatures={"other": module.double})
    with pytest.raises(ValueError, match="must have the signature `float`. It has: other"):
        load_predictor(tmp_path)


def save_foreign(folder, function):
    """A SavedModel from elsewhere with only the required signature."""
    module = tf.Module()
    module.run = tf.function(
        lambda images: {"outputs": function(images)},
        input_signature=[tf.TensorSpec([None, None, None, 3], name="images")],
    )
    tf.saved_model.save(module, str(folder), signatures={"float": module.run})


def test_a_saved_model_that_does_not_tell_its_receptive_field_is_measured(tmp_path):
    save_foreign(tmp_path, lambda images: tf.repeat(tf.repeat(images, 2, 1), 2, 2))
    predictor = load_predictor(tmp_path)
    assert (predictor.scale, predictor.local) == (2, False)
    pixels = random_images(20, 30)
    np.testing.assert_array_equal(predictor(pixels[None])[0], pixels.repeat(2, 0).repeat(2, 1))
    assert np.concatenate(list(predictor.rows(pixels))).shape == (40, 60, 3)


def test_a_saved_model_that_fails_on_a_small_image_is_named(tmp_path):
    save_foreign(tmp_path, lambda images: tf.reshape(images, [1, 1000, 1000, 3]))
    with pytest.raises(ValueError, match="Cannot use the model .*: The model fails on an image of 64 x 64") as caught:
        load_predictor(tmp_path)
    assert "\n" not in str(caught.value)


def test_input_is_checked(places):
    predictor = load_predictor(places["file"])
    with pytest.raises(ValueError, match=r"uint8 \[batch, height, width, 3\].*float32 \[1, 2, 2, 3\]"):
        predictor(np.zeros((1, 2, 2, 3), np.float32))


def test_a_model_that_fails_on_an_image_says_so_in_one_line(tmp_path):
    inputs = keras.Input((None, None, 3))
    small = keras.Model(inputs, keras.layers.Conv2D(3, 5)(inputs))
    small.save(tmp_path / "small.keras")
    with pytest.raises(ValueError, match=r"failed on \[1, 2, 2, 3\]") as caught:
        load_predictor(tmp_path / "small.keras")(random_images(1, 2, 2))
    assert "\n" not in str(caught.value)
