"""Sets from keras.datasets and TensorFlow Datasets, without a network."""

from __future__ import annotations

import io
import sys
import tarfile
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from fake_tfds import FakeBuilder, build_fake_tfds

from tfgan_app.data.opening import open_labeled


@pytest.mark.parametrize(("name", "first", "last"), [("mnist", "0", "9"), ("fashion_mnist", "t-shirt", "ankle-boot")])
def test_gray_sets_of_keras_have_the_test_part_held_out(monkeypatch, name, first, last):
    rng = np.random.default_rng(0)
    parts = [(rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8)) for n in (30, 12)]
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: tuple(parts))
    found = open_labeled(f"keras:{name}")
    assert (found.class_names[0], found.class_names[9], len(found.class_names)) == (first, last, 10)
    assert (found.gray, found.val_is_holdout, found.origin) == (True, False, f"keras:{name}")
    for part, (images, labels) in zip((found.train, found.val), parts, strict=True):
        np.testing.assert_array_equal(part.images[..., 0], images)
        np.testing.assert_array_equal(part.labels, labels)
        assert part.labels.dtype == np.int32
        assert len(set(part.names)) == len(images)


def write_cifar(path, *, folder, parts, class_file, class_names, label_bytes):
    """Writes a binary CIFAR archive of random records; returns the records of each part."""
    rng = np.random.default_rng(0)
    records = {
        name: np.concatenate(
            [rng.integers(0, 10, (4, label_bytes), np.uint8), rng.integers(0, 256, (4, 3072), np.uint8)], axis=1
        )
        for name in parts
    }
    contents = {name: record.tobytes() for name, record in records.items()}
    contents[class_file] = "\n".join(class_names).encode() + b"\n\n"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return records


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        (
            "cifar10",
            {
                "folder": "cifar-10-batches-bin",
                "parts": [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"],
                "class_file": "batches.meta.txt",
                "label_bytes": 1,
            },
        ),
        (
            "cifar100",
            {
                "folder": "cifar-100-binary",
                "parts": ["train.bin", "test.bin"],
                "class_file": "fine_label_names.txt",
                "label_bytes": 2,
            },
        ),
    ],
)
def test_cifar_is_read_from_its_binary_archive(tmp_path, monkeypatch, name, layout):
    class_names = [f"class{i}" for i in range(10)]
    records = write_cifar(tmp_path / "cifar.tar.gz", class_names=class_names, **layout)
    asked = []

    def get_file(file, **options):
        asked.append((file, options))
        return str(tmp_path / "cifar.tar.gz")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    found = open_labeled(f"keras:{name}")
    assert found.class_names == tuple(class_names)
    assert not found.gray
    *train, val = layout["parts"]
    for part, names in ((found.train, train), (found.val, [val])):
        rows = np.concatenate([records[name] for name in names])
        labels, pixels = rows[:, layout["label_bytes"] - 1], rows[:, layout["label_bytes"] :]
        np.testing.assert_array_equal(part.labels, labels)
        # The planes of red, green and blue follow each other, each row by row.
        np.testing.assert_array_equal(part.images[:, 0, 1], pixels[:, [1, 1025, 2049]])
        np.testing.assert_array_equal(part.images[:, 31, 0, 2], pixels[:, 2048 + 31 * 32])
    assert "binary" in asked[0][0] and len(asked[0][1]["file_hash"]) == 64


def test_unknown_keras_sets_list_the_known_ones():
    with pytest.raises(ValueError, match="mnist, fashion_mnist, cifar10, cifar100. Received: 'keras:imdb'"):
        open_labeled("keras:imdb")


def test_a_failed_download_is_one_line_and_says_nothing_on_stdout(monkeypatch, capsys):
    def load_data():
        print("Downloading data")
        raise Exception("URL fetch failure on https://x:\n None -- no network.")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)
    with pytest.raises(ValueError, match="'keras:mnist': URL fetch failure .* no network. Check the name") as error:
        open_labeled("keras:mnist")
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""


@pytest.fixture
def tfds(monkeypatch):
    """A function that puts sets into a fake `tensorflow_datasets`."""
    known = {}

    def add(name, splits, **features):
        known[name] = FakeBuilder(splits, features={"image": object()} | features)

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", build_fake_tfds(known))
    return add


TWO = SimpleNamespace(names=["no", "yes"])


def records(count, *, size=(6, 8, 3), first=0):
    """Images filled with their number, whose parity is their label."""
    return [(np.full(size, i, np.uint8), i % 2) for i in range(first, first + count)]


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (["train", "test"], "test"),
        (["train", "validation"], "validation"),
        (["train", "test", "validation"], "validation"),
    ],
)
def test_a_tfds_set_brings_its_own_held_out_split(tfds, splits, expected):
    tfds("tiny", {split: records(5, first=10 * len(split)) for split in splits}, label=TWO)
    found = open_labeled("tfds:tiny")
    assert (found.class_names, found.val_is_holdout, found.gray) == (("no", "yes"), False, False)
    assert found.train.images[:, 0, 0, 0].tolist() == list(range(50, 55))
    assert found.val.images[0, 0, 0, 0] == 10 * len(expected)
    for part in (found.train, found.val):
        np.testing.assert_array_equal(part.images[:, 0, 0, 0] % 2, part.labels)


@pytest.mark.parametrize("source", ["tfds:tiny:train[:50%]", "tfds:tiny:extra", "tfds:plain"])
def test_a_split_of_its_own_is_held_out_from_by_name(tfds, source):
    tfds("tiny", {"train": records(3), "train[:50%]": records(40), "extra": records(40)}, label=TWO)
    tfds("plain", {"train": records(40)}, label=TWO)
    found = open_labeled(source, val_fraction=0.25)
    assert found.val_is_holdout
    assert len(found.train) + len(found.val) == 40
    assert 2 <= len(found.val) <= 20
    np.testing.assert_array_equal(found.val.images[:, 0, 0, 0] % 2, found.val.labels)


def test_a_tfds_set_without_labels_has_no_classes(tfds):
    tfds("gray", {"train": records(4, size=(5, 5, 1))})
    found = open_labeled("tfds:gray", val_fraction=0)
    assert (found.class_names, found.gray, found.train.labels.tolist()) == ((), True, [-1] * 4)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("tfds:nowhere", "Dataset nowhere not found. Available"),
        ("tfds:mixed", r"one size, received uint8 \[7, 8, 3\] beside \[6, 8, 3\].*to a folder"),
        ("tfds:alpha", r"gray or RGB.*\[6, 8, 4\].*to a folder"),
        ("tfds:tiny:nosplit", "Unknown split 'nosplit'"),
        ("tfds:tiny:none", "the split 'none' is empty"),
        ("tfds:untrained", "has no split `train`. Use tfds:untrained:SPLIT with one of: a, b"),
    ],
)
def test_what_cannot_be_opened_is_one_line(tfds, source, message):
    tfds("tiny", {"train": records(2), "none": []}, label=TWO)
    tfds("mixed", {"train": records(2) + records(1, size=(7, 8, 3))}, label=TWO)
    tfds("alpha", {"train": records(2, size=(6, 8, 4))})
    tfds("untrained", {"b": records(2), "a": records(2)})
    with pytest.raises(ValueError, match=message) as error:
        open_labeled(source)
    assert "\n" not in str(error.value)
    assert source in str(error.value)


def test_a_set_without_images_names_its_features(tfds, monkeypatch):
    tfds("words", {"train": []})
    monkeypatch.setattr(sys.modules["tensorflow_datasets"].builder("words").info, "features", {"text": object()})
    with pytest.raises(ValueError, match="no feature `image`. It has: text"):
        open_labeled("tfds:words")


def test_a_missing_package_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match=r"tensorflow-datasets.*pip install 'tfgan_app\[tfds\]'") as error:
        open_labeled("tfds:mnist")
    assert "\n" not in str(error.value)
