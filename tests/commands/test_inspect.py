"""`tfgan_app inspect`: what it prints, writes and returns."""

import json

import numpy as np
import pytest
import tifffile
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


def test_no_program_is_called_for_what_is_named_like_a_photo(pairs, capsys, ghostscript):
    Image.new("RGB", (16, 8)).save(pairs / "drawing.jpg", "EPS")
    assert run("--data", pairs) == 1
    assert "drawing.jpg': its image format is not supported: it looks like EPS" in capsys.readouterr().err
    assert not ghostscript.exists()


@pytest.fixture
def classes(tmp_path):
    """Two class folders of ten images each."""
    folder = tmp_path / "classes"
    for number in range(20):
        path = folder / ("cats" if number % 2 else "dogs") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)).save(path)
    return folder


def test_class_folders_are_inspected_by_class(classes, tmp_path, capsys):
    assert run("--data", classes, "--json", tmp_path / "found.json") == 0
    assert "cats: " in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert {name: counts["train"] + counts["val"] for name, counts in found["classes"].items()} == {
        "cats": 10,
        "dogs": 10,
    }


def test_images_of_a_class_that_cannot_be_used_are_1_and_named(classes, capsys):
    (classes / "cats/3.png").write_bytes(b"no image")
    assert run("--data", classes) == 1
    assert "3.png" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["", "keras:nothing"])
def test_what_holds_no_images_is_2(tmp_path, capsys, source):
    assert run("--data", source or tmp_path) == 2
    assert capsys.readouterr().err.startswith("tfgan_app: error: ")


def test_unpaired_sets_are_inspected_by_set(tmp_path, capsys):
    for side, count, level in (("A", 12, 0), ("B", 7, 99)):
        for number in range(count):
            path = tmp_path / f"sets/train{side}/{side}{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (level, number, 0)).save(path)
    (tmp_path / "sets/trainB/copy.png").write_bytes((tmp_path / "sets/trainA/A3.png").read_bytes())
    assert run("--data", tmp_path / "sets", "--json", tmp_path / "found.json") == 0
    said = capsys.readouterr().out
    assert "not paired" in said
    assert "in both sets (1)" in said
    assert any("A/A3" in line and "B/copy" in line for line in said.splitlines())
    found = json.loads((tmp_path / "found.json").read_text())
    assert {name: sum(parts.values()) for name, parts in found["sets"].items()} == {"A": 12, "B": 8}
    assert "few images" in {problem["kind"] for problem in found["problems"]}


def test_ranges_of_floats_are_said_and_can_be_settled(tmp_path, capsys):
    for number in range(12):
        folder = tmp_path / "classes" / ("cats" if number % 2 else "dogs")
        folder.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(number).random((8, 8, 3)) * (1 if number % 2 else 255)
        tifffile.imwrite(folder / f"{number}.tif", values.astype(np.float32), photometric="rgb", metadata=None)
    assert run("--data", tmp_path / "classes", "--json", tmp_path / "found.json") == 0
    said = capsys.readouterr().out
    assert "value ranges      floating-point values were read as 0 to 1: 6 of the files" in said
    assert "value ranges      floating-point values were read as 0 to 255: 6 of the files" in said
    assert "RGB;32F 12" in said
    assert len(json.loads((tmp_path / "found.json").read_text())["ranges"]) == 2
    assert run("--data", tmp_path / "classes", "--input-range=-1,300") == 0
    assert "floating-point values were read as -1 to 300: 12 of the files" in capsys.readouterr().out
