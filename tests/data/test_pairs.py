from __future__ import annotations

import unicodedata

import pytest

from tfgan_app.data.pairs import find_pairs


@pytest.fixture
def fill(random_image, save):
    """A function that fills a folder with images of the given names."""

    def fill_folder(root, names, *, size=(8, 8), suffix=".png"):
        for name in names:
            save(root / f"{name}{suffix}", random_image(*size))

    return fill_folder


def names(pairs):
    return [pair.name for pair in pairs]


def test_side_by_side_images_are_cut_into_left_and_right(fill, tmp_path):
    fill(tmp_path, ["one", "two", "deep/three"], size=(8, 16))
    pairs = find_pairs(tmp_path, val_fraction=0)
    assert names(pairs.train) == ["deep/three", "one", "two"]
    assert {(pair.input_half, pair.target_half) for pair in pairs.train} == {("left", "right")}
    assert all(pair.input_path == pair.target_path for pair in pairs.train)


def test_b2a_swaps_halves_and_files(fill, tmp_path):
    fill(tmp_path / "halves", ["x"], size=(8, 16))
    fill(tmp_path / "files/A", ["x"])
    fill(tmp_path / "files/B", ["x"])
    (halves,) = find_pairs(tmp_path / "halves", direction="b2a").train
    (files,) = find_pairs(tmp_path / "files", direction="b2a").train
    assert (halves.input_half, halves.target_half) == ("right", "left")
    assert (files.input_path.parent.name, files.target_path.parent.name) == ("B", "A")


@pytest.mark.parametrize(
    ("train", "val"),
    [
        (("trainA", "trainB"), ("valA", "valB")),
        (("trainA", "trainB"), ("testA", "testB")),
        (("TRAINa", "trainb"), ("VALA", "valb")),
        (("train/A", "train/B"), ("val/A", "val/B")),
        (("Train/a", "Train/b"), ("test/a", "test/b")),
        (("A/train", "B/train"), ("A/val", "B/val")),
    ],
)
def test_folder_splits(fill, tmp_path, train, val):
    for folder in train:
        fill(tmp_path / folder, ["x", "y"])
    for folder in val:
        fill(tmp_path / folder, ["z"])
    pairs = find_pairs(tmp_path)
    assert (names(pairs.train), names(pairs.val), pairs.val_is_holdout) == (["x", "y"], ["z"], False)
    assert [pairs.val[0].input_path.parent, pairs.val[0].target_path.parent] == [tmp_path / f for f in val]


def test_side_by_side_splits(fill, tmp_path):
    fill(tmp_path / "train", ["x"], size=(8, 16))
    fill(tmp_path / "val", ["y"], size=(8, 16))
    pairs = find_pairs(tmp_path)
    assert (names(pairs.train), names(pairs.val)) == (["x"], ["y"])


@pytest.mark.parametrize("folders", [("A", "B"), ("trainA", "trainB"), ("train/A", "train/B"), ("A/train", "B/train")])
def test_without_a_split_some_pairs_are_held_out(fill, tmp_path, folders):
    for folder in folders:
        fill(tmp_path / folder, [f"p{i}" for i in range(10)])
    pairs = find_pairs(tmp_path, val_fraction=0.3)
    assert pairs.val_is_holdout
    assert len(pairs.val) >= 1
    assert sorted(names(pairs.train) + names(pairs.val)) == [f"p{i}" for i in range(10)]


def test_hold_out_is_seeded_and_stays_when_pairs_are_added(fill, tmp_path):
    for side in "AB":
        fill(tmp_path / side, [f"p{i}" for i in range(60)], size=(1, 1))
    before = find_pairs(tmp_path, val_fraction=0.3)
    assert before == find_pairs(tmp_path, val_fraction=0.3)
    assert names(before.val) != names(find_pairs(tmp_path, val_fraction=0.3, seed=1).val)
    for side in "AB":
        fill(tmp_path / side, [f"q{i}" for i in range(20)], size=(1, 1))
    after = find_pairs(tmp_path, val_fraction=0.3)
    assert set(names(before.val)) <= set(names(after.val))
    assert set(names(before.train)) <= set(names(after.train))


def test_two_pairs_give_one_of_each_and_a_single_pair_is_trained_on(fill, tmp_path):
    fill(tmp_path, ["x", "y"], size=(8, 16))
    pairs = find_pairs(tmp_path, val_fraction=0.0001)
    assert (len(pairs.train), len(pairs.val)) == (1, 1)
    (tmp_path / "y.png").unlink()
    pairs = find_pairs(tmp_path)
    assert (len(pairs.train), len(pairs.val)) == (1, 0)


def test_names_match_across_suffixes_folders_and_unicode_forms(fill, tmp_path):
    fill(tmp_path / "A", ["tief/Größe", unicodedata.normalize("NFD", "é"), "絵 1", "only_a", "v1.2"])
    fill(
        tmp_path / "B",
        ["tief/Größe", unicodedata.normalize("NFC", "é"), "絵 1", "only_b", "v1.2"],
        suffix=".jpg",
    )
    fill(tmp_path / "A", ["絵 1"], suffix=".bmp")
    pairs = find_pairs(tmp_path, val_fraction=0)
    assert names(pairs.train) == sorted(["tief/Größe", "é", "絵 1", "v1.2"])
    assert len(pairs.unmatched) == 3
    assert {path.stem for path in pairs.unmatched} == {"only_a", "only_b", "絵 1"}


def test_images_that_cannot_be_halved_are_unmatched_and_equal_stems_stay_apart(fill, tmp_path):
    fill(tmp_path, ["x", "y", "z"], size=(8, 16))
    fill(tmp_path, ["x"], size=(8, 16), suffix=".jpg")
    fill(tmp_path, ["square"], size=(8, 8))
    fill(tmp_path, ["odd"], size=(8, 17))
    pairs = find_pairs(tmp_path, val_fraction=0)
    assert len(set(names(pairs.train))) == 4
    assert [path.name for path in pairs.unmatched] == ["odd.png", "square.png"]


def test_damaged_images_are_kept_to_be_reported_later(fill, tmp_path):
    fill(tmp_path, ["x", "y"], size=(8, 16))
    (tmp_path / "empty.png").touch()
    assert names(find_pairs(tmp_path, val_fraction=0).train) == ["empty", "x", "y"]


@pytest.mark.parametrize("folders", [["A"], ["B"], ["trainA"], ["train/B"], ["photos"], []])
def test_anything_else_is_one_line_with_the_accepted_layouts(fill, tmp_path, folders):
    for folder in folders:
        fill(tmp_path / folder, ["x"])
    with pytest.raises(ValueError, match="side-by-side.*A/ and B/.*trainA/.*train/") as error:
        find_pairs(tmp_path)
    assert "\n" not in str(error.value)


def test_folders_without_a_common_name_are_refused(fill, tmp_path):
    fill(tmp_path / "A", ["x"])
    fill(tmp_path / "B", ["y"])
    with pytest.raises(ValueError, match="partner of the same name"):
        find_pairs(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "ab"}, "a2b, b2a. Received: 'ab'"),
        ({"val_fraction": 1.5}, "val_fraction.*Received: 1.5"),
        ({"val_fraction": -0.1}, "val_fraction.*Received: -0.1"),
    ],
)
def test_options_are_checked(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        find_pairs(tmp_path, **options)


def test_missing_folder_and_file_are_named(random_image, save, tmp_path):
    file = save(tmp_path / "x.png", random_image(8, 16))
    for path in (file, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=path.name):
            find_pairs(path)
