from __future__ import annotations

import json
import shutil

import keras
import numpy as np
import pytest

from tfgan_app.data.labeled_inspection import inspect_labeled


def kinds(inspection):
    return {problem.kind: problem.found for problem in inspection.problems}


def fill(root, save, random_image, **counts):
    for label, (name, count) in enumerate(counts.items()):
        for i in range(count):
            save(root / name / f"{i:02d}.png", random_image(8, 10 + label, seed=1000 * label + i))


def test_a_clean_set_has_counts_and_no_problems(tmp_path, save, random_image):
    fill(tmp_path / "train", save, random_image, cats=12, dogs=11)
    for name in ("cats", "dogs"):
        save(tmp_path / "val" / name / "x.png", random_image(9, 9, seed=len(name) + ord(name[0])))
    inspection = inspect_labeled(tmp_path)
    assert inspection.problems == []
    assert inspection.classes == {"cats": {"train": 12, "val": 1}, "dogs": {"train": 11, "val": 1}}
    assert (inspection.train_count, inspection.val_count, inspection.val_is_holdout) == (23, 2, False)
    assert (inspection.smallest, inspection.largest) == ((10, 8), (11, 8))
    assert (inspection.modes, inspection.formats) == ({"RGB": 25}, {"PNG": 25})
    text = "\n".join(inspection.lines())
    for line in ("training images   23", "cats: 12 training, 1 held-out", "10 x 8 to 11 x 8", "No problems found"):
        assert line in text


def test_images_without_classes(tmp_path, save, random_image):
    for i in range(5):
        save(tmp_path / f"{i}.png", random_image(8, 8, seed=i))
    inspection = inspect_labeled(tmp_path)
    assert (inspection.classes, inspection.problems) == ({}, [])
    assert inspection.train_count + inspection.val_count == 5
    assert not any("classes  " in line for line in inspection.lines())


@pytest.fixture
def troubled(tmp_path, save, random_image):
    """A set with one of each problem."""
    train, val = tmp_path / "train", tmp_path / "val"
    fill(train, save, random_image, cats=60, dogs=12, fish=9)
    shutil.copy(train / "cats/00.png", train / "cats/01.png")
    shutil.copy(train / "cats/02.png", train / "dogs/00.png")
    (val / "cats").mkdir(parents=True)
    shutil.copy(train / "cats/03.png", val / "cats/leak.png")
    (train / "cats/04.png").write_bytes(b"")
    (train / "cats/05.png").write_bytes(b"")
    save(train / "dogs/01.png", random_image(100, 100))
    save(train / "cover.png", random_image(8, 8))
    return tmp_path


def test_each_problem_is_named_with_what_to_do(troubled, monkeypatch):
    monkeypatch.setattr("tfgan_app.data.inspection.MAX_PIXELS", 5000)
    monkeypatch.setattr("tfgan_app.data.checking.MAX_PIXELS", 5000)
    inspection = inspect_labeled(troubled)
    found = kinds(inspection)
    assert found["duplicate"] == ["cats/00 = cats/01"]
    assert found["in two classes"] == ["cats/02 (cats) = dogs/00 (dogs)"]
    assert found["leaked"] == ["held-out cats/leak = training cats/03"]
    assert found["few images"] == ["fish: 9"]
    assert found["imbalance"] == ["cats: 60, fish: 9"]
    assert [path.rsplit("/", 1)[1] for path in found["unsorted"]] == ["cover.png"]
    assert len(found["unreadable"]) == 2
    assert "04.png" in found["unreadable"][0]
    assert len(found["oversized"]) == 1
    assert "01.png" in found["oversized"][0]
    text = "\n".join(inspection.lines())
    for problem in inspection.problems:
        assert f"{problem.kind} ({len(problem.found)}): {problem.remedy}" in text
    assert len(found) == 8


def test_to_dict_is_json_and_progress_ends_at_the_number_of_files(troubled):
    progress = []
    inspection = inspect_labeled(troubled, on_progress=lambda *counts: progress.append(counts))
    assert json.loads(json.dumps(inspection.to_dict()))["classes"]["fish"] == {"train": 9, "val": 0}
    assert progress[-1] == (82, 82)


def test_a_set_without_held_out_images_says_so(tmp_path, save, random_image):
    save(tmp_path / "only.png", random_image(8, 8))
    assert "no held-out images" in kinds(inspect_labeled(tmp_path))


def test_long_lists_of_classes_are_cut(tmp_path, save, random_image):
    fill(tmp_path, save, random_image, **{f"c{i:02d}": 1 for i in range(23)})
    assert "    ... and 3 more" in inspect_labeled(tmp_path).lines()


def test_arrays_are_inspected_like_files(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (220, 28, 28), np.uint8)
    labels = (np.arange(220) % 10).astype(np.uint8)
    images[10], images[11], images[201] = images[0], images[0], images[7]
    parts = (images[:200], labels[:200]), (images[200:], labels[200:])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: parts)
    inspection = inspect_labeled("keras:mnist")
    assert kinds(inspection) == {
        "duplicate": ["000000 = 000010"],
        "in two classes": ["000000 (0) = 000011 (1)", "000007 (7) = 000001 (1)"],
        "leaked": ["held-out 000001 = training 000007"],
    }
    assert (inspection.modes, inspection.formats) == ({"L": 220}, {"array": 220})
    assert (inspection.smallest, inspection.largest) == ((28, 28), (28, 28))
    assert inspection.classes["3"] == {"train": 20, "val": 2}
