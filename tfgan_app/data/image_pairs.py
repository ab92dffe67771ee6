"""Image pairs: two images of one scene, in files or in the records of a prepared set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.data.folders import hold_out_by_draw
from tfgan_app.data.records import RecordFiles, RecordStore

PAIRS = "pairs"
"""Name of the view of pairs in a prepared set."""


@dataclass(frozen=True)
class ImagePair:
    """An input image and its target.

    Attributes:
        name: Path within the split without suffix, with forward slashes: `"cats/tom"`. Unique in its split.
        input_path: File that holds the input.
        target_path: File that holds the target; the same file for side-by-side images.
        input_half: Half of the file that is the input: `"left"`, `"right"`, or None for the whole image.
        target_half: The same for the target.
    """

    name: str
    input_path: Path
    target_path: Path
    input_half: str | None = None
    target_half: str | None = None


@dataclass(frozen=True)
class PairSet:
    """The pairs found in a folder.

    Attributes:
        layout: Description of the layout of the folder.
        root: The folder.
        train: Training pairs, sorted by name.
        val: Held-out pairs, sorted by name.
        val_is_holdout: Whether `val` was split off by name, because the folder has no split.
        unmatched: Images without a partner, and images that are too narrow for two halves.
    """

    layout: str
    root: Path
    train: Sequence[ImagePair]
    val: Sequence[ImagePair]
    val_is_holdout: bool
    unmatched: list[Path]


class RecordPairs(Sequence):
    """Pairs of records, without an object for each.

    Args:
        names: Name of each pair.
        inputs: The records that hold the inputs.
        targets: The records that hold the targets.
        halves: Halves of the records that are input and target, see `ImagePair`.
    """

    def __init__(
        self,
        names: Sequence[str],
        inputs: RecordFiles,
        targets: RecordFiles,
        halves: tuple[str | None, str | None],
    ):
        self.names = names
        self.inputs = inputs
        self.targets = targets
        self.halves = halves

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self._pair(self.names[index], self.inputs[index], self.targets[index])

    def __iter__(self) -> Iterator[ImagePair]:
        return map(self._pair, self.names, self.inputs, self.targets)

    def take(self, indices: Sequence[int] | np.ndarray) -> RecordPairs:
        """Returns the pairs at `indices`, in that order."""
        names = [self.names[i] for i in np.asarray(indices, np.int64).tolist()]
        return RecordPairs(names, self.inputs.take(indices), self.targets.take(indices), self.halves)

    def reversed_direction(self) -> RecordPairs:
        """Returns the pairs with input and target exchanged."""
        return RecordPairs(self.names, self.targets, self.inputs, self.halves[::-1])

    def problems(self) -> dict[int, str]:
        """Returns the problem of each pair that cannot be used, by its position."""
        return {**self.targets.problems(), **self.inputs.problems()}

    def _pair(self, name: str, input_file: Any, target_file: Any) -> ImagePair:
        return ImagePair(name, input_file, target_file, *self.halves)


def open_prepared_pairs(store: RecordStore, *, direction: str, val_fraction: float, seed: int) -> PairSet:
    """Opens the pairs of a prepared set as `find_pairs` does those of the folder that it was made of.

    Args:
        store: The set.
        direction: `"a2b"` or `"b2a"`.
        val_fraction: Share of the pairs to hold out if the source had no split.
        seed: Seed of the choice of held-out pairs.

    Raises:
        ValueError: If the source held no pairs; the message is that for the source.
    """
    facts = store.view(PAIRS)

    def split(name: str) -> RecordPairs:
        inputs, targets = (RecordFiles(store, store.column(f"{PAIRS}.{name}.{side}")) for side in ("input", "target"))
        input_half, target_half = facts["halves"]
        return RecordPairs(store.texts(f"{PAIRS}.{name}.name"), inputs, targets, (input_half, target_half))

    train = split("train")
    if is_holdout := "val" not in facts["splits"]:
        draws = store.draws(f"{PAIRS}.train", seed=seed)
        held_out = hold_out_by_draw(draws, np.zeros(len(draws)), fraction=val_fraction)
        train, val = train.take(np.flatnonzero(~held_out)), train.take(np.flatnonzero(held_out))
    else:
        val = split("val")
    if direction == "b2a":
        train, val = train.reversed_direction(), val.reversed_direction()
    unmatched = [Path(path) for path in facts["unmatched"]]
    return PairSet(facts["layout"], store.folder, train, val, is_holdout, unmatched)


def pair_names(pairs: Sequence[ImagePair]) -> Sequence[str]:
    """Returns the names of pairs."""
    return pairs.names if isinstance(pairs, RecordPairs) else [pair.name for pair in pairs]


def input_files(pairs: Sequence[ImagePair]) -> Sequence[Any]:
    """Returns the files that hold the inputs of pairs."""
    return pairs.inputs if isinstance(pairs, RecordPairs) else [pair.input_path for pair in pairs]


def target_files(pairs: Sequence[ImagePair]) -> Sequence[Any]:
    """Returns the files that hold the targets of pairs."""
    return pairs.targets if isinstance(pairs, RecordPairs) else [pair.target_path for pair in pairs]


def pair_halves(pairs: Sequence[ImagePair]) -> set[tuple[str | None, str | None]]:
    """Returns the distinct halves of input and target in pairs."""
    if isinstance(pairs, RecordPairs):
        return {pairs.halves}
    return {(pair.input_half, pair.target_half) for pair in pairs}
