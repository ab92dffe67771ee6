"""Two sets of images that do not belong together: layouts, hold-out, order, TensorFlow Datasets."""

import sys

import numpy as np
import pytest
from fake_tfds import FakeBuilder, build_fake_tfds
from PIL import Image
from pipeline_options import specs

from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.data.unpaired import holds_unpaired, matching_share, open_unpaired
from tfgan_app.data.unpaired_batches import build_unpaired_dataset, load_side


def write(folder, names, *, level=0, size=(8, 8)):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        Image.new("RGB", size, (level, index, 0)).save(folder / f"{name}.png")


def names_of(side):
    return list(side.images.names)


HORSES, ZEBRAS = [f"horse{i}" for i in range(5)], [f"zebra{i}" for i in range(3)]
LAYOUTS = {
    "suffixed": ("trainA", "trainB", "testA", "testB"),
    "nested in A and B": ("A/train", "B/train", "A/val", "B/val"),
    "nested in splits": ("train/A", "train/B", "test/A", "test/B"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_splits_of_two_unequal_sets(tmp_path, layout):
    for part, names in zip(LAYOUTS[layout], (HORSES, ZEBRAS, HORSES[:2], ZEBRAS[:1]), strict=True):
        write(tmp_path / part, names)
    found = open_unpaired(tmp_path)
    assert [names_of(x) for x in (found.train_input, found.train_target)] == [HORSES, ZEBRAS]
    assert [names_of(x) for x in (found.val_input, found.val_target)] == [HORSES[:2], ZEBRAS[:1]]
    assert not found.val_is_holdout
    back = open_unpaired(tmp_path, direction="b2a")
    assert [names_of(x) for x in (back.train_input, back.val_target)] == [ZEBRAS, HORSES[:2]]
    assert holds_unpaired(tmp_path)
    assert matching_share(tmp_path) == 0.0


def test_a_share_of_each_set_is_held_out_where_there_is_no_split(tmp_path):
    everything = [f"{i:03d}" for i in range(40)]
    write(tmp_path / "A", everything)
    write(tmp_path / "B", everything[:30])
    found = open_unpaired(tmp_path, val_fraction=0.3)
    assert found.val_is_holdout
    for side, names in (("input", everything), ("target", everything[:30])):
        train, val = (names_of(getattr(found, f"{part}_{side}")) for part in ("train", "val"))
        assert sorted(train + val) == names
        assert 0 < len(val) < len(names) / 2
    assert set(names_of(found.val_target)) <= set(names_of(found.val_input)), "equal names are held out together"
    assert not holds_unpaired(tmp_path)
    assert matching_share(tmp_path) == 1.0
    assert not len(open_unpaired(tmp_path, val_fraction=1.0).train_input)


def test_bundled_pairs_are_halves_of_files_that_differ():
    found = open_unpaired(bundled_path("emoji_pairs"))
    sides = [set(names_of(x)) for x in (found.train_input, found.train_target)]
    assert not sides[0] & sides[1]
    assert min(map(len, sides)) > 700
    assert names_of(found.val_input) == names_of(found.val_target)
    assert (found.train_input.half, found.train_target.half, found.val_target.half) == ("left", "right", "right")


def test_halves_are_cut_from_their_own_side(tmp_path):
    (tmp_path / "train").mkdir()
    for index in range(8):
        pixels = np.zeros((8, 16, 3), np.uint8)
        pixels[:, 8:] = 255
        Image.fromarray(pixels).save(tmp_path / "train" / f"{index}.png")
    found = open_unpaired(tmp_path, val_fraction=0.0)
    assert load_side(found.train_input, CropSpec(8)).max() == 0
    assert load_side(found.train_target, CropSpec(8)).min() == 255


def sides(tmp_path):
    write(tmp_path / "trainA", range(7), level=10)
    write(tmp_path / "trainB", range(4), level=200)
    found = open_unpaired(tmp_path, val_fraction=0.0)
    return found.train_input, found.train_target


def batches(tmp_path, **options):
    settings = {"size_px": 8, "batch_size": 2, "steps": 14, "seed": 3, **options}
    return list(build_unpaired_dataset(*sides(tmp_path), **specs(**settings)).as_numpy_iterator())


@pytest.mark.parametrize("budget", [0, 64])
def test_each_set_has_its_own_order_and_every_start_is_exact(tmp_path, budget):
    whole = batches(tmp_path, cache_budget_mb=budget)
    inputs, targets = (np.concatenate([b[side] for b in whole])[:, 0, 0] for side in ("input", "target"))
    assert set(inputs[:, 0]) == {10}
    assert set(targets[:, 0]) == {200}
    for values, count in ((inputs[:, 1], 7), (targets[:, 1], 4)):
        for epoch in values.reshape(-1, count):
            assert sorted(epoch) == list(range(count))
    assert (inputs[:4, 1] != targets[:4, 1]).any()
    resumed = batches(tmp_path, start_step=9, cache_budget_mb=budget)
    for one, other in zip(whole[9:], resumed, strict=True):
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key], err_msg=key)


def test_sets_of_one_size_are_not_shown_side_by_side(tmp_path):
    write(tmp_path / "trainA", range(16))
    write(tmp_path / "trainB", range(16))
    found = open_unpaired(tmp_path)
    dataset = build_unpaired_dataset(
        found.train_input,
        found.train_target,
        crops=CropSpec(8),
        schedule=Schedule(batch_size=16, steps=1, seed=0),
    )
    batch = next(dataset.as_numpy_iterator())
    assert (batch["input"][:, 0, 0, 1] == batch["target"][:, 0, 0, 1]).mean() < 0.5


def records(count, level):
    return [(np.full((8, 8, 3), level, np.uint8), 0) for _ in range(count)]


def test_splits_of_tensorflow_datasets(tmp_path, monkeypatch):
    parts = {"trainA": records(5, 10), "trainB": records(3, 200), "testA": records(2, 11), "testB": records(2, 201)}
    known = {"cycle_gan/horse2zebra": FakeBuilder(parts, features={"image": None, "label": None})}
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", build_fake_tfds(known))
    notes = []
    found = open_unpaired("tfds:cycle_gan/horse2zebra", cache_dir=tmp_path, on_note=notes.append)
    counts = [len(getattr(found, f"{p}_{s}")) for p in ("train", "val") for s in ("input", "target")]
    assert counts == [5, 3, 2, 2]
    assert len(notes) == 4
    assert load_side(found.train_target, CropSpec(8)).min() == 200
    assert not set(names_of(found.val_input)) & set(names_of(found.val_target)), "numbers are no names"
    assert holds_unpaired("tfds:cycle_gan/horse2zebra")
    assert not holds_unpaired("tfds:mnist")


def test_what_holds_no_two_sets_is_one_clear_line(tmp_path, monkeypatch):
    known = {"mnist": FakeBuilder({"train": records(2, 0)}, features={"image": None})}
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", build_fake_tfds(known))
    with pytest.raises(ValueError, match="must have the splits trainA and trainB. It has: train"):
        open_unpaired("tfds:mnist")
    with pytest.raises(ValueError, match="There is no folder"):
        open_unpaired(tmp_path / "nowhere")
    write(tmp_path / "photos", range(3))
    with pytest.raises(ValueError, match=r"does not contain two sets of images. Accepted: trainA/"):
        open_unpaired(tmp_path / "photos")
    write(tmp_path / "half/trainA", range(3))
    (tmp_path / "half/trainB").mkdir()
    with pytest.raises(ValueError, match="3 of A and 0 of B"):
        open_unpaired(tmp_path / "half")


def test_class_folders_are_no_unpaired_sets(tmp_path):
    for letter in "ABC":
        write(tmp_path / letter, [f"{letter}{i}" for i in range(3)])
    assert not holds_unpaired(tmp_path)
