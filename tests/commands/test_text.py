"""Text to image as a user runs it: train on captions, evaluate, predict from prompts, resume, export."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from small_images import CAPTIONED, generate_arguments, write_captioned
from tiny_generator import build_tiny_generator

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.metrics import retrieval

SETTINGS = {**CAPTIONED, "task.generator_width": 8}


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(retrieval, "_STEPS", 2)
        monkeypatch.setattr(retrieval.TextRetrieval.__init__, "__kwdefaults__", {"steps": 2, "cache_dir": None})
        data = write_captioned(folder / "data")
        assert run(*generate_arguments(folder / "run", data, steps=4, settings=SETTINGS)) == 0
        assert run("evaluate", "--run", folder / "run", "--json", folder / "e.json") == 0
    return folder


def test_a_run_has_samples_a_report_and_its_figures(trained):
    with Image.open(trained / "run" / "samples" / "step-0000004.png") as grid:
        assert grid.width > 6 * 96 and grid.height > 2 * 96  # Images are enlarged for the captions below them.
    assert (trained / "run" / "report.html").is_file()
    measured = json.loads((trained / "e.json").read_text())
    text = json.dumps(measured)
    assert '"retrieval"' in text and '"floor_retrieval"' in text


def test_prompts_make_folders_and_grids(trained, tmp_path, capsys):
    flags = ["--model", trained / "run", "--prompt", "a red box", "--prompt", "a blue bar", "--count", 2]
    assert run("predict", *flags, "--output", tmp_path / "out") == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert names == {f"{text}/seed-000000{seed}.png" for text in ("a red box", "a blue bar") for seed in (0, 1)}
    assert run("predict", *flags, "--output", tmp_path / "grid.png") == 0
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (2 * 18 + 2, 2 * 18 + 2)
    model = tfgan.load(trained / "run")
    assert model.info.prompt_tokens == 6
    drawn = model.generate(2, prompts=["a red box", "a blue bar"])
    with Image.open(tmp_path / "out" / "a blue bar" / "seed-0000001.png") as image:
        np.testing.assert_array_equal(np.asarray(image), drawn[3])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], '`--prompt` must say what to draw, as in --prompt "a red apple". Received none.'),
        (["--prompt", " "], "at least one text that is not empty"),
        (["--prompt", "a", "--class", "b"], "`--class` is not supported for this model"),
        (["--prompt", "a", "--prompt", "b", "--interpolate", "1,2"], "`--interpolate` needs one prompt. Received: 2"),
        (["--prompt", "a", "--sweep", "classes"], "needs a model with classes"),
    ],
)
def test_wrong_prompts_are_one_line(trained, tmp_path, capsys, flags, message):
    assert run("predict", "--model", trained / "run", "--output", tmp_path / "o.png", *flags) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


def test_models_without_text_take_no_prompt(tmp_path, capsys):
    build_tiny_generator().save(tmp_path / "plain.keras")
    flags = ["--model", tmp_path / "plain.keras", "--output", tmp_path / "o.png", "--prompt", "a"]
    assert run("predict", *flags) == 2
    assert "`--prompt` is not supported for this model. Received: a." in capsys.readouterr().err


def test_latent_tools_take_a_prompt(trained, tmp_path):
    flags = ["--model", trained / "run", "--prompt", "a red box"]
    assert run("predict", *flags, "--output", tmp_path / "way.gif", "--interpolate", "1,2", "--count", 3) == 0
    assert run("predict", *flags, "--output", tmp_path / "d.png", "--sweep", "directions", "--set", "directions=2") == 0
    sample = next((trained / "data" / "val").glob("*.png"))
    options = ["--project", sample, "--set", "project_steps=2"]
    assert run("predict", *flags, "--output", tmp_path / "p.png", *options) == 0
    assert run("predict", *flags, "--output", tmp_path / "again.png", "--latents", tmp_path / "p.npz") == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "p.png").read_bytes()


def test_a_folder_without_captions_is_one_line(tmp_path, capsys):
    data = write_captioned(tmp_path / "data")
    for path in data.rglob("metadata.csv"):
        path.unlink()
    assert run(*generate_arguments(tmp_path / "run", data, steps=4, settings=SETTINGS)) == 2
    assert "There are no captions in" in capsys.readouterr().err


def test_other_captions_are_another_data_set(trained, capsys):
    file = trained / "data" / "train" / "metadata.csv"
    before = file.read_text()
    try:
        file.write_text(before.replace("a red bar", "a pink bar"))
        assert run("train", "--run-dir", trained / "run", "--resume", "--steps", 6) == 2
    finally:
        file.write_text(before)
    assert "tfgan_app: error:" in capsys.readouterr().err
