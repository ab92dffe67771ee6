"""`load` takes a model from wherever it is, and predicts as the command does."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_generator import build_tiny_generator

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.api.noise_model import NoiseModel
from tfgan_app.api.predictors import ImageModel
from tfgan_app.shipped import shipped_models

RNG = np.random.default_rng(0)


def predict_by_command(model, *arguments):
    argv = ["tfgan_app", "predict", "--model", model, *arguments]
    assert cli.run(cli.parse([str(argument) for argument in argv])) == 0


@pytest.fixture(scope="session")
def sources(run, tmp_path_factory):
    """Name -> what `load` takes."""
    folder = tmp_path_factory.mktemp("exports")
    version = run.export("saved_model", output=folder, name="saved", license="MIT")
    return {
        "run": run.path,
        "run's model": run.path / "checkpoints" / "last.keras",
        "saved_model": version.parent,
        "version": version,
        "tflite": run.export("tflite", output=folder, name="lite", license="MIT"),
        "keras": run.export("keras", output=folder, name="file", license="MIT"),
        "shipped": "upscale_x2",
        "shipped file": "upscale_x4.tflite",
        "color": "color:rgb_to_lab",
    }


NAMES = ("run", "run's model", "saved_model", "version", "tflite", "keras", "shipped", "shipped file", "color")
IMAGES = {
    "rgb": RNG.integers(0, 256, (24, 36, 3), np.uint8),
    "rgba": RNG.integers(0, 256, (24, 36, 4), np.uint8),
    "gray": RNG.integers(0, 256, (24, 36), np.uint8),
    "deep gray": RNG.integers(0, 65536, (24, 36), np.uint16),
}


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


# The run's file for LiteRT is of one size.
@pytest.mark.filterwarnings("ignore:the file was made for:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_the_command(name, sources, tmp_path):
    model = tfgan.load(sources[name])
    assert isinstance(model, ImageModel)
    (tmp_path / "in").mkdir()
    for image, pixels in IMAGES.items():
        Image.fromarray(pixels).save(tmp_path / "in" / f"{image}.png")
    predict_by_command(sources[name], "--input", tmp_path / "in", "--output", tmp_path / "out")
    for image, pixels in IMAGES.items():
        expected = read(tmp_path / "out" / f"{image}.png")
        received = model.predict(tmp_path / "in" / f"{image}.png")
        if image != "deep gray" or name != "color":  # Pillow reads color of 16 bits as 8.
            np.testing.assert_array_equal(np.asarray(received), expected)
            np.testing.assert_array_equal(np.asarray(received), model.predict(pixels))
    summary = model.predict_files(tmp_path / "in", tmp_path / "again")
    assert len(summary.written) == len(IMAGES) and not summary.failed
    for image in IMAGES:
        again, expected = ((tmp_path / out / f"{image}.png").read_bytes() for out in ("again", "out"))
        assert again == expected


INFOS = {
    "run": {"task": "translate", "scale": 1, "halo_px": 39},
    "saved_model": {"license": "MIT", "halo_px": 39},
    "version": {"license": "MIT"},
    "tflite": {"license": "MIT", "largest_px": 16},
    "keras": {"license": "MIT", "task": "translate"},
    "shipped": {"license": "Apache-2.0", "task": "upscale", "scale": 2},
    "shipped file": {"license": "Apache-2.0", "task": "upscale", "scale": 4},
    "color": {"kind": "images", "makes_color": True},
}


@pytest.mark.parametrize("name", INFOS)
def test_what_is_known_is_told(name, sources):
    info = tfgan.load(sources[name]).info
    assert {key: getattr(info, key) for key in INFOS[name]} == INFOS[name]


def test_figures_come_with_their_protocol(run):
    for name in shipped_models():
        figures = dict(tfgan.load(name).info.figures)
        assert "tests/benchmarks" in figures.pop("protocol") and len(figures) >= 4
    figures = tfgan.load(run.path).info.figures
    assert figures["protocol"] == "validation at step 4" and figures["psnr"] > 0


def test_a_generator_draws_what_the_command_draws(tmp_path):
    build_tiny_generator(channels=3, class_names=("cat", "dog")).save(tmp_path / "g.keras")
    model = tfgan.load(tmp_path / "g.keras")
    assert isinstance(model, NoiseModel) and model.info.classes == ("cat", "dog")
    options = ["--count", 2, "--seed", 3, "--class", "dog", "--truncation", 0.7]
    predict_by_command(tmp_path / "g.keras", "--output", tmp_path / "out", *options)
    images = model.generate(2, seed=3, classes="dog", truncation=0.7)
    written = sorted((tmp_path / "out" / "dog").glob("*.png"))
    np.testing.assert_array_equal(images, [read(path) for path in written])
    model.generate_files(tmp_path / "grid.png", count=4, classes=["cat"])
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size > (8, 8)


def test_the_mean_over_orientations_is_that_of_the_command(tmp_path):
    Image.fromarray(IMAGES["rgb"]).save(tmp_path / "in.png")
    predict_by_command(
        "upscale_x2", "--input", tmp_path / "in.png", "--output", tmp_path / "out.png", "--set", "ensemble=true"
    )
    result = tfgan.load("upscale_x2", ensemble=True).predict(IMAGES["rgb"])
    np.testing.assert_array_equal(result, read(tmp_path / "out.png"))


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("upscale_x3", {}, r"There is no model at 'upscale_x3'. Shipped models: upscale_x4"),
        (".", {}, "The model must be a run directory"),
        ("upscale_x2", {"checkpoint": "best"}, "`checkpoint` applies to a run directory only"),
        ("upscale_x2", {"fidelity": 0.5}, "needs `--set fidelity_model=PATH`"),
    ],
)
def test_what_cannot_be_loaded_is_told_as_by_the_command(path, options, message, capsys):
    with pytest.raises(ValueError, match=message) as caught:
        tfgan.load(path, **options)
    assert "\n" not in str(caught.value)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, tfgan_app as tfgan; names = dir(tfgan);"
        "assert {'load', 'train', 'Run', 'ModelInfo'} <= set(names), names;"
        "heavy = {'tensorflow', 'keras', 'numpy', 'PIL', 'absl'} & set(sys.modules); assert not heavy, heavy;"
        "assert not hasattr(tfgan, 'unknown');"
        "tfgan.Run; assert 'tensorflow' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""


def test_a_model_with_a_file_for_litert_is_run_without_tensorflow():
    code = (
        "import sys, numpy as np, tfgan_app as tfgan; model = tfgan.load('upscale_x2');"
        "assert model.predict(np.zeros((8, 12, 3), np.uint8)).shape == (16, 24, 3) and model.info.figures;"
        "heavy = {'tensorflow', 'keras'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_engine_may_be_chosen():
    model = tfgan.load("upscale_x4", quantized=True)
    assert model.path.name == "upscale_x4_int8.tflite" and not model.info.figures
    assert tfgan.load("upscale_x4", engine="tensorflow").path.suffix == ".keras"
    with pytest.raises(ValueError, match="`engine` must be one of auto, litert, tensorflow"):
        tfgan.load("upscale_x4", engine="jax")


def test_every_public_name_is_there_and_described():
    assert tfgan.__all__ == sorted(tfgan._PUBLIC)
    for name in tfgan.__all__:
        assert getattr(tfgan, name).__doc__
