"""A prepared set gives the images of its source: the same names, labels, splits, order and batches."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from small_images import write_class_folders
from small_run import write_pairs

from tfgan_app.data import preparing, records
from tfgan_app.data.captions import with_captions
from tfgan_app.data.checking import find_readable, find_readable_images
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import labeled_fingerprint
from tfgan_app.data.opening import holds_pairs, open_labeled
from tfgan_app.data.overlap import count_shared
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.pipeline import build_labeled_dataset, build_pair_dataset, load_labeled
from tfgan_app.data.preparing import prepare
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.data.unpaired import open_unpaired

pytest.importorskip("array_record")

CROPS = CropSpec(8)
SCHEDULE = Schedule(batch_size=5, steps=12, seed=3, start_step=2)


def write_mixed(folder):
    """Two classes in files of every decoder: PNG, JPEG at full and at reduced size, a palette, alpha, a BMP."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index in range(12):
            size = (64, 96, 3) if index % 4 == 1 else (20, 31, 4 if index % 4 == 2 else 3)
            suffix = ("png", "jpg", "png", "bmp")[index % 4]
            image = Image.fromarray(rng.integers(0, 256, size, np.uint8))
            image.save(folder / name / f"{index}.{suffix}")
    return folder


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixed")
    prepare(write_mixed(root / "source"), root / "set", shards=3)
    return root / "source", root / "set"


def labeled_batches(images, **options):
    return list(build_labeled_dataset(images, CROPS, SCHEDULE, **options).as_numpy_iterator())


def assert_same(left, right):
    assert len(left) == len(right) == SCHEDULE.steps - SCHEDULE.start_step
    for a, b in zip(left, right, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("reader", [open_labeled, open_images])
@pytest.mark.parametrize("val_fraction", [0.0, 0.3, 1.0])
def test_the_same_images_in_the_same_order(mixed, reader, val_fraction):
    folder, shards = (reader(source, val_fraction=val_fraction) for source in mixed)
    for left, right in ((folder.train, shards.train), (folder.val, shards.val)):
        assert list(left.names) == list(right.names)
        np.testing.assert_array_equal(left.labels, right.labels)
        assert [path.read_bytes() for path in left.paths] == [path.read_bytes() for path in right.paths]
        assert labeled_fingerprint(left) == labeled_fingerprint(right)
    assert (folder.class_names, folder.gray, folder.layout) == (shards.class_names, shards.gray, shards.layout)
    assert count_shared(shards.train, folder.train) == len(folder.train)


@pytest.mark.parametrize("cache_budget_mb", [0, 100])
def test_the_same_batches(mixed, cache_budget_mb):
    folder, shards = (find_readable_images(open_labeled(source).train, on_skip=print) for source in mixed)
    assert_same(*(labeled_batches(each, cache_budget_mb=cache_budget_mb) for each in (folder, shards)))
    np.testing.assert_array_equal(load_labeled(folder, CROPS), load_labeled(shards, CROPS))


@pytest.mark.parametrize("direction", ["a2b", "b2a"])
def test_the_same_pairs(tmp_path, direction):
    source, target = write_pairs(tmp_path / "pairs", val=4), tmp_path / "set"
    prepare(source, target, shards=2)
    assert holds_pairs(target) and holds_pairs(source)
    folder, shards = (find_pairs(each, direction=direction) for each in (source, target))
    for left, right in ((folder.train, shards.train), (folder.val, shards.val)):
        assert [(p.name, p.input_half, p.target_half) for p in left] == [
            (p.name, p.input_half, p.target_half) for p in right
        ]
    batches = [
        list(build_pair_dataset(find_readable(each.train, on_skip=print), CROPS, SCHEDULE).as_numpy_iterator())
        for each in (folder, shards)
    ]
    assert_same(*batches)


def test_splits_and_captions(tmp_path):
    source = write_class_folders(tmp_path / "source", train=4, val=2)
    for path in source.rglob("*.png"):
        path.with_suffix(".txt").write_text(f"a {path.parent.name}\n")
    prepare(source, tmp_path / "set", shards=2)
    folder, shards = (with_captions(open_labeled(each)) for each in (source, tmp_path / "set"))
    assert folder.captions == shards.captions == ("a bar", "a box")
    np.testing.assert_array_equal(folder.images.val.labels, shards.images.val.labels)
    assert not shards.images.val_is_holdout


def test_a_damaged_file_is_named_and_marked(tmp_path):
    source = write_mixed(tmp_path / "source")
    bad = source / "cat" / "4.png"
    bad.write_bytes(bad.read_bytes()[:300])
    done = prepare(source, tmp_path / "set", shards=2)
    assert len(done.problems) == 1 and "4.png" in done.problems[0]
    skipped = []
    readable = []
    for name in ("source", "set"):
        images = open_labeled(tmp_path / name, val_fraction=0.0).train
        readable.append(find_readable_images(images, on_skip=lambda *problem: skipped.append(problem)))
    assert list(readable[0].names) == list(readable[1].names)
    assert skipped == [("cat/4", done.problems[0])] * 2


def damage(folder, name):
    """Flips a byte in the middle of a record."""
    data = (folder / name).read_bytes()
    for shard in sorted((folder.parent / "set").glob("*.array_record")):
        content = bytearray(shard.read_bytes())
        at = content.find(data)
        if at >= 0:
            content[at + len(data) // 2] ^= 255
            shard.write_bytes(content)
            return
    raise AssertionError(name)


def test_a_record_damaged_later_is_named_and_skipped(tmp_path):
    source = write_mixed(tmp_path / "source")
    prepare(source, tmp_path / "set", shards=2)
    damage(source, "dog/0.png")
    skipped = []
    images = open_labeled(tmp_path / "set", val_fraction=0.0).train
    readable = find_readable_images(images, on_skip=lambda name, problem: skipped.append((name, problem)))
    assert [name for name, _ in skipped] == ["dog/0"]
    assert "dog/0.png" in skipped[0][1] and "shard-0000" in skipped[0][1]
    assert len(readable) == len(images) - 1


@pytest.mark.parametrize("cache_budget_mb", [0, 100])
def test_in_a_large_set_a_sound_record_of_the_class_takes_its_place(tmp_path, monkeypatch, capfd, cache_budget_mb):
    monkeypatch.setattr(records, "CHECKED_AT_START", 0)
    source = write_mixed(tmp_path / "source")
    prepare(source, tmp_path / "set", shards=2)
    whole = open_labeled(source, val_fraction=0.0).train
    damage(source, "dog/0.png")
    images = find_readable_images(open_labeled(tmp_path / "set", val_fraction=0.0).train, on_skip=print)
    assert len(images) == len(whole)
    expected = labeled_batches(whole, cache_budget_mb=0)
    found = labeled_batches(images, cache_budget_mb=cache_budget_mb)
    same = [
        np.array_equal(a["image"][i], b["image"][i]) for a, b in zip(expected, found, strict=True) for i in range(5)
    ]
    assert 1 <= same.count(False) <= 4
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a["label"], b["label"])
    assert capfd.readouterr().err.count("dog/0.png") == 1
    with pytest.raises(ValueError, match="damaged in their shards"):
        load_labeled(images, CROPS)


def test_interrupted_preparing_goes_on(tmp_path, monkeypatch):
    source, target = write_mixed(tmp_path / "source"), tmp_path / "set"
    write, calls = preparing._write_shard, []

    def fails_at_third(path, files, **options):
        calls.append(path.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(path, files, **options)

    monkeypatch.setattr(preparing, "_write_shard", fails_at_third)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, target, shards=4)
    with pytest.raises(ValueError, match="not finished"):
        open_labeled(target)
    done = prepare(source, target, shards=4)
    assert done.kept_shards == 2 and calls[2:] == sorted(set(calls))[2:3] + sorted(set(calls))[2:]
    prepare(source, tmp_path / "at_once", shards=4)
    for path in (tmp_path / "at_once").rglob("*.*"):
        assert path.read_bytes() == (target / path.relative_to(tmp_path / "at_once")).read_bytes(), path


def test_errors_are_one_line(mixed, tmp_path):
    source, shards = mixed
    for arguments, expected in (
        ((tmp_path / "none", tmp_path / "x"), "no folder"),
        ((shards, tmp_path / "x"), "prepared set already"),
        ((source, source), "new or an empty folder"),
    ):
        with pytest.raises(ValueError, match=expected):
            prepare(*arguments, shards=2)
    with pytest.raises(ValueError, match="another number of shards"):
        prepare(source, shards, shards=2)
    with pytest.raises(ValueError, match="read from folders"):
        open_unpaired(shards)
    with pytest.raises(ValueError, match="prepared from"):
        find_pairs(shards)
    copy = tmp_path / "copy"
    shutil.copytree(shards, copy)
    next(copy.glob("*.array_record")).write_bytes(b"short")
    with pytest.raises(ValueError, match="copy it again"):
        open_labeled(copy)


@pytest.mark.parametrize("name", ["../outside.array_record", "/etc/passwd", "sub/shard.array_record"])
def test_an_index_names_no_files_of_other_folders(mixed, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(mixed[1], copy)
    facts = json.loads((copy / "index.json").read_text())
    facts["shards"][0]["file"] = name
    (copy / "index.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="is damaged: run `tfgan_app prepare`"):
        open_labeled(copy)
