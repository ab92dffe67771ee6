"""The examples in docstrings of public names and in the manual's page on Python run."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_run import train_arguments, write_pairs
from tiny_generator import build_tiny_generator

from tfgan_app import cli

MODULES = ("api.latents", "api.loading", "api.noise_model", "api.predictors", "api.run", "api.training", "model_info")


def write_photo(path):
    """An image of 16 x 12 pixels."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that examples speak of: `photo.jpg`, `faces.keras`, `pairs`, and a run in `runs/x`."""
    folder = tmp_path_factory.mktemp("examples")
    write_photo(folder / "photo.jpg")
    write_pairs(folder / "pairs")
    build_tiny_generator(channels=3).save(folder / "faces.keras")
    assert cli.run(cli.parse(["tfgan_app", *train_arguments(folder / "runs" / "x", folder / "pairs", steps=2)])) == 0
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = doctest.testmod(importlib.import_module(f"tfgan_app.{name}"), optionflags=doctest.ELLIPSIS)
    assert found.attempted and not found.failed


PAGE = Path(__file__).parents[1] / "docs" / "manual" / "python.md"
SMALL = {
    "steps=2000": "steps=2",
    "steps=4000": "steps=3",
    "image_size=128": "image_size=16",
    '{"task.l1_weight": 50}': '{"task.generator_width": 4, "task.generator_depth": 2, "task.discriminator_width": 4}',
    '"runs/x"': '"runs/page"',
    '"runs/faces"': '"faces.keras"',
}
"""Of the page's training, for a test."""


# The file for LiteRT is of one size, which is said.
@pytest.mark.filterwarnings("ignore:the file was made for:UserWarning")
def test_the_manuals_page_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    write_pairs(folder / "my_pairs")
    (folder / "photos").mkdir()
    write_photo("photos/a.png")
    text = PAGE.read_text(encoding="utf-8")
    for shown, small in SMALL.items():
        assert shown in text
        text = text.replace(shown, small)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S))
    names: dict = {}
    exec(compile(code, "python.md", "exec"), names)
    assert names["sharp"].size == (64, 48) and names["run"].step == 3 and "psnr" in names["figures"]
    assert "There is no model at 'upscale_x3'. Shipped models: upscale_x4" in capsys.readouterr().out
