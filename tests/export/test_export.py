"""Exports are published only if they agree with the model, and never overwrite anything."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json

import keras
import numpy as np
import pytest

from tfgan_app.export import EXPORTERS, export_model, formats


def build_model():
    """An inference model: any size in, same size out, in [0, 1]."""
    inputs = keras.Input((None, None, 3))
    hidden = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    hidden = keras.layers.GroupNormalization(groups=-1)(hidden)
    outputs = keras.layers.Conv2D(3, 3, padding="same", activation="sigmoid", dtype="float32")(hidden)
    return keras.Model(inputs, outputs)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build_model()


def random_images(*shapes):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", EXPORTERS)
def test_every_format_writes_and_matches_on_images_of_different_sizes(model, tmp_path, format):
    result = export_model(
        model,
        format=format,
        output_dir=tmp_path / "new",
        name="tiny",
        held_out=[(image, None) for image in random_images((16, 16), (9, 13))],
        tile_px=16,
    )
    assert result.path.exists()
    assert 0 <= result.parity.mean_error <= result.parity.max_error <= 1e-4
    assert not [name for name in names_in(tmp_path / "new") if name.startswith(".")]  # Nothing unfinished is left.
    entries = json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert list(entries) == [result.path.relative_to(tmp_path / "new").as_posix()]


def test_versions_count_up(model, tmp_path):
    (tmp_path / "tiny" / "7").mkdir(parents=True)
    (tmp_path / "tiny" / "notes").mkdir()
    paths = [export_model(model, format="saved_model", output_dir=tmp_path, name="tiny").path for _ in range(2)]
    assert paths == [tmp_path / "tiny" / "8", tmp_path / "tiny" / "9"]


def test_a_keras_file_is_not_overwritten(model, tmp_path):
    (tmp_path / "tiny.keras").write_bytes(b"precious")
    with pytest.raises(ValueError, match=r"tiny\.keras' exists already"):
        export_model(model, format="keras", output_dir=tmp_path, name="tiny")
    assert (tmp_path / "tiny.keras").read_bytes() == b"precious"
    assert names_in(tmp_path) == ["tiny.keras"]


@pytest.mark.parametrize("format", EXPORTERS)
def test_a_parity_failure_leaves_nothing(model, tmp_path, monkeypatch, format):
    write = EXPORTERS[format].write

    def write_another_model(_, path, request):
        write(build_model(), path, request)

    monkeypatch.setattr(formats, format.upper(), dataclasses.replace(EXPORTERS[format], write=write_another_model))
    with pytest.raises(ValueError, match=r"largest absolute difference 0\.\d+, limit 0.0001, mean") as caught:
        export_model(model, format=format, output_dir=tmp_path, name="tiny")
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == []


def test_not_a_number_is_no_parity(model, tmp_path):
    poisoned = build_model()
    poisoned.set_weights([np.full_like(weight, np.nan) for weight in poisoned.get_weights()])
    with pytest.raises(ValueError, match="differs from the model: largest absolute difference inf"):
        export_model(poisoned, format="saved_model", output_dir=tmp_path, name="tiny")
    assert names_in(tmp_path) == []


def test_a_model_that_cannot_take_one_pixel_is_refused(tmp_path):
    inputs = keras.Input((None, None, 3))
    small = keras.Model(inputs, keras.layers.Conv2D(3, 3, padding="valid")(inputs))
    with pytest.raises(ValueError, match=r"fails on images of shape \[2, 1, 1, 3\]"):
        export_model(small, format="saved_model", output_dir=tmp_path, name="tiny")
    assert names_in(tmp_path) == []


def test_options_are_checked(model, tmp_path):
    options = {"format": "saved_model", "output_dir": tmp_path, "name": "tiny"}
    for wrong, message in (
        ({"format": "onnx"}, "must be one of keras, saved_model, tflite, web. Received: onnx"),
        ({"quantize": "int8"}, "must be one of none. Received: int8"),
        ({"name": "a/b"}, "plain file name"),
        ({"name": ".."}, "plain file name"),
        ({"name": ""}, "plain file name"),
    ):
        with pytest.raises(ValueError, match=message):
            export_model(model, **{**options, **wrong})
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("file", ["manifest.json", "models.config"])
def test_nothing_is_published_that_could_not_be_told(model, tmp_path, file):
    (tmp_path / file).write_text("{ broken")
    for format in ("tflite", "saved_model"):
        with pytest.raises(ValueError, match=f"{file}' is no"):
            export_model(model, format=format, output_dir=tmp_path, name="tiny")
    assert names_in(tmp_path) == [file]


def test_each_file_has_a_card_of_its_own(model, tmp_path):
    (tmp_path / "tiny.md").write_text("mine")
    for format in ("keras", "tflite", "saved_model"):
        export_model(model, format=format, output_dir=tmp_path, name="tiny", license="CC0-1.0")
    for card in ("tiny.keras.md", "tiny.tflite.md", "tiny/1/MODEL_CARD.md"):
        assert "CC0-1.0" in (tmp_path / card).read_text()
    assert (tmp_path / "tiny.md").read_text() == "mine"


def test_exports_at_the_same_time_are_all_in_the_manifest(model, tmp_path):
    names = [f"model{index}" for index in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: export_model(model, format="keras", output_dir=tmp_path, name=name), names))
    assert list(json.loads((tmp_path / "manifest.json").read_text())) == [f"{name}.keras" for name in names]
