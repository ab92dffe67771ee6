"""`tfgan_app import` as a user runs it, and what can be done with the result."""

import json

import numpy as np
import pytest
import torch_networks as networks
import torch_writer
from PIL import Image
from small_photos import image_arguments, write_photos

from tfgan_app import cli
from tfgan_app.commands import export_source
from tfgan_app.inference import choose_lite_file, load_keras_model, load_predictor
from tfgan_app.layers import provenance_of, receptive_field_of


def run(*arguments):
    """Returns the exit code of a command."""
    try:
        return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))
    except SystemExit as usage_error:
        return usage_error.code


@pytest.fixture
def weights(tmp_path):
    return torch_writer.write_zip(tmp_path / "video.pth", {"params": dict(networks.srvgg(2))})


@pytest.fixture
def image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (21, 34, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    return pixels


@pytest.fixture
def imported(weights, tmp_path):
    assert run("import", "--weights", weights, "--license", "BSD-3-Clause", "--output", tmp_path / "x2.keras") == 0
    return tmp_path / "x2.keras"


def test_an_imported_model_predicts_and_tiles_exactly(imported, image, tmp_path, capsys):
    card = (tmp_path / "x2.keras.md").read_text()
    assert "- License: BSD-3-Clause\n" in card and "- Imported from: video.pth\n" in card
    assert run("predict", "--model", imported, "--input", tmp_path / "in.png", "--output", tmp_path / "out.png") == 0
    expected = networks.run_srvgg(networks.srvgg(2), image.transpose(2, 0, 1) / 255, 2)
    expected = np.rint(np.clip(expected, 0, 1) * 255).transpose(1, 2, 0)
    received = np.asarray(Image.open(tmp_path / "out.png"))
    assert received.shape == (42, 68, 3) and np.abs(received - expected).max() <= 1
    predictor = load_predictor(imported)
    assert predictor.local and receptive_field_of(load_keras_model(imported)).halo_px == 3
    np.testing.assert_array_equal(predictor.image(image, tile_px=8), predictor(image[None])[0])


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
def test_exports_carry_the_source_and_the_license(format, imported, image, tmp_path, monkeypatch):
    monkeypatch.setattr(export_source, "photographs", lambda channels: {"train": [], "val": [image]})
    assert run("export", "--run", imported, "--format", format, "--output", tmp_path / "out") == 0
    card = next((tmp_path / "out").rglob("MODEL_CARD.md"), tmp_path / "out" / "x2.tflite.md").read_text()
    assert "License of the weights: BSD-3-Clause" in card
    assert "SHA-256 of the source" in card and "SRVGGNetCompact" in card
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_a_litert_file_lies_beside_the_model_unless_it_is_left_out(imported, weights, image, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert choose_lite_file(imported) == tmp_path / "x2.tflite"
    assert "License of the weights: BSD-3-Clause" in (tmp_path / "x2.tflite.md").read_text()
    assert run("import", "--weights", weights, "--output", tmp_path / "other.keras", "--no-tflite") == 0
    assert choose_lite_file(tmp_path / "other.keras") is None
    monkeypatch.setattr(export_source, "photographs", lambda channels: {"train": [], "val": [image]})
    assert run("export", "--run", tmp_path / "other.keras", "--format", "keras", "--output", tmp_path / "out") == 0
    assert choose_lite_file(tmp_path / "out" / "other.keras") == tmp_path / "out" / "other.tflite"


def test_a_litert_file_of_another_model_stays_and_is_said(weights, tmp_path, capsys):
    (tmp_path / "x.tflite").write_bytes(b"another")
    assert run("import", "--weights", weights, "--output", tmp_path / "x.keras") == 0
    assert "No " in (said := capsys.readouterr().out) and "x.tflite' was written" in said and "exists already" in said
    assert (tmp_path / "x.tflite").read_bytes() == b"another" and choose_lite_file(tmp_path / "x.keras") is None


def test_a_model_that_draws(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {}
    for index, (taken, given) in {0: (12, 8), 3: (8, 8), 6: (8, 3)}.items():
        tensors[f"main.{index}.weight"] = rng.standard_normal((taken, given, 4, 4)).astype(np.float32)
        if index < 6:
            for name in ("weight", "bias", "running_mean", "running_var"):
                tensors[f"main.{index + 1}.{name}"] = rng.random(given).astype(np.float32)
            tensors[f"main.{index + 1}.num_batches_tracked"] = np.array(7)
    path = torch_writer.write_legacy(tmp_path / "g.pth", tensors)
    assert run("import", "--weights", path, "--output", tmp_path / "g.keras") == 0
    assert provenance_of(load_keras_model(tmp_path / "g.keras"))["License"] == "not stated"
    assert run("predict", "--model", tmp_path / "g.keras", "--output", tmp_path / "out", "--count", "2") == 0
    with Image.open(tmp_path / "out" / "seed-0000000.png") as drawn:
        assert drawn.size == (16, 16)


@pytest.mark.large
def test_training_goes_on_from_an_imported_model(imported, tmp_path):
    """With a rate of next to nothing the run's model is the imported one; it resumes and refuses another scale."""
    data = write_photos(tmp_path / "photos")
    settings = {"task.scale": 2, "task.init_from": str(imported), "optimizer.muon_learning_rate": "none"}
    settings["optimizer.generator_learning_rate"] = 1e-9
    arguments = image_arguments("upscale", tmp_path / "run", data, steps=1, settings=settings)
    assert cli.run(cli.parse(["tfgan_app", *map(str, arguments)])) == 0
    images = np.random.default_rng(0).random((1, 9, 12, 3), np.float32)
    trained = load_keras_model(tmp_path / "run" / "checkpoints" / "last.keras")
    np.testing.assert_allclose(trained(images), load_keras_model(imported)(images), atol=1e-5)
    assert run("train", "--task", "upscale", "--run-dir", tmp_path / "run", "--resume", "--steps", "2") == 0
    arguments = image_arguments("upscale", tmp_path / "x4", data, steps=1, settings={**settings, "task.scale": 4})
    assert cli.run(cli.parse(["tfgan_app", *map(str, arguments)])) == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--output", "x.pth"], "must be a .keras file"),
        (["--output", "x.keras", "--architecture", "srcnn"], "one of esrgan"),
        (["--output", "x.keras", "--scale", "3"], "Received: `--scale 3`"),
        (["--output", "x.keras", "--norm", "batch"], "`--norm` does not apply"),
    ],
)
def test_refusals_are_one_line(weights, tmp_path, capsys, monkeypatch, flags, said):
    monkeypatch.chdir(tmp_path)
    assert run("import", "--weights", weights, *flags) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "x.keras").exists()


def test_nothing_is_overwritten(imported, weights, capsys):
    assert run("import", "--weights", weights, "--output", imported) == 2
    assert "exists already" in capsys.readouterr().err
