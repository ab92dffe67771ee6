"""Inspection of unpaired images: content, problems, remedies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

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
from tfgan_app.data.unpaired import ImageSide, UnpairedSet, open_unpaired
from tfgan_app.image_io.loading import MAX_PIXELS
from tfgan_app.image_io.value_range import InputRange

_FEW_IMAGES = 100
_REMEDIES = {
    "unreadable": "They are left out. Replace or delete them.",
    "oversized": f"They are left out. Scale them down to at most {MAX_PIXELS} pixels.",
    "duplicate": "They count several times in training. Keep one of each.",
    "leaked": "The metrics on held-out images will be too good. Delete them from one of the splits.",
    "in both sets": "The same image is in both sets. Delete it from one of them.",
    "few images": f"Fewer than {_FEW_IMAGES} training images of a set are memorized. Add images.",
    "no held-out images": "Metrics cannot be measured. Add images, or raise data.val_fraction.",
}
"""Remedy for each kind of problem."""


@dataclass(frozen=True)
class UnpairedInspection(Inspection):
    """Result of `inspect_unpaired`: an `Inspection` of images instead of pairs.

    Attributes:
        sets: `"A"` and `"B"` -> number of images under `"train"` and `"val"`.
        true_pairs: Number of held-out images of A with an equal name in B, which counts as the true translation.
    """

    records: ClassVar[str] = "images"

    sets: dict[str, dict[str, int]]
    true_pairs: int

    def _class_lines(self) -> list[str]:
        counts = [f"    {name}: {n['train']} training, {n['val']} held-out" for name, n in self.sets.items()]
        return [
            "  two sets          not paired: `tfgan_app train --task translate` trains on them as they are",
            *counts,
            f"    with equal names: {self.true_pairs} held-out, measured as true pairs",
        ]


def inspect_unpaired(
    source: str | Path,
    *,
    val_fraction: float = 0.1,
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> UnpairedInspection:
    """Reads every image of two sets and reports their content and problems.

    Args:
        source: Folder in one of `tfgan_app.data.unpaired.ACCEPTED_LAYOUTS`, or `tfds:NAME`.
        val_fraction: Share of each side to hold out by name, in [0, 1], if the source has no split.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of files read and the total.

    Returns:
        An `UnpairedInspection`.

    Raises:
        ValueError: If the source cannot be opened.
    """
    found = open_unpaired(source, val_fraction=val_fraction)
    sides = {
        "A": {"train": found.train_input, "val": found.val_input},
        "B": {"train": found.train_target, "val": found.val_target},
    }
    paths = [path for parts in sides.values() for side in parts.values() for path in side.images.paths]
    files = read_files(list(dict.fromkeys(paths)), input_range=input_range, on_progress=on_progress)
    headers = [facts.header for facts in files.values() if facts.header]
    smallest, largest = size_range((header.width, header.height) for header in headers)
    counts = {name: {part: len(side) for part, side in parts.items()} for name, parts in sides.items()}
    return UnpairedInspection(
        root=found.origin,
        layout=found.layout,
        train_count=sum(each["train"] for each in counts.values()),
        val_count=sum(each["val"] for each in counts.values()),
        val_is_holdout=found.val_is_holdout,
        smallest=smallest,
        largest=largest,
        modes=most_common(header.mode for header in headers),
        formats=most_common(header.format for header in headers),
        ranges=most_common(facts.value_range for facts in files.values() if facts.value_range),
        problems=_problems(found, sides, files),
        sets=counts,
        true_pairs=len(set(found.val_input.images.names) & set(found.val_target.images.names)),
    )


def _problems(found: UnpairedSet, sides: dict[str, dict[str, ImageSide]], files: dict[Path, FileFacts]):
    """Returns the problems of the sets, one item per kind."""
    digests = {
        name: {part: _digests(side, files, prefix=name) for part, side in parts.items()}
        for name, parts in sides.items()
    }
    both = [[*digests[name]["train"], *digests[name]["val"]] for name in sides]
    by_kind = {
        **unusable(files.values()),
        "duplicate": [line for parts in digests.values() for part in parts.values() for line in equal_names(part)],
        "leaked": [line for parts in digests.values() for line in leaked_names(parts["train"], parts["val"])],
        "in both sets": leaked_names(*both),
        "few images": [
            f"{name}: {len(parts['train'])}" for name, parts in sides.items() if len(parts["train"]) < _FEW_IMAGES
        ],
    }
    problems = [Problem(kind, items, _REMEDIES[kind]) for kind, items in by_kind.items() if items]
    if not len(found.val_input) or not len(found.val_target):
        problems.append(Problem("no held-out images", [], _REMEDIES["no held-out images"]))
    return problems


def _digests(side: ImageSide, files: dict[Path, FileFacts], *, prefix: str) -> list[tuple[str, str]]:
    """Returns digest and name of the usable images; equal digests mean identical bytes."""
    named = zip(side.images.names, side.images.paths, strict=True)
    return [(files[path].digest, f"{prefix}/{name}") for name, path in named if not files[path].problem]
