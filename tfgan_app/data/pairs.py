"""Aligned image pairs in folders, matched by file name or side by side in one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tfgan_app.data.folders import (
    VAL_NAMES,
    check_val_fraction,
    folders_by_name,
    held_out_names,
    image_name,
    unique_names,
)
from tfgan_app.data.image_pairs import ImagePair, PairSet, open_prepared_pairs
from tfgan_app.data.record_index import is_prepared
from tfgan_app.data.records import open_records
from tfgan_app.files import printable
from tfgan_app.image_io.loading import find_images, image_header

ACCEPTED_LAYOUTS = (
    "side-by-side A|B images (at least 1.5 times as wide as high)",
    "folders A/ and B/ with equal file names",
    "trainA/ and trainB/ (with valA/ and valB/, or testA/ and testB/)",
    "train/ (with val/ or test/), each of either kind",
)
"""Accepted layouts of a folder of pairs."""

_DIRECTIONS = ("a2b", "b2a")
_SPLIT_NAMES = ("train", *VAL_NAMES)
_MIN_SIDE_BY_SIDE_ASPECT = 1.5


def find_pairs(root: str | Path, *, direction: str = "a2b", val_fraction: float = 0.1, seed: int = 0) -> PairSet:
    """Finds the image pairs in a folder of any accepted layout.

    Folder names are case-insensitive; images are matched by their path without suffix. The result includes unreadable
    files, which `tfgan_app.data.checking.find_readable` drops.

    Args:
        root: Folder in one of `ACCEPTED_LAYOUTS`; sub-folders may nest. Or a folder of `tfgan_app prepare`.
        direction: `"a2b"` translates A (or the left half) into B (or the right half), `"b2a"` the reverse.
        val_fraction: Share of the pairs to hold out, in [0, 1], if the folder has no split. The choice depends only on
            names and `seed`, so adding pairs does not move others between the splits.
        seed: Seed of the choice of held-out pairs.

    Returns:
        A `PairSet` with at least one training pair.

    Raises:
        ValueError: If the folder is missing or has none of the layouts. The message is one line.
    """
    root = Path(root)
    if direction not in _DIRECTIONS:
        raise ValueError(f"`direction` must be one of {', '.join(_DIRECTIONS)}. Received: '{direction}'.")
    check_val_fraction(val_fraction)
    if not root.is_dir():
        raise ValueError(f"The data must be a folder of image pairs. There is no folder '{printable(root)}'.")
    if is_prepared(root):
        return open_prepared_pairs(open_records(root), direction=direction, val_fraction=val_fraction, seed=seed)
    found = _read_layout(root)
    train, val = found.train, found.val
    if not train:
        raise ValueError(_not_a_pair_set(root, "no image in A/ has a partner of the same name in B/"))
    if is_holdout := val is None:
        train, val = _hold_out(train, fraction=val_fraction, seed=seed)
    if direction == "b2a":
        train, val = _reverse(train), _reverse(val)
    return PairSet(found.layout, root, train, val, is_holdout, sorted(found.unmatched))


@dataclass(frozen=True)
class _Found:
    """Pairs of one layout, in the direction from A to B.

    Attributes:
        layout: Description of the layout.
        train: Training pairs.
        unmatched: Files without a partner.
        val: Held-out pairs; None if the folder has no split.
    """

    layout: str
    train: list[ImagePair]
    unmatched: list[Path]
    val: list[ImagePair] | None = None


def _read_layout(root: Path) -> _Found:
    """Detects the layout of `root` and reads the pairs in the direction from A to B."""
    folders = folders_by_name(root)
    if "traina" in folders or "trainb" in folders:
        return _read_suffixed_splits(root, folders)
    if "a" in folders or "b" in folders:
        return _read_two_folders(root, folders)
    if "train" in folders:
        return _read_splits(root, folders)
    return _read_split(root, root=root)


def _read_suffixed_splits(root: Path, folders: dict[str, Path]) -> _Found:
    """Reads `trainA/`, `trainB/` and, if present, the first held-out split."""
    split = next((name for name in VAL_NAMES if f"{name}a" in folders and f"{name}b" in folders), None)
    train, unmatched = _match(*_both(root, folders, "traina", "trainb"))
    if split is None:
        return _Found("trainA/ and trainB/", train, unmatched)
    val, unmatched_val = _match(folders[f"{split}a"], folders[f"{split}b"])
    return _Found(f"trainA/, trainB/ and {split}A/, {split}B/", train, unmatched + unmatched_val, val)


def _read_splits(root: Path, folders: dict[str, Path]) -> _Found:
    """Reads `train/` and, if present, the first held-out split."""
    split = next((name for name in VAL_NAMES if name in folders), None)
    train = _read_split(folders["train"], root=root)
    if split is None:
        return replace(train, layout=f"train/ with {train.layout}")
    val = _read_split(folders[split], root=root)
    layout = f"train/ and {split}/ with {train.layout}"
    return _Found(layout, train.train, train.unmatched + val.unmatched, val.train)


def _read_two_folders(root: Path, folders: dict[str, Path]) -> _Found:
    """Reads `A/` and `B/`, whose sub-folders may be splits as in pix2pix: `A/train`, `B/train`."""
    folder_a, folder_b = _both(root, folders, "a", "b")
    inner_a, inner_b = folders_by_name(folder_a), folders_by_name(folder_b)
    splits = [name for name in _SPLIT_NAMES if name in inner_a and name in inner_b]
    if "train" not in splits:
        pairs, unmatched = _match(folder_a, folder_b)
        return _Found("A/ and B/", pairs, unmatched)
    train, unmatched = _match(inner_a["train"], inner_b["train"])
    if len(splits) == 1:
        return _Found("A/train/ and B/train/", train, unmatched)
    split = splits[1]
    val, unmatched_val = _match(inner_a[split], inner_b[split])
    return _Found(f"A/ and B/, each with train/ and {split}/", train, unmatched + unmatched_val, val)


def _read_split(folder: Path, *, root: Path) -> _Found:
    """Reads a folder without splits: either `A/` and `B/`, or side-by-side images."""
    folders = folders_by_name(folder)
    if "a" in folders or "b" in folders:
        return _Found("A/ and B/", *_match(*_both(root, folders, "a", "b")))
    images = find_images(folder)
    if not images:
        raise ValueError(_not_a_pair_set(root, f"there is no image in '{printable(folder)}'"))
    halvable: list[Path] = []
    unmatched: list[Path] = []
    for path in images:
        (halvable if _is_side_by_side(path) else unmatched).append(path)
    if len(unmatched) >= len(halvable):
        reason = f"{len(unmatched)} of {len(images)} images are too narrow to be two side by side"
        raise ValueError(_not_a_pair_set(root, reason))
    names = unique_names(halvable, folder)
    pairs = [ImagePair(name, path, path, "left", "right") for name, path in names.items()]
    return _Found("side-by-side A|B images", _by_name(pairs), unmatched)


def _match(folder_a: Path, folder_b: Path) -> tuple[list[ImagePair], list[Path]]:
    """Pairs the images of two folders by their path without suffix."""
    unmatched: list[Path] = []
    by_name: list[dict[str, Path]] = []
    for folder in (folder_a, folder_b):
        names: dict[str, Path] = {}
        for path in find_images(folder):
            # Of a.jpg and a.png in one folder, only the first can be matched.
            if names.setdefault(image_name(path, folder), path) is not path:
                unmatched.append(path)
        by_name.append(names)
    names_a, names_b = by_name
    pairs = [ImagePair(name, path, names_b[name]) for name, path in names_a.items() if name in names_b]
    unmatched += [names_a[name] for name in names_a.keys() - names_b.keys()]
    unmatched += [names_b[name] for name in names_b.keys() - names_a.keys()]
    return _by_name(pairs), unmatched


def _hold_out(pairs: Sequence[ImagePair], *, fraction: float, seed: int) -> tuple[list[ImagePair], list[ImagePair]]:
    """Holds out about `fraction` of the pairs; both parts keep their order."""
    held_out = held_out_names([pair.name for pair in pairs], fraction=fraction, seed=seed)
    return [pair for pair in pairs if pair.name not in held_out], [pair for pair in pairs if pair.name in held_out]


def _reverse(pairs: Iterable[ImagePair]) -> list[ImagePair]:
    return [
        ImagePair(pair.name, pair.target_path, pair.input_path, pair.target_half, pair.input_half) for pair in pairs
    ]


def _is_side_by_side(path: Path) -> bool:
    """Returns whether an image is wide enough for two halves; a damaged file counts, and is reported later."""
    try:
        header = image_header(path)
    except ValueError:
        return True
    return header.width % 2 == 0 and header.width >= _MIN_SIDE_BY_SIDE_ASPECT * header.height


def _by_name(pairs: Iterable[ImagePair]) -> list[ImagePair]:
    return sorted(pairs, key=lambda pair: pair.name)


def _both(root: Path, folders: dict[str, Path], a: str, b: str) -> tuple[Path, Path]:
    """Returns the folders named `a` and `b`, at least one of which exists."""
    for name, partner in ((a, b), (b, a)):
        if name not in folders:
            raise ValueError(
                _not_a_pair_set(root, f"the partner of the folder '{printable(folders[partner])}' is missing")
            )
    return folders[a], folders[b]


def _not_a_pair_set(root: Path, reason: str) -> str:
    return f"'{printable(root)}' is not a set of image pairs: {reason}. Accepted: {'; '.join(ACCEPTED_LAYOUTS)}."
