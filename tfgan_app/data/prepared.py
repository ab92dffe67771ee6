"""Labeled images and images without classes from a prepared set."""

from __future__ import annotations

import numpy as np

from tfgan_app.data.folders import hold_out_by_draw
from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.records import RecordFiles, RecordStore

LABELED, IMAGES = "labeled", "images"
"""Names of the views of a prepared set: as `find_labeled` and as `open_images` find its images."""


def open_prepared(store: RecordStore, kind: str, *, val_fraction: float, seed: int = 0) -> LabeledSet:
    """Opens the images of a prepared set: the same names, labels, order and splits as those of its source.

    Args:
        store: The set.
        kind: `LABELED` or `IMAGES`.
        val_fraction: Share of each class to hold out, in [0, 1], if the source had no split.
        seed: Seed of the choice of held-out images.

    Raises:
        ValueError: If the source had no such images; the message is that for the source.
    """
    facts = store.view(kind)
    train = _split(store, f"{kind}.train")
    if is_holdout := "val" not in facts["splits"]:
        draws = store.draws(f"{kind}.train", seed=seed)
        held_out = hold_out_by_draw(draws, train.labels, fraction=val_fraction)
        parts = train.select(np.flatnonzero(~held_out)), train.select(np.flatnonzero(held_out))
    else:
        parts = train, _split(store, f"{kind}.val")
    return LabeledSet(
        facts["layout"], str(store.folder), tuple(facts["class_names"]), *parts, is_holdout, facts["gray"]
    )


def _split(store: RecordStore, prefix: str) -> LabeledImages:
    files = RecordFiles(store, store.column(f"{prefix}.row"))
    labels = np.array(store.column(f"{prefix}.label"), np.int32)
    return LabeledImages(list(store.texts(f"{prefix}.name")), labels, paths=files)
