"""Images of any size, from folders and from TensorFlow Datasets."""

import sys

import numpy as np
import pytest
from fake_tfds import FakeBuilder, build_fake_tfds

from tfgan_app.data.image_sets import open_images
from tfgan_app.image_io.loading import read_rgb


@pytest.fixture
def sets(monkeypatch):
    known = {}
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", build_fake_tfds(known))
    return known


def images(*sizes):
    rng = np.random.default_rng(0)
    return [(rng.integers(0, 256, (*size, 3), np.uint8),) for size in sizes]


def test_images_of_any_size_are_unpacked_once(sets, tmp_path):
    train, val = images((8, 9), (30, 5)), images((7, 7))
    sets["div2k/bicubic_x4"] = FakeBuilder({"train": train, "validation": val}, features={"hr": None, "lr": None})
    lines = []
    options = {"cache_dir": tmp_path, "on_note": lines.append}
    found = open_images("tfds:div2k/bicubic_x4", **options)
    assert not found.val_is_holdout
    for part, expected in ((found.train, train), (found.val, val)):
        assert len(part) == len(expected)
        for path, (image,) in zip(part.paths, expected, strict=True):
            np.testing.assert_array_equal(read_rgb(path), image)
    del sets["div2k/bicubic_x4"]
    again = open_images("tfds:div2k/bicubic_x4", **options)
    assert again.train.paths == found.train.paths
    assert len(lines) == 1
    assert lines[0].startswith(f"unpacking tfds:div2k/bicubic_x4 to {tmp_path}/div2k-bicubic-x4-")


def test_a_split_is_held_out_from(sets, tmp_path):
    sets["flowers"] = FakeBuilder({"train[:3]": images(*[(6, 6)] * 20)}, features={"image": None})
    found = open_images("tfds:flowers:train[:3]", val_fraction=0.25, cache_dir=tmp_path)
    assert found.val_is_holdout and len(found.val) > 0 and len(found.train) > len(found.val)
    assert len(found.train) + len(found.val) == 20


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("tfds:nowhere", "Dataset nowhere not found"),
        ("tfds:words", "has no feature `hr` or `image`. It has: text"),
        ("tfds:untrained", "has no split `train`. Use tfds:untrained:SPLIT, one of: a"),
        ("tfds:flowers:none", "Unknown split"),
    ],
)
def test_what_cannot_be_opened_is_one_line_and_leaves_nothing(sets, tmp_path, source, message):
    sets["words"] = FakeBuilder({"train": []}, features={"text": None})
    sets["untrained"] = FakeBuilder({"a": images((5, 5))}, features={"image": None})
    sets["flowers"] = FakeBuilder({"train": images((5, 5))}, features={"image": None})
    with pytest.raises(ValueError, match=message) as error:
        open_images(source, cache_dir=tmp_path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
