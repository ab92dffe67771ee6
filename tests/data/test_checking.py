from __future__ import annotations

import numpy as np
import pytest
from handmade_png import with_damaged_chunk

from tfgan_app.data.checking import find_readable, find_readable_images, image_problem
from tfgan_app.data.class_folders import find_labeled
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.pipeline import build_labeled_dataset, build_pair_dataset
from tfgan_app.data.specs import CropSpec, Schedule


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
@pytest.mark.parametrize("damage", ["empty", "text", "header only", "cut short"])
def test_damage_is_said_in_one_line_that_names_the_file(tmp_path, random_image, save, suffix, damage):
    path = save(tmp_path / f"victim{suffix}", random_image(64, 64))
    assert image_problem(path) is None
    if damage in ("empty", "text"):
        path.write_text("" if damage == "empty" else "no image")
    else:
        cut(path, 0.05 if damage == "header only" else 0.7)
    problem = image_problem(path)
    assert path.name in problem
    assert "\n" not in problem


def test_a_damaged_chunk_that_pixels_do_not_need_is_no_problem(tmp_path, random_image, save):
    path = save(tmp_path / "a.png", random_image(32, 32))
    path.write_bytes(with_damaged_chunk(path.read_bytes(), b"tEXt", b"Title\0x"))
    assert image_problem(path) is None


def test_pairs_with_a_damaged_file_are_dropped_and_the_rest_trains(tmp_path, random_image, save):
    for side in "AB":
        for i in range(6):
            save(tmp_path / side / f"p{i}.jpg", random_image(32, 32, seed=i))
    cut(tmp_path / "A/p1.jpg", 0.6)
    cut(tmp_path / "B/p3.jpg", 0.0)
    pairs = find_pairs(tmp_path, val_fraction=0).train
    skipped, progress = [], []
    readable = find_readable(
        pairs,
        on_skip=lambda pair, reason: skipped.append((pair.name, reason)),
        on_progress=lambda *counts: progress.append(counts),
    )
    assert [name for name, _ in skipped] == ["p1", "p3"]
    assert "p1.jpg" in skipped[0][1]
    assert [pair.name for pair in readable] == ["p0", "p2", "p4", "p5"]
    assert progress[-1] == (6, 6)
    dataset = build_pair_dataset(readable, CropSpec(8), Schedule(batch_size=4, steps=1, seed=0))
    assert len(list(dataset)) == 1


def test_damaged_and_oversized_images_are_dropped_and_keep_nothing_behind(tmp_path, random_image, save, monkeypatch):
    for i in range(6):
        save(tmp_path / f"class{i % 2}" / f"p{i}.png", random_image(32, 32, seed=i))
    cut(tmp_path / "class1/p1.png", 0.6)
    save(tmp_path / "class0/p4.png", random_image(64, 64))
    monkeypatch.setattr("tfgan_app.data.checking.MAX_PIXELS", 2000)
    skipped, progress = [], []
    readable = find_readable_images(
        find_labeled(tmp_path, val_fraction=0).train,
        on_skip=lambda name, reason: skipped.append((name, reason)),
        on_progress=lambda *counts: progress.append(counts),
    )
    assert [name for name, _ in skipped] == ["class0/p4", "class1/p1"]
    assert "p4.png" in skipped[0][1] and "64 x 64" in skipped[0][1]
    assert "p1.png" in skipped[1][1]
    assert readable.names == ["class0/p0", "class0/p2", "class1/p3", "class1/p5"]
    assert [path.stem for path in readable.paths] == ["p0", "p2", "p3", "p5"]
    assert readable.labels.tolist() == [0, 0, 1, 1]
    assert progress[-1] == (6, 6)
    assert len(list(build_labeled_dataset(readable, CropSpec(8), Schedule(batch_size=4, steps=1, seed=0)))) == 1


def test_arrays_are_readable_as_they_are():
    images = LabeledImages(["a"], np.zeros(1, np.int32), images=np.zeros((1, 2, 2, 3), np.uint8))
    assert find_readable_images(images, on_skip=print) is images


def test_oversized_images_are_dropped(tmp_path, random_image, save, monkeypatch):
    path = save(tmp_path / "big.png", random_image(64, 64))
    monkeypatch.setattr("tfgan_app.data.checking.MAX_PIXELS", 1000)
    problem = image_problem(path)
    assert "big.png" in problem
    assert "64 x 64" in problem


def test_images_that_would_outgrow_memory_when_resized_are_named(tmp_path, random_image, save):
    problem = image_problem(save(tmp_path / "thread.png", random_image(1, 300)))
    assert "thread.png" in problem
    assert "expected sides up to 1:64, received " in problem
    assert image_problem(save(tmp_path / "banner.png", random_image(10, 300))) is None
