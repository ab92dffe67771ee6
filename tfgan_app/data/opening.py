"""Data sources: folders, prepared sets, `keras:NAME` and `tfds:NAME[:SPLIT]`."""

from __future__ import annotations

from pathlib import Path

from tfgan_app.data.array_sets import TFDS, open_keras_set, open_tfds_set
from tfgan_app.data.class_folders import find_labeled
from tfgan_app.data.folders import VAL_NAMES, check_val_fraction
from tfgan_app.data.labeled import LabeledSet
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.prepared import LABELED, open_prepared
from tfgan_app.data.record_index import is_prepared
from tfgan_app.data.records import open_records

KERAS = "keras:"
_HALF_NAMES = frozenset(f"{split}{half}" for split in ("", "train", *VAL_NAMES) for half in "ab")


def open_labeled(source: str | Path, *, val_fraction: float = 0.1, seed: int = 0) -> LabeledSet:
    """Opens images with or without classes.

    Args:
        source: A folder (see `tfgan_app.data.class_folders.find_labeled`), one of `tfgan_app prepare`, `keras:NAME`
            for one of `tfgan_app.data.array_sets.KERAS_SETS`, or `tfds:NAME[:SPLIT]` for TensorFlow Datasets.
        val_fraction: Share of each class to hold out, in [0, 1], if the source has no split. The choice depends only
            on names and `seed`, so adding images does not move others between the splits.
        seed: Seed of the choice of held-out images.

    Returns:
        A `LabeledSet`.

    Raises:
        ValueError: If the source cannot be opened. The message is one line.
    """
    check_val_fraction(val_fraction)
    text = str(source)
    if text.startswith(KERAS):
        return open_keras_set(text.removeprefix(KERAS))
    if text.startswith(TFDS):
        return open_tfds_set(text.removeprefix(TFDS), val_fraction=val_fraction, seed=seed)
    if is_prepared(source):
        return open_prepared(open_records(source), LABELED, val_fraction=val_fraction, seed=seed)
    return find_labeled(source, val_fraction=val_fraction, seed=seed)


def holds_pairs(source: str | Path) -> bool:
    """Returns whether a source counts as image pairs rather than labeled images.

    It does if `find_pairs` accepts it and it has no class folders: its images are in one folder and most are at least
    1.5 times as wide as high, or its folders are named as halves of a pair, such as `A/` and `trainB/`. Wide images in
    folders of other names are labeled images, and so are letters in `A/` to `Z/`.

    Args:
        source: Folder, `keras:NAME` or `tfds:NAME[:SPLIT]`.

    Returns:
        True for pairs; False for everything else, including invalid data sources.
    """
    if str(source).startswith((KERAS, TFDS)):
        return False
    if is_prepared(source):
        return bool(open_records(source).facts["holds_pairs"])
    try:
        find_pairs(source)
    except ValueError:
        return False
    try:
        labeled = find_labeled(source)
    except ValueError:
        return True
    return {name.lower() for name in labeled.class_names} <= _HALF_NAMES
