from __future__ import annotations

import json
import shutil

import pytest

from tfgan_app.data.inspection import inspect_pairs


def kinds(inspection):
    return {problem.kind: problem.found for problem in inspection.problems}


def test_a_clean_set_has_no_problems(side_by_side):
    inspection = inspect_pairs(side_by_side)
    assert inspection.problems == []
    assert inspection.train_count + inspection.val_count == 12
    assert inspection.val_is_holdout
    assert (inspection.smallest, inspection.largest) == ((24, 24), (34, 45))
    assert (inspection.modes, inspection.formats) == ({"RGB": 12}, {"PNG": 12})
    text = "\n".join(inspection.lines())
    assert "side-by-side" in text
    assert "24 x 24 to 34 x 45" in text
    assert "No problems found" in text


@pytest.fixture
def troubled(tmp_path, random_image, save):
    """A set with one of each problem."""
    for split, count in (("train", 6), ("val", 2)):
        for side in "AB":
            for i in range(count):
                save(
                    tmp_path / split / side / f"{split}{i}.png",
                    random_image(20, 20, seed=100 * len(split) + 10 * (side == "B") + i),
                )
    train, val = tmp_path / "train", tmp_path / "val"
    for side in "AB":
        shutil.copy(train / side / "train0.png", train / side / "train1.png")
        shutil.copy(train / side / "train2.png", val / side / "val0.png")
    (train / "A/train3.png").write_bytes(b"")
    save(train / "A/train4.png", random_image(20, 30))
    save(train / "B/alone.png", random_image(20, 20))
    save(train / "A/train5.png", random_image(100, 100))
    save(train / "B/train5.png", random_image(100, 100))
    return tmp_path


def test_each_problem_is_named_with_what_to_do(troubled, monkeypatch):
    monkeypatch.setattr("tfgan_app.data.inspection.MAX_PIXELS", 5000)
    monkeypatch.setattr("tfgan_app.data.checking.MAX_PIXELS", 5000)
    inspection = inspect_pairs(troubled)
    found = kinds(inspection)
    assert found["duplicate"] == ["train0 = train1"]
    assert found["leaked"] == ["held-out val0 = training train2"]
    assert found["aspect mismatch"] == ["train4"]
    assert [path.rsplit("/", 1)[1] for path in found["unmatched"]] == ["alone.png"]
    assert len(found["unreadable"]) == 1
    assert "train3.png" in found["unreadable"][0]
    assert len(found["oversized"]) == 2
    assert all(problem.remedy.endswith(".") for problem in inspection.problems)
    text = "\n".join(inspection.lines())
    assert all(kind in text for kind in found)


def test_to_dict_is_json_and_progress_ends_at_the_number_of_files(troubled):
    progress = []
    inspection = inspect_pairs(troubled, on_progress=lambda *counts: progress.append(counts))
    assert json.loads(json.dumps(inspection.to_dict()))["train_count"] == 6
    assert progress[-1] == (16, 16)


def test_a_set_without_held_out_pairs_says_so(tmp_path, random_image, save):
    save(tmp_path / "only.png", random_image(8, 16))
    assert "no held-out pairs" in kinds(inspect_pairs(tmp_path))


def test_long_lists_are_cut(side_by_side, random_image, save):
    for i in range(8):
        save(side_by_side / f"narrow{i}.png", random_image(8, 8))
    assert "  ... and 3 more" in inspect_pairs(side_by_side).lines()
