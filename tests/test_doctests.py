"""The examples in the documentation of public names run."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest
from PIL import Image
from small_run import train_arguments, write_pairs

from tfgan_app import cli

MODULES = ("tfgan_app.api.loading", "tfgan_app.api.predictors", "tfgan_app.api.run", "tfgan_app.api.training")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that examples speak of: `photo.jpg`, `pairs`, and a run in `runs/x`."""
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)).save(folder / "photo.jpg")
    write_pairs(folder / "pairs")
    assert cli.run(cli.parse(["tfgan_app", *train_arguments(folder / "runs" / "x", folder / "pairs", steps=2)])) == 0
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted and not found.failed
