"""`tfgan_app inspect`: what it prints, writes and returns."""

import json

import numpy as np
import pytest
from PIL import Image

from tfgan_app import cli


@pytest.fixture
def pairs(tmp_path):
    """A folder of side-by-side pairs."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", "inspect", *map(str, arguments)]))


def test_a_good_folder_is_0(pairs, tmp_path, capsys):
    assert run("--data", pairs, "--json", tmp_path / "found.json") == 0
    assert "No problems found." in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["train_count"] + found["val_count"] == 4


def test_files_that_cannot_be_used_are_1_and_named(pairs, capsys):
    whole = (pairs / "0.png").read_bytes()
    (pairs / "0.png").write_bytes(whole[: len(whole) // 2])
    assert run("--data", pairs) == 1
    assert "0.png" in capsys.readouterr().err


def test_a_folder_that_is_no_pair_set_is_2(tmp_path, capsys):
    assert run("--data", tmp_path) == 2
    assert capsys.readouterr().err.startswith("tfgan_app: error: ")
