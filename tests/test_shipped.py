"""Shipped models by name: from any folder, with a list where a name is wrong."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_app import cli, shipped
from tfgan_app.config import absolute_source
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.inference import load_keras_model
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import read_metadata
from tfgan_app.shipped import is_shipped, located, shipped_model_path, shipped_models

NAMES = ("upscale_x4", "upscale_x4_gan", "upscale_x4_small", "upscale_x2", "restore")
PREDICT = ("predict", "--input", "photo.png", "--output", "o.png")
LISTED = f"Shipped models: {', '.join(NAMES)} (`tfgan_app models` describes them)."


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory that is not the checkout, with one image in it."""
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    Image.fromarray(image).save("photo.png")
    return tmp_path


def test_the_index_says_what_is_in_the_files():
    assert tuple(shipped_models()) == NAMES
    for name, row in shipped_models().items():
        model = load_keras_model(row.path)
        assert (row.weights, row.scale) == (model.count_params(), model_info(model).scale), name
        assert read_metadata(row.path).license == row.license == "Apache-2.0"
        assert read_metadata(row.path).facts["Task"] == row.task
        assert all((row.folder / file).is_file() for file in row.files)
        assert row.card.is_file() and row.recipe.is_file()
        assert row.license in row.card.read_text()


@pytest.mark.parametrize("name", [*NAMES, "upscale_x4_int8.tflite", "restore.keras"])
def test_a_name_is_a_file_whatever_the_current_directory_is(elsewhere, name):
    path = shipped_model_path(name)
    assert path.is_file() and path.is_absolute() and path.name.startswith(name)
    assert located(name) == path
    assert absolute_source(name) == name, "a run's configuration keeps the name"


@pytest.mark.parametrize("name", ["upscale_x5", "", "upscale_x4/", "runs/upscale_x4", "upscale_x4.md", "shipped.json"])
def test_what_is_no_name_is_a_path(elsewhere, name):
    assert not is_shipped(name)
    assert located(name) == Path(name)
    with pytest.raises(ValueError, match="There is no shipped model"):
        shipped_model_path(name)


@pytest.mark.parametrize(
    ("lies_there", "is_a_model"),
    [
        ("restore/photo.png", False),
        ("restore/notes/saved.txt", False),
        ("restore/1/saved_model.pb", True),
        ("restore/saved_model.pb", True),
        ("restore/checkpoints/last.keras", True),
        ("restore/model.tflite", True),
        ("restore", True),
    ],
)
def test_a_model_of_the_user_goes_before_and_a_folder_of_results_does_not(elsewhere, lies_there, is_a_model):
    path = elsewhere / lies_there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    assert is_shipped("restore") is not is_a_model


def test_predict_takes_a_name(elsewhere):
    assert app("predict", "--model", "upscale_x4", "--input", "photo.png", "--output", "upscale_x4/large.png") == 0
    assert read_rgb("upscale_x4/large.png").shape == (96, 80, 3)
    # The folder of results has the model's name now.
    assert app("predict", "--model", "upscale_x4.tflite", "--input", "photo.png", "--output", "lite.png") == 0
    assert app("predict", "--model", "upscale_x4", "--input", "photo.png", "--output", "again.png") == 0
    np.testing.assert_array_equal(read_rgb("again.png"), read_rgb("upscale_x4/large.png"))


@pytest.mark.large
def test_fidelity_goes_back_to_the_model_that_a_shipped_one_was_started_from(elsewhere):
    for fidelity in (0, 1):
        flags = ("--set", f"fidelity={fidelity}", "--input", "photo.png", "--output", f"{fidelity}.png")
        assert app("predict", "--model", "upscale_x4_gan", *flags) == 0
    flags = ("--engine", "tensorflow", "--input", "photo.png", "--output", "faithful.png")  # As `fidelity` is computed.
    assert app("predict", "--model", "upscale_x4", *flags) == 0
    np.testing.assert_array_equal(read_rgb("1.png"), read_rgb("faithful.png"))
    assert (read_rgb("0.png") != read_rgb("faithful.png")).any()


@pytest.mark.parametrize(
    "arguments",
    [
        (*PREDICT, "--model", "upscale_x5"),
        (*PREDICT, "--model", "upscale_x4", "--set", "fidelity=1", "--set", "fidelity_model=x"),
        ("evaluate", "--model", "upscale_x5"),
        ("export", "--model", "upscale_x5", "--format", "keras"),
        ("export", "--model", "upscale_x4.tflite", "--format", "keras"),
        ("serve", "--models", "upscale_x5"),
    ],
)
def test_a_wrong_name_lists_them(elsewhere, capsys, arguments):
    assert app(*arguments) == 2
    error = capsys.readouterr().err
    assert LISTED in error and error.count("\n") == 1


def test_evaluate_measures_a_shipped_model_by_its_recipe(elsewhere, capsys):
    assert app("evaluate", "--model", "upscale_x2", "--json", "x2.json") == 0
    written = json.loads(Path("x2.json").read_text())
    assert written["protocol"]["scale"] == 2
    assert written["metrics"]["psnr_y"] > written["metrics"]["bicubic_psnr_y"] + 2.0


@pytest.mark.parametrize("checkpoint", ["best"])
def test_a_shipped_model_has_no_checkpoints(elsewhere, capsys, checkpoint):
    assert app("evaluate", "--model", "upscale_x2", "--checkpoint", checkpoint) == 2
    assert "`checkpoint` applies to a run directory only" in capsys.readouterr().err


def test_models_lists_what_people_and_machines_need(elsewhere, capsys):
    assert app("models") == 0
    printed = capsys.readouterr().out
    for row in shipped_models().values():
        for words in (
            row.name,
            row.what_for,
            f"scale {row.scale}",
            f"{row.weights:,} weights",
            row.license,
            *row.files,
        ):
            assert words in printed
    assert app("models", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(NAMES)
    for file in (file for row in rows for file in row["files"]):
        assert Path(file["path"]).stat().st_size == file["bytes"]
    assert app("models", "--json", "models.json") == 0
    assert json.loads(Path("models.json").read_text()) == rows


def test_models_answers_without_tensorflow():
    code = (
        "import sys\n"
        "from tfgan_app import cli\n"
        "assert cli.run(cli.parse(['tfgan_app', 'models'])) == 0\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "upscale_x4_gan" in done.stdout


def test_serve_runs_the_saved_model_or_says_how_to_make_one(elsewhere, capsys, monkeypatch):
    from tfgan_app.commands import serve

    assert serve._folder("restore") == shipped_models()["restore"].folder / "restore"
    monkeypatch.setattr(shipped.ShippedModel, "saved_model", None)
    assert app("serve", "--models", "restore") == 2
    assert "tfgan_app export --model restore --format saved_model" in capsys.readouterr().err


def test_the_wheel_holds_every_file_that_the_index_names():
    """The packaging script lists files by name, so that exports beside them stay out of the wheel."""
    script = (Path(__file__).parents[1] / "setup.py").read_text()
    given = {}
    module = ast.parse(script)
    module.body = [node for node in module.body if not isinstance(node, ast.ImportFrom) or node.module != "setuptools"]
    names = {"setup": lambda **options: given.update(options), "find_packages": lambda **_: [], "__file__": "setup.py"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[1])
        exec(compile(module, "setup.py", "exec"), names)
    held = set(given["package_data"]["tfgan_app.shipped_models"])
    assert {shipped.INDEX_FILE, "manifest.json"} <= held
    for row in shipped_models().values():
        card, recipe = (path.relative_to(row.folder).as_posix() for path in (row.card, row.recipe))
        assert {*row.files, card, recipe} <= held
    assert not [name for name in held if "saved_model" in name or "*" in name]
