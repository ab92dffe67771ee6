"""Unpaired images: two sets such as horses and zebras."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.data.array_sets import LOADING_HINT, TFDS, import_tfds, one_line_errors
from tfgan_app.data.folders import VAL_NAMES, check_val_fraction, folders_by_name, held_out_names, unique_names
from tfgan_app.data.image_pairs import ImagePair
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import NO_LABEL, LabeledImages
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.record_index import is_prepared
from tfgan_app.files import printable
from tfgan_app.image_io.loading import find_images

ACCEPTED_LAYOUTS = (
    "trainA/ and trainB/ (with valA/ and valB/, or testA/ and testB/)",
    "A/ and B/ (with train/ and val/ or test/ in each, or none)",
    "train/ (with val/ or test/) that contain A/ and B/",
    "side-by-side A|B images, of which one half each is used",
    "tfds:NAME with the splits trainA and trainB",
)
"""Accepted layouts of unpaired images."""

_SPLITS = ("train", *VAL_NAMES)
_FOLDER_NAMES = {"a", "b", *_SPLITS, *(f"{split}{side}" for split in _SPLITS for side in "ab")}


@dataclass(frozen=True, eq=False)
class ImageSide:
    """One of two sets of images.

    Attributes:
        images: Their files, in a fixed order.
        half: The half of each file that is used, `"left"` or `"right"`, or None for the whole image.
    """

    images: LabeledImages
    half: str | None = None

    def __len__(self) -> int:
        return len(self.images)

    def select(self, indices: Sequence[int]) -> ImageSide:
        """Returns the images at `indices`, in that order."""
        return ImageSide(self.images.select(indices), self.half)


@dataclass(frozen=True, eq=False)
class UnpairedSet:
    """Two sets of images for unpaired translation.

    Attributes:
        layout: Description of the layout of the source.
        origin: The source, as given.
        train_input: Training images of the input domain.
        train_target: Training images of the target domain.
        val_input: Held-out images of the input domain.
        val_target: Held-out images of the target domain. Images with equal names in both are true pairs.
        val_is_holdout: Whether they were split off by name, because the source has no split.
    """

    layout: str
    origin: str
    train_input: ImageSide
    train_target: ImageSide
    val_input: ImageSide
    val_target: ImageSide
    val_is_holdout: bool


def open_unpaired(
    source: str | Path,
    *,
    direction: str = "a2b",
    val_fraction: float = 0.1,
    cache_dir: str | Path | None = None,
    on_note: Callable[[str], Any] = lambda line: None,
) -> UnpairedSet:
    """Opens two sets of images in any accepted layout.

    For side-by-side images, training uses the left halves of some files and the right halves of all others, so that
    both halves of a file are never used; the choice depends only on names. Held-out pairs stay pairs.

    Args:
        source: Folder in one of `ACCEPTED_LAYOUTS`, or `tfds:NAME`.
        direction: `"a2b"` uses A as the input, `"b2a"` uses B.
        val_fraction: Share of each side to hold out by name, in [0, 1], if the source has no split.
        cache_dir: Folder for unpacked sets of TensorFlow Datasets; None for the user's cache.
        on_note: Called with a line before a set is unpacked.

    Returns:
        An `UnpairedSet` with at least one training image on each side, unless `val_fraction` is 1.

    Raises:
        ValueError: If the source has none of the layouts. The message is one line.
    """
    if direction not in ("a2b", "b2a"):
        raise ValueError(f"`direction` must be a2b or b2a. Received: '{direction}'.")
    check_val_fraction(val_fraction)
    if str(source).startswith(TFDS):
        found = _open_tfds(str(source), cache_dir=cache_dir, on_note=on_note)
    else:
        found = _find_in_folder(Path(source), val_fraction=val_fraction)
    all_held_out = val_fraction == 1.0 and found.val_input is not None
    if not all_held_out and not (len(found.train_input) and len(found.train_target)):
        counts = f"{len(found.train_input)} of A and {len(found.train_target)} of B"
        raise ValueError(f"'{printable(source)}' must contain training images of both sets. Received: {counts}.")
    if found.val_input is None:
        found = _hold_out(found, fraction=val_fraction)
    return found if direction == "a2b" else _swapped(found)


def matching_share(root: str | Path) -> float | None:
    """Returns the share of images in the smaller of two training folders with an equal name in the other.

    Args:
        root: Folder.

    Returns:
        The share in [0, 1]; None if the folder does not contain two sets of images.
    """
    root = Path(root)
    folders = _two_folders(root) if root.is_dir() and not is_prepared(root) else None
    if folders is None:
        return None
    names = [set(_images(folder).names) for folder in folders.train]
    return len(names[0] & names[1]) / max(1, min(map(len, names)))


def holds_unpaired(source: str | Path) -> bool:
    """Returns whether a source counts as unpaired images: two folders whose names mostly do not match.

    Args:
        source: Folder, or `tfds:NAME`.
    """
    if str(source).startswith(TFDS):
        return str(source).removeprefix(TFDS).startswith("cycle_gan")
    share = matching_share(source)
    # Letters in A/ to Z/ are labeled images.
    return share is not None and share < 0.5 and folders_by_name(Path(source)).keys() <= _FOLDER_NAMES


@dataclass(frozen=True)
class _Folders:
    """Folders of A and B, with a description of their layout."""

    layout: str
    train: tuple[Path, Path]
    val: tuple[Path, Path] | None


def _two_folders(root: Path) -> _Folders | None:
    """Returns the folders of the two sets, or None."""
    named = folders_by_name(root)
    if "traina" in named and "trainb" in named:
        split = next((name for name in VAL_NAMES if f"{name}a" in named and f"{name}b" in named), None)
        layout = f"trainA/, trainB/ and {split}A/, {split}B/" if split else "trainA/ and trainB/"
        val = (named[f"{split}a"], named[f"{split}b"]) if split else None
        return _Folders(layout, (named["traina"], named["trainb"]), val)
    if {"a", "b"} <= named.keys():
        inner = [folders_by_name(named[side]) for side in "ab"]
        splits = [name for name in _SPLITS if all(name in folders for folders in inner)]
        if "train" not in splits:
            return _Folders("A/ and B/", (named["a"], named["b"]), None)
        parts = [(inner[0][split], inner[1][split]) for split in splits[:2]]
        layout = f"A/ and B/, each with {'/ and '.join(splits[:2])}/"
        return _Folders(layout, parts[0], parts[1] if len(parts) == 2 else None)
    if "train" in named:
        splits = ["train", *(name for name in VAL_NAMES if name in named)][:2]
        inner = [folders_by_name(named[split]) for split in splits]
        if all(folders.keys() == {"a", "b"} for folders in inner):
            parts = [(folders["a"], folders["b"]) for folders in inner]
            layout = f"{'/ and '.join(splits)}/ with A/ and B/"
            return _Folders(layout, parts[0], parts[1] if len(parts) == 2 else None)
    return None


def _find_in_folder(root: Path, *, val_fraction: float) -> UnpairedSet:
    if is_prepared(root):
        raise ValueError(f"Sets without pairs are read from folders. '{printable(root)}' is a prepared set.")
    if not root.is_dir():
        raise ValueError(f"The data must be a folder of two sets of images. There is no folder '{printable(root)}'.")
    folders = _two_folders(root)
    if folders is not None:
        train = [ImageSide(_images(folder)) for folder in folders.train]
        val = [ImageSide(_images(folder)) for folder in folders.val] if folders.val else None
        return _unpaired_set(folders.layout, str(root), train, val=val, val_is_holdout=val is None)
    try:
        pairs = find_pairs(root, val_fraction=val_fraction)
    except ValueError:
        raise ValueError(
            f"'{printable(root)}' does not contain two sets of images. Accepted: {'; '.join(ACCEPTED_LAYOUTS)}."
        ) from None
    sides = [[pair for pair in pairs.train if _is_of_a(pair.name) == of_a] for of_a in (True, False)]
    train = [_side(part, side) for part, side in zip(sides, ("input", "target"), strict=True)]
    val = [_side(pairs.val, side) for side in ("input", "target")]
    layout = f"halves of {pairs.layout}"
    return _unpaired_set(layout, str(root), train, val=val, val_is_holdout=pairs.val_is_holdout)


def _unpaired_set(
    layout: str, origin: str, train: Sequence[ImageSide], *, val: Sequence[ImageSide] | None, val_is_holdout: bool
) -> UnpairedSet:
    """Returns a set from its sides A and B; without a split, the held-out sides are still None."""
    val_input, val_target = val or (None, None)
    return UnpairedSet(layout, origin, train[0], train[1], val_input, val_target, val_is_holdout)


def _open_tfds(source: str, *, cache_dir: str | Path | None, on_note: Callable[[str], Any]) -> UnpairedSet:
    tfds = import_tfds()
    with one_line_errors(source, hint=LOADING_HINT):
        splits = set(tfds.builder(source.removeprefix(TFDS)).info.splits)
    if not {"trainA", "trainB"} <= splits:
        raise ValueError(f"'{source}' must have the splits trainA and trainB. It has: {', '.join(sorted(splits))}.")

    def side(split: str) -> ImageSide:
        found = open_images(f"{source}:{split}", val_fraction=0.0, cache_dir=cache_dir, on_note=on_note)
        return ImageSide(found.train)

    val = next((name for name in VAL_NAMES if {f"{name}A", f"{name}B"} <= splits), None)
    # Their images are numbered: equal names are no true pairs.
    held_out = [_renamed(side(f"{val}{letter}"), letter) for letter in "AB"] if val else None
    layout = f"splits trainA and trainB, {val}A and {val}B" if val else "splits trainA and trainB"
    train = [side("trainA"), side("trainB")]
    return _unpaired_set(layout, source, train, val=held_out, val_is_holdout=val is None)


def _renamed(side: ImageSide, prefix: str) -> ImageSide:
    names = [f"{prefix}/{name}" for name in side.images.names]
    return ImageSide(dataclasses.replace(side.images, names=names), side.half)


def _images(folder: Path) -> LabeledImages:
    names = dict(sorted(unique_names(find_images(folder), folder).items()))
    return LabeledImages(list(names), np.full(len(names), NO_LABEL, np.int32), paths=list(names.values()))


def _side(pairs: Sequence[ImagePair], side: str) -> ImageSide:
    """Returns the inputs or the targets of pairs."""
    paths = [getattr(pair, f"{side}_path") for pair in pairs]
    halves = {getattr(pair, f"{side}_half") for pair in pairs}
    labels = np.full(len(paths), NO_LABEL, np.int32)
    return ImageSide(LabeledImages([pair.name for pair in pairs], labels, paths=paths), *halves)


def _is_of_a(name: str) -> bool:
    """Returns a pseudo-random choice that is always the same for a name."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 0


def _hold_out(found: UnpairedSet, *, fraction: float) -> UnpairedSet:
    """Holds out images of both sides; for folders of equal size, images of equal names stay together."""
    parts = {}
    for side in ("input", "target"):
        every = getattr(found, f"train_{side}")
        names = every.images.names
        held_out = held_out_names(names, fraction=fraction, seed=0)
        parts[f"train_{side}"] = every.select([i for i, name in enumerate(names) if name not in held_out])
        parts[f"val_{side}"] = every.select([i for i, name in enumerate(names) if name in held_out])
    return dataclasses.replace(found, **parts)


def _swapped(found: UnpairedSet) -> UnpairedSet:
    return dataclasses.replace(
        found,
        train_input=found.train_target,
        train_target=found.train_input,
        val_input=found.val_target,
        val_target=found.val_input,
    )
