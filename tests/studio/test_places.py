"""Bounds of the studio's page: its folders, uploads and models."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tfgan_app.studio import library
from tfgan_app.studio.places import Bounds, Places


@pytest.fixture
def folder(tmp_path, monkeypatch):
    allowed = tmp_path / "allowed"
    (allowed / "photos").mkdir(parents=True)
    (tmp_path / "allowed-not").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.chdir(allowed)
    return allowed


def test_paths_inside_are_taken_relative_to_the_allowed_folder(folder):
    places = Places()
    for text in ("photos", " photos ", '"photos"', str(folder / "photos"), "photos/../photos"):
        found = places.existing(text, what="Folder")
        assert found == folder / "photos"
        assert places.shown(found) == "photos"


@pytest.mark.parametrize(
    "text", ["..", "../secret.txt", "photos/../../secret.txt", "/etc/passwd", "~", "../allowed-not", "link", "link/x"]
)
def test_paths_outside_are_refused(folder, text):
    (folder / "link").symlink_to(folder.parent)
    with pytest.raises(ValueError, match="outside of the allowed folders.*--allow DIR"):
        Places().path(text, what="Folder")


@pytest.mark.parametrize(("text", "message"), [("", "Received none"), (" \n", "Received none"), ("a\0b", "none")])
def test_no_path_is_said(folder, text, message):
    with pytest.raises(ValueError, match=f"Folder: .*{message}"):
        Places().path(text, what="Folder")


def test_missing_paths_are_said(folder):
    with pytest.raises(ValueError, match="Model: there is no '.*nothing'"):
        Places().model("nothing")
    with pytest.raises(ValueError, match="`--allow` must be an existing folder"):
        Places(["nothing"])


def test_several_folders_can_be_allowed(folder, tmp_path):
    other = tmp_path / "allowed-not"
    places = Places([folder, other])
    assert places.path(str(other / "x"), what="Folder") == other / "x"
    assert places.shown(other / "x") == str(other / "x")


def saved(path, *, width=8, height=8):
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)
    return path


def test_uploads_are_bounded(tmp_path):
    small, large = saved(tmp_path / "small.png"), saved(tmp_path / "large.png", width=40, height=30)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    places = Places([tmp_path], bounds=Bounds(max_bytes=2**20, max_files=2, max_pixels=1000))
    assert places.check_uploads([small, broken]) == [small, broken]  # `predict` names the broken one.
    with pytest.raises(ValueError, match=r"'large.png' must have at most 1,000 pixels. Received: 40 x 30"):
        places.check_uploads([large])
    with pytest.raises(ValueError, match="At most 2 files"):
        places.check_uploads([small] * 3)
    (tmp_path / "long.mp4").write_bytes(bytes(2**20 + 1))
    with pytest.raises(ValueError, match=r"'long.mp4' must have at most 1 MB"):
        places.check_uploads([tmp_path / "long.mp4"])


def write_run(folder, *, task="translate", **values):
    (folder / "checkpoints").mkdir(parents=True)
    config = {"task_name": task, "task": values, "data": {"source": "keras:fashion_mnist"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "run.json").write_text("{}")


def test_runs_with_code_of_their_own_are_refused(folder):
    write_run(folder / "runs" / "plain", generator="unet")
    write_run(folder / "runs" / "own", generator="my_module:build")
    assert Places().model("runs/plain") == "runs/plain"
    with pytest.raises(ValueError, match=r"'own' names code of its own: my_module:build"):
        Places().model("runs/own")


def test_models_are_found_by_their_task(folder):
    write_run(folder / "runs" / "faces", task="generate")
    write_run(folder / "runs" / "x4", task="upscale")
    (folder / "mine.keras").write_bytes(b"")
    (folder / "exports" / "served" / "1").mkdir(parents=True)
    (folder / "exports" / "served" / "1" / "saved_model.pb").write_bytes(b"")
    enhancing = [value for _, value in library.choices(Places(), library.ENHANCING)]
    assert enhancing[:5] == ["upscale_x4", "upscale_x4_gan", "upscale_x4_small", "upscale_x2", "restore"]
    assert set(enhancing[5:]) == {"runs/x4", "mine.keras", "exports/served"}
    generating = [value for _, value in library.choices(Places(), library.GENERATING)]
    assert set(generating) == {"runs/faces", "mine.keras", "exports/served"}
    assert set(library.runs(Places())) == {"runs/faces", "runs/x4"}


def test_folders_of_images_are_found_as_data_sets(folder):
    for name in ("pairs/train", "pairs/val", "classes/cat", "classes/dog", "flat"):
        (folder / name).mkdir(parents=True)
        saved(folder / name / "a.png")
    assert set(Places().image_folders()) >= {"pairs", "classes", "flat"}
    assert "pairs/train" not in Places().image_folders()
