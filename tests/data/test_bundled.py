from __future__ import annotations

from collections import Counter

import pytest

from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.captions import with_captions
from tfgan_app.data.labeled_inspection import inspect_labeled
from tfgan_app.data.opening import holds_pairs, open_labeled
from tfgan_app.data.pairs import find_pairs


def test_emoji_pairs_ship_with_license_and_both_splits():
    folder = bundled_path("emoji_pairs")
    assert "Microsoft" in (folder / "LICENSE").read_text()
    assert (folder / "README.md").is_file()
    pairs = find_pairs(folder)
    assert (len(pairs.train), len(pairs.val), pairs.val_is_holdout) == (1500, 94, False)


def test_emoji_captions_ship_with_license_and_a_name_for_each_image():
    folder = bundled_path("emoji_captions")
    assert "Microsoft" in (folder / "LICENSE").read_text()
    found = with_captions(open_labeled(folder))
    assert (len(found.images.train), len(found.images.val), found.without) == (1500, 93, 0)
    assert len(found.captions) == 1593 and "red paper lantern" in found.captions


def test_fashion_ships_with_license_and_both_splits_of_ten_classes():
    folder = bundled_path("fashion")
    assert "Copyright (c) 2017 Zalando SE" in (folder / "LICENSE").read_text()
    assert "arXiv:1708.07747" in (folder / "README.md").read_text()
    assert not holds_pairs(folder)
    found = open_labeled(folder)
    assert set(found.class_names) == {
        *("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
    }
    assert (found.gray, found.val_is_holdout) == (True, False)
    assert Counter(found.train.labels.tolist()) == dict.fromkeys(range(10), 300)
    assert Counter(found.val.labels.tolist()) == dict.fromkeys(range(10), 100)


def test_fashion_is_small_gray_and_clean():
    inspection = inspect_labeled(bundled_path("fashion"))
    assert (inspection.modes, inspection.formats) == ({"L": 4000}, {"PNG": 4000})
    assert inspection.smallest == inspection.largest == (28, 28)
    assert inspection.problems == []


@pytest.mark.parametrize("name", ["no_such_set", ""])
def test_unknown_name_lists_the_sets_there_are(name):
    with pytest.raises(ValueError, match="Available: .*emoji_captions, emoji_pairs, fashion"):
        bundled_path(name)
