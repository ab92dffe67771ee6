"""Opens a data source of pictures of any size, whose classes are of no interest."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfgan_app.data.array_sets import LOADING_HINT, TFDS, import_tfds, one_line_errors
from tfgan_app.data.class_folders import find_labelled
from tfgan_app.data.folders import VAL_NAMES
from tfgan_app.data.labelled import LabelledSet
from tfgan_app.data.opening import open_labelled

FEATURES = ("hr", "image")
"""Features of TensorFlow Datasets that are taken, the first that there is: DIV2K has `hr` and `lr`."""


def open_pictures(
    source: str | Path,
    *,
    val_fraction: float = 0.1,
    cache_dir: str | Path | None = None,
    on_note: Callable[[str], Any] = lambda line: None,
) -> LabelledSet:
    """Opens pictures of any mix of sizes.

    Args:
        source: As for `open_labelled`. Sets of TensorFlow Datasets are unpacked into PNG files once, since theirs may
            be of any size and number.
        val_fraction: As for `open_labelled`.
        cache_dir: Where they are unpacked to; by default `tfgan_app/pictures` in the user's cache.
        on_note: Called with a line when that is about to happen.

    Returns:
        A `LabelledSet`.

    Raises:
        ValueError: If the source cannot be opened. One line.
    """
    text = str(source)
    if not text.startswith(TFDS):
        return open_labelled(source, val_fraction=val_fraction)
    name, _, split = text.removeprefix(TFDS).partition(":")
    cache = Path(cache_dir or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tfgan_app/pictures")
    folder = cache / _folder_name(name, split)
    if not folder.is_dir():
        on_note(f"unpacking {text} to {folder}")
        _unpack(name, split, folder, origin=text)
    return find_labelled(folder, val_fraction=val_fraction)


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
            raise ValueError(f"'{origin}' has no split `train`. Give one as {TFDS}{name}:SPLIT: {', '.join(known)}.")
        parts = {"train": split or "train"}
        if not split and (val := next((each for each in VAL_NAMES if each in known), None)):
            parts["val"] = val
        for part, chosen in parts.items():
            with one_line_errors(origin, hint=LOADING_HINT):
                _write_pictures(builder.as_dataset(split=chosen), feature, unfinished / part)
        # Whole or not at all: an interrupted download starts anew.
        os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_pictures(records: tf.data.Dataset, feature: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, record in enumerate(records):
        (folder / f"{number:06d}.png").write_bytes(tf.io.encode_png(record[feature]).numpy())


def _folder_name(name: str, split: str) -> str:
    """One of its own for each set and split, that any file system takes."""
    words = "".join(char if char.isalnum() else " " for char in f"{name} {split}").split()
    return "-".join([*words, hashlib.sha256(f"{name}:{split}".encode()).hexdigest()[:8]])
