"""Data sources of images of any size, without classes."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.caches import cache_folder
from tfgan_app.data.array_sets import LOADING_HINT, TFDS, import_tfds, one_line_errors
from tfgan_app.data.class_folders import find_splits
from tfgan_app.data.folders import VAL_NAMES, check_val_fraction, unique_names
from tfgan_app.data.labeled import NO_LABEL, LabeledImages, LabeledSet, hold_out
from tfgan_app.data.opening import KERAS, open_labeled
from tfgan_app.data.prepared import IMAGES, open_prepared
from tfgan_app.data.record_index import is_prepared
from tfgan_app.data.records import open_records
from tfgan_app.files import printable
from tfgan_app.image_io.loading import IMAGE_SUFFIXES, find_images

FEATURES = ("hr", "image")
"""Image features of TensorFlow Datasets in order of preference; DIV2K has `hr` and `lr`."""


def open_images(
    source: str | Path,
    *,
    val_fraction: float = 0.1,
    cache_dir: str | Path | None = None,
    suffixes: Set[str] = IMAGE_SUFFIXES,
    on_note: Callable[[str], Any] = lambda line: None,
) -> LabeledSet:
    """Opens images of any mix of sizes.

    Args:
        source: Folder, `keras:NAME` or `tfds:NAME[:SPLIT]`. Sub-folders are not classes; `train/` and `val/` are
            splits. Sets of TensorFlow Datasets are unpacked to PNG files once, because their images may have any size
            and number.
        val_fraction: Share to hold out by name, in [0, 1], if the source has no split.
        cache_dir: Folder for unpacked sets; by default `tfgan_app/images` in the user's cache.
        suffixes: Lower-case suffixes of the files that are images.
        on_note: Called with a line before a set is unpacked.

    Returns:
        A `LabeledSet`.

    Raises:
        ValueError: If the source cannot be opened. The message is one line.
    """
    text = str(source)
    if text.startswith(KERAS):
        return open_labeled(source, val_fraction=val_fraction)
    if not text.startswith(TFDS):
        return _find_all(Path(source), val_fraction=val_fraction, suffixes=suffixes)
    name, _, split = text.removeprefix(TFDS).partition(":")
    folder = Path(cache_dir or cache_folder("images")) / _folder_name(name, split)
    if not folder.is_dir():
        on_note(f"unpacking {text} to {folder}")
        _unpack(name, split, folder, origin=text)
    return _find_all(folder, val_fraction=val_fraction, suffixes=suffixes)


def _find_all(root: Path, *, val_fraction: float, suffixes: Set[str]) -> LabeledSet:
    """Returns all images in a folder and its sub-folders; `train/` and `val/` are splits."""
    check_val_fraction(val_fraction)
    if not root.is_dir():
        raise ValueError(
            f"There is no folder '{printable(root)}'. Expected a folder of images, or one with train/ and val/."
        )
    if is_prepared(root):
        return open_prepared(open_records(root), IMAGES, val_fraction=val_fraction)
    train_folder, val_folder = find_splits(root)
    train = _all_images(train_folder, suffixes)
    if not len(train):
        raise ValueError(
            f"There is no image in '{printable(train_folder)}'. Expected images, or folders train/ and val/ of images."
        )
    if val_folder is not None:
        return LabeledSet("train/ and val/", str(root), (), train, _all_images(val_folder, suffixes), False, False)
    parts = hold_out(train, fraction=val_fraction, seed=0)
    return LabeledSet("images", str(root), (), *parts, True, False)


def _all_images(folder: Path, suffixes: Set[str]) -> LabeledImages:
    names = dict(sorted(unique_names(find_images(folder, suffixes=suffixes), folder).items()))
    return LabeledImages(list(names), np.full(len(names), NO_LABEL, np.int32), paths=list(names.values()))


def _unpack(name: str, split: str, folder: Path, *, origin: str) -> None:
    tfds = import_tfds()
    unfinished = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        with one_line_errors(origin, hint=LOADING_HINT):
            builder = tfds.builder(name)
            builder.download_and_prepare()
            known, features = list(builder.info.splits), set(builder.info.features.keys())
        feature = next((known for known in FEATURES if known in features), None)
        if feature is None:
            found = ", ".join(sorted(features))
            raise ValueError(f"'{origin}' has no feature `hr` or `image`. It has: {found}.")
        if not split and "train" not in known:
            raise ValueError(f"'{origin}' has no split `train`. Use {TFDS}{name}:SPLIT, one of: {', '.join(known)}.")
        parts = {"train": split or "train"}
        if not split and (val := next((each for each in VAL_NAMES if each in known), None)):
            parts["val"] = val
        for part, chosen in parts.items():
            with one_line_errors(origin, hint=LOADING_HINT):
                _write_images(builder.as_dataset(split=chosen), feature, unfinished / part)
        # Atomic; another process may have been faster.
        if not folder.is_dir():
            os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_images(records: tf.data.Dataset, feature: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, record in enumerate(records):
        (folder / f"{number:06d}.png").write_bytes(tf.io.encode_png(record[feature]).numpy())


def _folder_name(name: str, split: str) -> str:
    """Returns a folder name, unique for a set and split, that is valid on any file system."""
    words = "".join(char if char.isalnum() else " " for char in f"{name} {split}").split()
    return "-".join([*words, hashlib.sha256(f"{name}:{split}".encode()).hexdigest()[:8]])
