"""`tfgan_app export` as a user runs it, on a run of the real task with a tiny network."""

from __future__ import annotations

import argparse
import json

import keras
import numpy as np
import pytest

from tfgan_app import cli, config
from tfgan_app.commands import export, export_source
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.export import EXPORTERS
from tfgan_app.image_io.loading import write_image
from tfgan_app.inference import load_predictor
from tfgan_app.keras_metadata import read_metadata
from tfgan_app.layers import FromUnitRange, ToUnitRange
from tfgan_app.networks import GENERATORS
from tfgan_app.tasks import load_task


@pytest.fixture
def run_dir(tmp_path):
    """A run directory as training leaves it, with its data set beside it."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 2), ("val", 3)):
        for index in range(count):
            path = tmp_path / "pairs" / split / f"{index}.png"
            write_image(path, rng.integers(0, 256, (20, 40, 3), np.uint8))
    task_class = load_task("translate")
    settings = config.replace_values(
        config.default_config("translate", task_class.config_class),
        {"data.source": str(tmp_path / "pairs"), "data.image_size": 16},
    )
    directory = RunDirectory(tmp_path / "run")
    directory.write_config(settings)
    inputs = keras.Input((None, None, 3))
    generator = GENERATORS["residual_unet"](width=4, depth=2)
    model = keras.Model(inputs, ToUnitRange()(generator(FromUnitRange()(inputs))))
    directory.checkpoints.mkdir()
    model.save(directory.checkpoints / "last.keras")
    return directory.path


def arguments(run_dir, **changes):
    flags = {
        "format": "saved_model",
        "part": "generator",
        "quantize": "none",
        "output": str(run_dir.parent / "out"),
        "name": None,
        "checkpoint": "last",
        "tile": None,
        "license": None,
        "delegates": False,
        "runtime": None,
        "truncation": None,
    }
    return argparse.Namespace(run=str(run_dir), **{**flags, **changes})


def test_a_run_becomes_a_model_that_predicts(run_dir, capsys):
    assert export.run(arguments(run_dir)) == 0
    printed = capsys.readouterr()
    version = run_dir.parent / "out" / "translate" / "1"
    assert str(version) in printed.out and "on 3 held-out images" in printed.out
    image = np.zeros((1, 7, 9, 3), np.uint8)
    np.testing.assert_array_equal(load_predictor(version)(image), load_predictor(run_dir)(image))


def test_a_run_whose_data_set_is_gone_is_exported_still(run_dir, capsys):
    (run_dir.parent / "pairs").rename(run_dir.parent / "moved")
    assert export.run(arguments(run_dir, format="keras", name="mine")) == 0
    printed = capsys.readouterr()
    assert (run_dir.parent / "out" / "mine.keras").is_file()
    assert "on random images" in printed.err and "8 random images" in printed.out


def test_bad_input_is_one_line(run_dir):
    for changes, message in (
        ({"format": "onnx"}, "one of keras, saved_model, tflite, web. Received: onnx"),
        ({"quantize": "int8"}, "one of none. Received: int8"),
        ({"tile": 64}, "`--tile` is for the formats tflite and web. Received: --format saved_model"),
        ({"delegates": True}, "`--delegates` is for the formats tflite and web"),
        ({"truncation": 0.7}, "`--truncation` is for style-based generators"),
        ({"runtime": "tarballs"}, "`--runtime` is for the format web. Received: --format saved_model"),
        ({"format": "web", "tile": 0}, "`tile` must be above 0 for the web"),
        ({"checkpoint": "best"}, r"no model .*best\.keras"),
    ):
        with pytest.raises(ValueError, match=message):
            export.run(arguments(run_dir, **changes))
    with pytest.raises(ValueError, match="Expected a run directory"):
        export.run(arguments(run_dir / "checkpoints"))


@pytest.mark.parametrize("name", EXPORTERS)
def test_the_command_line_takes_every_format(name):
    assert cli.parse(["tfgan_app", "export", "--run", "run", "--format", name]).format == name


@pytest.mark.large
def test_a_run_becomes_a_file_for_phones(run_dir, capsys):
    for quantize in ("none", "int8"):
        flags = {"format": "tflite", "quantize": quantize, "name": "mine", "delegates": True, "license": "CC0-1.0"}
        assert export.run(arguments(run_dir, **flags)) == 0
    printed = capsys.readouterr().out
    assert "XNNPACK (CPU): runs" in printed and "GPU: runs all" in printed and "dB lost against the held-out" in printed
    image = np.random.default_rng(1).integers(0, 256, (1, 16, 16, 3), np.uint8)
    expected = load_predictor(run_dir)(image).astype(int)
    for name, most in (("mine.tflite", 1), ("mine_int8.tflite", 20)):
        predictor = load_predictor(run_dir.parent / "out" / name)
        assert np.abs(predictor(image) - expected).max() <= most
    assert "CC0-1.0" in (run_dir.parent / "out" / "mine_int8.tflite.md").read_text()


def test_integers_want_the_training_images(run_dir):
    (run_dir.parent / "pairs").rename(run_dir.parent / "moved")
    with pytest.raises(ValueError, match="int8` needs the run's training images"):
        export.run(arguments(run_dir, format="tflite", quantize="int8"))


def test_a_keras_file_is_exported_without_its_run(run_dir, capsys):
    file = run_dir / "checkpoints" / "last.keras"
    assert export.run(arguments(file, format="tflite", tile=32, output=str(run_dir.parent / "out"))) == 0
    assert "bundled photographs" in capsys.readouterr().out
    assert (run_dir.parent / "out" / "last.tflite").is_file()


@pytest.mark.parametrize(("format", "where"), [("keras", "mine.keras.md"), ("tflite", "mine.tflite.md")])
@pytest.mark.large
def test_a_shipped_model_keeps_its_license_and_facts(tmp_path, monkeypatch, format, where):
    monkeypatch.chdir(tmp_path)
    flags = {"format": format, "output": "out", "name": "mine"}
    assert export.run(argparse.Namespace(**{**vars(arguments(tmp_path, **flags)), "run": "upscale_x2"})) == 0
    card = (tmp_path / "out" / where).read_text()
    assert "License of the weights: Apache-2.0" in card and "Model: upscale_x2 of tfgan_app" in card
    assert "Trained on: 169 photographs" in card and "Limits: " in card
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest[where.removesuffix(".md")]["license"] == "Apache-2.0"


def test_a_license_goes_from_keras_file_to_keras_file(run_dir, tmp_path):
    out = tmp_path / "out"
    assert export.run(arguments(run_dir, format="keras", name="first", license="CC0-1.0")) == 0
    (out / "first.keras").rename(tmp_path / "copy.keras")
    assert export.run(arguments(tmp_path / "copy.keras", format="keras", name="second", output=str(out))) == 0
    assert read_metadata(out / "second.keras") == read_metadata(tmp_path / "copy.keras")
    assert read_metadata(out / "second.keras").license == "CC0-1.0"
    assert read_metadata(out / "second.keras").facts["Task"] == "translate"
    flags = {"format": "saved_model", "name": "third", "license": "MIT", "output": str(out)}
    assert export.run(arguments(out / "second.keras", **flags)) == 0
    assert "License of the weights: MIT" in (out / "third" / "1" / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    ("started_from", "told"),
    [("upscale_x2", "upscale_x2.keras, license Apache-2.0"), ("runs/x4", "x4"), (None, None)],
)
def test_the_card_says_what_a_run_was_started_from(started_from, told):
    config_class = load_task("upscale").config_class
    settings = config.resolve_config("upscale", config_class, preset={"task.init_from": started_from})
    assert export_source.training_facts(settings).get("Started from") == told
