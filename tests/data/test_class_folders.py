from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from PIL import Image

from tfgan_app.data.class_folders import find_labeled


@pytest.fixture
def fill(random_image, save, tmp_path):
    """A function that writes an image to each of the given paths in `tmp_path`."""

    def fill_paths(*paths):
        for path in paths:
            save(tmp_path / path, random_image(4, 4))
        return tmp_path

    return fill_paths


def labels(found, part):
    """The class name of each image by name."""
    images = getattr(found, part)
    return {name: found.class_names[label] for name, label in zip(images.names, images.labels, strict=True)}


def test_images_in_one_folder_have_no_classes(fill):
    found = find_labeled(fill("b.png", "a.jpg"), val_fraction=0)
    assert (found.layout, found.class_names) == ("images without classes", ())
    assert found.train.names == ["a", "b"]
    assert [path.name for path in found.train.paths] == ["a.jpg", "b.png"]
    assert found.train.labels.tolist() == [-1, -1] and found.train.labels.dtype == np.int32


def test_folders_are_classes_and_nested_images_belong_to_the_top_folder(fill):
    root = fill("dogs/rex.png", "cats/tom.png", "cats/old/felix.png", "cats/old/tom.png", ".cache/x.png")
    (root / "empty").mkdir()
    found = find_labeled(root, val_fraction=0)
    assert (found.layout, found.class_names) == ("class folders", ("cats", "dogs"))
    assert labels(found, "train") == {
        "cats/old/felix": "cats",
        "cats/old/tom": "cats",
        "cats/tom": "cats",
        "dogs/rex": "dogs",
    }


def test_one_folder_is_one_class(fill):
    found = find_labeled(fill("cats/a.png", "cats/b.png", "cats/c.png"))
    assert found.class_names == ("cats",)
    assert (len(found.train), len(found.val), found.val_is_holdout) == (2, 1, True)


@pytest.mark.parametrize(
    ("train", "val"), [("train", "val"), ("Train", "VALID"), ("train", "validation"), ("TRAIN", "test")]
)
def test_splits_of_class_folders_share_their_labels(fill, train, val):
    found = find_labeled(fill(f"{train}/a/1.png", f"{train}/b/1.png", f"{train}/b/2.png", f"{val}/b/1.png"))
    assert labels(found, "train") == {"a/1": "a", "b/1": "b", "b/2": "b"}
    assert labels(found, "val") == {"b/1": "b"}
    assert not found.val_is_holdout
    assert found.layout == f"{train}/ and {val}/ with class folders"


def test_splits_of_images_without_classes(fill):
    found = find_labeled(fill("train/x.png", "train/y.png", "val/z.png"))
    assert (found.train.names, found.val.names, found.class_names) == (["x", "y"], ["z"], ())


def test_train_alone_is_split_by_name_and_beside_other_folders_is_a_class(fill):
    found = find_labeled(fill("train/a/1.png", "train/b/1.png"))
    assert (found.class_names, found.val_is_holdout, found.layout) == (("a", "b"), True, "train/ with class folders")
    assert find_labeled(fill("bus/1.png")).class_names == ("bus", "train")


def test_few_loose_images_are_left_out_and_many_mean_no_classes(fill):
    found = find_labeled(fill("a/1.png", "b/1.png", "cover.png"), val_fraction=0)
    assert found.class_names == ("a", "b")
    assert [path.name for path in found.unsorted] == ["cover.png"]
    assert found.layout == "class folders (left out beside them: 1)"
    found = find_labeled(fill("c1.png"), val_fraction=0)
    assert (found.class_names, found.unsorted) == ((), [])
    assert found.train.names == ["a/1", "b/1", "c1", "cover"]


def test_names_are_unique_and_composed_unicode(fill):
    decomposed = unicodedata.normalize("NFD", "é")
    found = find_labeled(fill(f"{decomposed}/絵.png", "z/1.png", "z/1.jpg"), val_fraction=0)
    assert found.class_names == ("z", unicodedata.normalize("NFC", "é"))
    assert len(set(found.train.names)) == 3


def test_linked_class_folders_are_followed(fill, tmp_path):
    fill("store/1.png")
    root = tmp_path / "set"
    root.mkdir()
    (root / "cats").symlink_to(tmp_path / "store", target_is_directory=True)
    assert find_labeled(root).class_names == ("cats",)


@pytest.mark.parametrize(
    ("modes", "expected"),
    [(["L", "1", "LA"], True), (["L", "I;16"], True), (["L", "RGB"], False), (["L", "P"], False), (["RGBA"], False)],
)
def test_gray_is_judged_by_headers(tmp_path, modes, expected):
    for i, mode in enumerate(modes):
        image = Image.new("L", (4, 4), 9)
        (image.convert("I;16") if mode == "I;16" else image.convert(mode)).save(tmp_path / f"{i}.png")
    (tmp_path / "damaged.png").write_bytes(b"")
    assert find_labeled(tmp_path).gray is expected


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("train/a/1.png", "val/1.png"), "one kind.*class folders to train on.*images without classes"),
        (("train/a/1.png", "val/a/1.png", "val/b/1.png"), "classes without training images: b"),
    ],
)
def test_splits_that_do_not_fit_are_refused(fill, paths, message):
    with pytest.raises(ValueError, match=message):
        find_labeled(fill(*paths))


def test_missing_and_empty_folders_are_one_line_with_the_accepted_layouts(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ValueError, match=f"{folder.name}.*one folder per class.*train/") as error:
            find_labeled(folder)
        assert "\n" not in str(error.value)


def test_links_are_classes_once_and_loops_are_none(fill):
    root = fill("set/cats/tom.png", "set/dogs/rex.png", "elsewhere/eva.png") / "set"
    for name, target in {"birds": "../elsewhere", "twin": "cats", "loop": ".", "above": "..", "lost": "gone"}.items():
        (root / name).symlink_to(target)
    found = find_labeled(root, val_fraction=0)
    assert labels(found, "train") == {"birds/eva": "birds", "cats/tom": "cats", "dogs/rex": "dogs"}


def test_names_that_are_no_text_become_text(fill):
    found = find_labeled(fill("caf\udce9/M\udcf1.png", "esc\x1b/new\nline.png"), val_fraction=0)
    assert labels(found, "train") == {r"caf\xe9/M\xf1": r"caf\xe9", r"esc\x1b/new\nline": r"esc\x1b"}


def test_an_escaped_name_and_one_that_looks_like_it_stay_apart(fill):
    found = find_labeled(fill("M\udcf1.png", r"M\xf1.png"), val_fraction=0)
    assert len(set(found.train.names)) == 2
