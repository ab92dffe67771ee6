from __future__ import annotations

import pytest

from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.pairs import find_pairs


def test_emoji_pairs_ship_with_licence_and_both_splits():
    folder = bundled_path("emoji_pairs")
    assert "Microsoft" in (folder / "LICENSE").read_text()
    assert (folder / "README.md").is_file()
    pairs = find_pairs(folder)
    assert (len(pairs.train), len(pairs.val), pairs.val_is_holdout) == (1500, 94, False)


@pytest.mark.parametrize("name", ["no_such_set", ""])
def test_unknown_name_lists_the_sets_there_are(name):
    with pytest.raises(ValueError, match="Available: .*emoji_pairs"):
        bundled_path(name)
