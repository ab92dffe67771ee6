from __future__ import annotations

import pytest

from tfgan_app.data.opening import holds_pairs, open_labeled


@pytest.fixture
def fill(random_image, save, tmp_path):
    """A function that writes an image of one size to each of the given paths in `tmp_path`."""

    def fill_paths(*paths, size=(8, 8)):
        for path in paths:
            save(tmp_path / path, random_image(*size))
        return tmp_path

    return fill_paths


WIDE = (8, 16)


@pytest.mark.parametrize(
    ("paths", "size"),
    [
        (("x.png", "y.png"), WIDE),
        (("x.png", "y.png", "deep/z.png"), WIDE),
        (("train/x.png", "val/y.png"), WIDE),
        (("A/x.png", "B/x.png"), (8, 8)),
        (("trainA/x.png", "trainB/x.png", "testA/y.png", "testB/y.png"), (8, 8)),
        (("train/A/x.png", "train/B/x.png", "val/A/y.png", "val/B/y.png"), (8, 8)),
        (("a/train/x.png", "b/train/x.png"), (8, 8)),
    ],
)
def test_pair_sets_are_known_by_their_folders_or_by_wide_images(fill, paths, size):
    assert holds_pairs(fill(*paths, size=size))


@pytest.mark.parametrize(
    ("paths", "size"),
    [
        (("x.png", "y.png"), (8, 8)),
        (("x.png",), (8, 11)),
        (("cats/x.png", "dogs/y.png"), WIDE),
        (("train/cats/x.png", "val/cats/y.png"), WIDE),
        (("A/x.png", "B/x.png", "C/x.png"), (8, 8)),
        (("A/x.png", "B/y.png"), (8, 8)),
        ((), WIDE),
    ],
)
def test_everything_else_is_labeled(fill, tmp_path, paths, size):
    fill(*paths, size=size)
    assert not holds_pairs(tmp_path)


def test_arrays_and_missing_folders_hold_no_pairs(tmp_path):
    assert not any(map(holds_pairs, ["keras:mnist", "tfds:mnist", tmp_path / "nowhere"]))


def test_folders_open_as_text_or_path(fill):
    root = fill("cats/x.png", "dogs/y.png")
    for source in (root, str(root)):
        found = open_labeled(source)
        assert (found.class_names, found.origin) == (("cats", "dogs"), str(root))


def test_val_fraction_and_seed_choose_what_is_held_out(fill):
    root = fill(*(f"{i}.png" for i in range(40)))
    chosen = [open_labeled(root, val_fraction=0.4, seed=seed).val.names for seed in (0, 1)]
    assert chosen[0] != chosen[1]
    assert all(8 <= len(names) <= 24 for names in chosen)


@pytest.mark.parametrize("val_fraction", [-0.1, 1.5])
def test_val_fraction_is_checked(tmp_path, val_fraction):
    with pytest.raises(ValueError, match=f"val_fraction.*Received: {val_fraction}"):
        open_labeled(tmp_path, val_fraction=val_fraction)
