"""Inspection of labeled images: content, problems, remedies."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tfgan_app.data.inspection import (
    FileFacts,
    Inspection,
    Problem,
    equal_names,
    leaked_names,
    most_common,
    read_files,
    size_range,
    unusable,
)
from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.opening import open_labeled
from tfgan_app.files import printable
from tfgan_app.image_io.loading import MAX_PIXELS, ImageHeader
from tfgan_app.image_io.value_range import InputRange

_SHOWN_CLASSES = 20
_FEW_IMAGES = 10
_MAX_IMBALANCE = 5
_REMEDIES = {
    "unsorted": "They are beside the class folders and are not used. Move them into the folder of their class.",
    "unreadable": "They are left out. Replace or delete them.",
    "oversized": f"They are left out. Scale them down to at most {MAX_PIXELS} pixels.",
    "duplicate": "They count several times in training. Keep one of each.",
    "in two classes": "The same image has several labels. Keep it in the class it belongs to.",
    "leaked": "The metrics on held-out images will be too good. Delete them from one of the splits.",
    "few images": f"Fewer than {_FEW_IMAGES} training images are memorized. Add images, or leave the class out.",
    "imbalance": f"The largest class has over {_MAX_IMBALANCE} times the images of the smallest. Add to the smallest.",
    "no held-out images": "Metrics cannot be measured. Add images, or raise data.val_fraction.",
}
"""Remedy for each kind of problem."""


@dataclass(frozen=True)
class LabeledInspection(Inspection):
    """Result of `inspect_labeled`: an `Inspection` of images instead of pairs.

    Attributes:
        classes: Class name -> number of images under `"train"` and `"val"`; empty without classes.
    """

    records: ClassVar[str] = "images"

    classes: dict[str, dict[str, int]]

    def _class_lines(self) -> list[str]:
        if not self.classes:
            return []
        lines = [f"  {'classes':17} {len(self.classes)}"]
        for name, counts in list(self.classes.items())[:_SHOWN_CLASSES]:
            lines.append(f"    {name}: {counts['train']} training, {counts['val']} held-out")
        if len(self.classes) > _SHOWN_CLASSES:
            lines.append(f"    ... and {len(self.classes) - _SHOWN_CLASSES} more")
        return lines


def inspect_labeled(
    source: str | Path,
    *,
    val_fraction: float = 0.1,
    seed: int = 0,
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> LabeledInspection:
    """Reads every image of a labeled set and reports its content and problems.

    Args:
        source: Folder, `keras:NAME` or `tfds:NAME[:SPLIT]`.
        val_fraction: Share to hold out by name, in [0, 1], if the source has no split.
        seed: Seed of the choice of held-out images.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of files read and the total.

    Returns:
        A `LabeledInspection`.

    Raises:
        ValueError: If the source cannot be opened.
    """
    found = open_labeled(source, val_fraction=val_fraction, seed=seed)
    train, val = _read(found, input_range=input_range, on_progress=on_progress)
    headers = [facts.header for facts in (*train, *val) if facts.header]
    smallest, largest = size_range((header.width, header.height) for header in headers)
    classes = _class_counts(found)
    return LabeledInspection(
        root=found.origin,
        layout=found.layout,
        train_count=len(found.train),
        val_count=len(found.val),
        val_is_holdout=found.val_is_holdout,
        smallest=smallest,
        largest=largest,
        modes=most_common(header.mode for header in headers),
        formats=most_common(header.format for header in headers),
        ranges=most_common(facts.value_range for facts in (*train, *val) if facts.value_range),
        problems=_problems(found, train, val) + _class_problems(classes),
        classes=classes,
    )


def _read(found: LabeledSet, **options: Any) -> tuple[list[FileFacts], list[FileFacts]]:
    """Returns the facts about each training and each held-out image."""
    if found.train.images is not None:
        return _array_facts(found.train.images), _array_facts(found.val.images)
    files = read_files([*found.train.paths, *found.val.paths], **options)
    return [files[path] for path in found.train.paths], [files[path] for path in found.val.paths]


def _array_facts(images: np.ndarray) -> list[FileFacts]:
    """Returns the facts about the images of an array, which are all usable."""
    height, width, channels = images.shape[1:]
    header = ImageHeader(width, height, "L" if channels == 1 else "RGB", "array", 1, True)
    return [FileFacts(header, None, hashlib.sha256(image.tobytes()).hexdigest()) for image in images]


def _class_counts(found: LabeledSet) -> dict[str, dict[str, int]]:
    count = len(found.class_names)
    if not count:
        return {}
    train, val = (np.bincount(part.labels, minlength=count).tolist() for part in (found.train, found.val))
    return {name: {"train": train[label], "val": val[label]} for label, name in enumerate(found.class_names)}


def _problems(found: LabeledSet, train_facts: list[FileFacts], val_facts: list[FileFacts]) -> list[Problem]:
    """Returns the problems of the images, one item per kind."""
    train, val = _Usable(found.train, train_facts), _Usable(found.val, val_facts)
    by_kind = {
        "unsorted": [printable(path) for path in found.unsorted],
        **unusable([*train_facts, *val_facts]),
        "duplicate": train.equal_in_class() + val.equal_in_class(),
        "in two classes": _in_two_classes([*train.records, *val.records], found.class_names),
        "leaked": leaked_names(train.digests(), val.digests()),
    }
    problems = [Problem(kind, items, _REMEDIES[kind]) for kind, items in by_kind.items() if items]
    if not len(found.val):
        problems.append(Problem("no held-out images", [], _REMEDIES["no held-out images"]))
    return problems


class _Usable:
    """Digest, name and label of the usable images; equal digests mean identical bytes."""

    def __init__(self, images: LabeledImages, facts: Sequence[FileFacts]):
        everything = zip(facts, images.names, images.labels.tolist(), strict=True)
        self.records = [(file.digest, name, label) for file, name, label in everything if not file.problem]

    def digests(self) -> list[tuple[str, str]]:
        return [(digest, name) for digest, name, _ in self.records]

    def equal_in_class(self) -> list[str]:
        return equal_names(((digest, label), name) for digest, name, label in self.records)


def _in_two_classes(records: Sequence[tuple[str, str, int]], class_names: tuple[str, ...]) -> list[str]:
    """Returns the images with more than one label, over all splits."""
    groups: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for digest, name, label in records:
        groups[digest].setdefault(label, name)
    return [
        " = ".join(f"{name} ({class_names[label]})" for label, name in labels.items())
        for labels in groups.values()
        if len(labels) > 1
    ]


def _class_problems(classes: dict[str, dict[str, int]]) -> list[Problem]:
    """Returns the problems of classes: too few images, or imbalance."""
    counts = {name: found["train"] for name, found in classes.items()}
    by_kind = {"few images": [f"{name}: {count}" for name, count in counts.items() if count < _FEW_IMAGES]}
    if counts and max(counts.values()) > _MAX_IMBALANCE * min(counts.values()):
        smallest, largest = min(counts, key=counts.get), max(counts, key=counts.get)
        by_kind["imbalance"] = [f"{largest}: {counts[largest]}, {smallest}: {counts[smallest]}"]
    return [Problem(kind, items, _REMEDIES[kind]) for kind, items in by_kind.items() if items]
