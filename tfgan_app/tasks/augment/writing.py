"""Writes chosen pictures as class folders with a manifest: whole, or not at all."""

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
    "nearest_training_picture",
)


def check_new_folder(folder: Path) -> None:
    """Raises ValueError when there is something at the place already, other than an empty folder."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise ValueError(f"`--output` must be a new or an empty folder. Received: {folder}, which holds something.")


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
        folder: a new folder, or an empty one.
        selection: the pictures.
        class_names: name of each label.
        training_names: name of each training picture.
        checkpoint: what they were drawn with.

    Raises:
        ValueError: when the folder holds something.
        OSError: when something cannot be written; then nothing is left of it.
    """
    check_new_folder(folder)
    kept, folders = selection.kept, class_folders(class_names)
    with _new_folder(folder) as unfinished:
        rows = []
        for name in folders:
            (unfinished / name).mkdir(parents=True)
        for index, (label, seed) in enumerate(zip(kept.labels, kept.seeds, strict=True)):
            file = f"{folders[label]}/seed-{seed:07d}.png"
            (unfinished / file).write_bytes(tf.io.encode_png(kept.pictures[index]).numpy())
            numbers = (kept.scores[index], kept.confidences[index], kept.distances[index])
            nearest = training_names[kept.nearest[index]]
            rows.append([file, class_names[label], seed, *(f"{number:.6g}" for number in numbers), nearest])
        with (unfinished / MANIFEST).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        summary = _summary(selection, class_names, checkpoint)
        (unfinished / SUMMARY).write_text(f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n", encoding="utf-8")


def _summary(selection: Selection, class_names: Sequence[str], checkpoint: str) -> dict[str, object]:
    limits = selection.thresholds
    return {
        "checkpoint": checkpoint,
        "least_confidence": limits.confidence,
        "duplicate_share_of_copy_distance": limits.duplicate_share,
        "max_draws_per_picture": limits.max_draws,
        "classes": {
            name: {"copy_distance": distance, **dataclasses.asdict(count)}
            for name, distance, count in zip(class_names, limits.distances, selection.counts, strict=True)
        },
    }


@contextlib.contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Gives a folder beside `folder` that takes its place when the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".tmp-{uuid.uuid4().hex}"
    try:
        unfinished.mkdir()
        yield unfinished
        # Of a folder that is there, only an empty one is replaced; Windows replaces none.
        if folder.is_dir():
            folder.rmdir()
        os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
