"""License and origin of a model inside its `.keras` file."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np
import pytest

from tfgan_app.inference import load_keras_model
from tfgan_app.keras_metadata import NOT_STATED, KerasMetadata, read_metadata, write_metadata


@pytest.fixture
def file(tmp_path):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(3)(inputs)).save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_it_is_read_as_it_was_written_and_the_model_stays(file):
    before = load_keras_model(file).get_weights()
    for metadata in (KerasMetadata("CC0-1.0", {"Task": "upscale", "Made by": "Zoë"}), KerasMetadata("MIT")):
        write_metadata(file, metadata)
        assert read_metadata(file) == metadata
        for expected, received in zip(before, load_keras_model(file).get_weights(), strict=True):
            np.testing.assert_array_equal(expected, received)
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json")).keys() == {"keras_version", "date_saved", "tfgan_app"}
    assert [path.name for path in file.parent.iterdir()] == ["model.keras"]


def test_a_file_without_it_states_nothing(file):
    assert read_metadata(file) == KerasMetadata(NOT_STATED, {})


@pytest.mark.parametrize(
    "content", [b"", b"no archive", "not json", "[]", '{"tfgan_app": 5}', '{"tfgan_app": {"license": "MIT"}}', None]
)
def test_a_damaged_one_states_nothing(tmp_path, content):
    path = tmp_path / "damaged.keras"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", content)
    assert read_metadata(path) == KerasMetadata()


def test_a_folder_states_nothing(tmp_path):
    assert read_metadata(tmp_path) == KerasMetadata()
