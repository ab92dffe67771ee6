"""Writes selected images as class folders with a manifest, all or nothing."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from tfgan_app.files import write_text
from tfgan_app.inference import class_folders
from tfgan_app.tasks.augment.selection import Selection

MANIFEST, SUMMARY = "manifest.csv", "summary.json"
COLUMNS = (
    "file",
    "class",
    "seed",
    "discriminator_score",
    "confidence",
    "nearest_distance",
    "nearest_training_image",
)


def check_new_folder(folder: Path) -> None:
    """Checks that a folder can be created or is empty; raises ValueError otherwise."""
    if folder.is_dir():
        if any(folder.iterdir()):
            raise ValueError(f"`--output` must be a new or an empty folder. Received: {folder}, which is not empty.")
        return
    if folder.exists() or folder.is_symlink():
        raise ValueError(f"`--output` must be a new or an empty folder. Received: {folder}, which is not a folder.")
    existing = next(parent for parent in folder.resolve().parents if parent.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise ValueError(f"`--output` must be where files can be written. Received: {folder}, below {existing}.")


def write_selection(
    folder: Path,
    selection: Selection,
    *,
    class_names: Sequence[str],
    training_names: Sequence[str],
    checkpoint: str,
) -> None:
    """Writes `CLASS/seed-0000000.png`..., `manifest.csv` and `summary.json`.

    Args:
        folder: A new folder, or an empty one.
        selection: The images.
        class_names: Name of each label.
        training_names: Name of each training image.
        checkpoint: Checkpoint that they were drawn with.

    Raises:
        ValueError: If the folder is not empty.
        OSError: If a file cannot be written; nothing is left then.
    """
    check_new_folder(folder)
    kept, folders = selection.kept, _folders(class_names)
    with _new_folder(folder) as unfinished:
        rows = []
        for name in folders:
            (unfinished / name).mkdir(parents=True)
        for index, (label, seed) in enumerate(zip(kept.labels, kept.seeds, strict=True)):
            file = f"{folders[label]}/seed-{seed:07d}.png"
            (unfinished / file).write_bytes(tf.io.encode_png(kept.images[index]).numpy())
            numbers = (kept.scores[index], kept.confidences[index], kept.distances[index])
            nearest = training_names[kept.nearest[index]]
            rows.append([file, class_names[label], seed, *(f"{number:.6g}" for number in numbers), nearest])
        with (unfinished / MANIFEST).open("w", newline="", encoding="utf-8") as manifest:
            csv.writer(manifest).writerows([COLUMNS, *rows])
        summary = _summary(selection, class_names, checkpoint)
        write_text(unfinished / SUMMARY, f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n")


def _folders(class_names: Sequence[str]) -> list[str]:
    """A folder name for each class, different from the names of the files beside them."""
    return [f"{name}_" if name.lower() in (MANIFEST, SUMMARY) else name for name in class_folders(class_names)]


def _summary(selection: Selection, class_names: Sequence[str], checkpoint: str) -> dict[str, object]:
    limits = selection.thresholds
    return {
        "checkpoint": checkpoint,
        "least_confidence": limits.confidence,
        "duplicate_share_of_copy_distance": limits.duplicate_share,
        "max_draws_per_image": limits.max_draws,
        "classes": {
            name: {"copy_distance": distance, **dataclasses.asdict(count)}
            for name, distance, count in zip(class_names, limits.distances, selection.counts, strict=True)
        },
    }


@contextlib.contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder that replaces `folder`, or moves into it, if the block succeeds."""
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    is_there = folder.is_dir()
    unfinished = (folder if is_there else folder.parent) / f".tmp-{uuid.uuid4().hex}"
    try:
        unfinished.mkdir()
        yield unfinished
        if is_there:
            # It may be mounted or the current directory, which cannot be replaced.
            for path in sorted(unfinished.iterdir()):
                path.rename(folder / path.name)
        else:
            os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
