"""Names, splits and the seeded hold-out for all readers of image folders."""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_app.files import printable

VAL_NAMES = ("val", "valid", "validation", "test")
"""Lower-case names of held-out splits; of several, the first is used."""


def folders_by_name(folder: Path) -> dict[str, Path]:
    """Returns the sub-folders by their lower-case names."""
    return {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}


def image_name(path: Path, folder: Path) -> str:
    """Returns the path within `folder` without suffix, as text that can be hashed, printed and written anywhere.

    Names are in composed Unicode, because macOS stores them decomposed; bytes that are not Unicode are escaped.
    """
    return printable(unicodedata.normalize("NFC", path.relative_to(folder).with_suffix("").as_posix()))


def unique_names(paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Returns unique names for the images of one folder; a suffix is kept if only it distinguishes two images."""
    names: dict[str, Path] = {}
    for path in paths:
        name = image_name(path, folder)
        if name in names:
            name = f"{name}{path.suffix}"
        while (
            name in names
        ):  # `a.gif.png` beside `a.png` and `a.gif`, or an escaped name beside one that looks like it.
            name = f"{name}_"
        names[name] = path
    return names


def check_val_fraction(val_fraction: float) -> None:
    """Raises ValueError for a share outside [0, 1]."""
    if not 0 <= val_fraction <= 1:
        raise ValueError(f"`val_fraction` must be between 0 and 1. Received: {val_fraction}.")


def held_out_names(names: Sequence[str], *, fraction: float, seed: int) -> set[str]:
    """Selects names to hold out; adding images does not move others between the splits.

    Args:
        names: Unique names.
        fraction: Share to hold out, in [0, 1].
        seed: Seed of the choice.

    Returns:
        About `fraction` of the names: at least one if there are two or more, and all of them only for 1.
    """
    draw = functools.partial(held_out_draw, seed=seed)
    if fraction == 1:
        return set(names)
    if fraction == 0 or len(names) < 2:
        return set()
    count = sum(draw(name) < fraction for name in names)
    return set(sorted(names, key=draw)[: min(max(count, 1), len(names) - 1)])


def held_out_draw(name: str, *, seed: int) -> float:
    """Returns the pseudo-random number in [0, 1) by which a name is held out."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def hold_out_by_draw(draws: np.ndarray, labels: np.ndarray, *, fraction: float) -> np.ndarray:
    """Selects images to hold out as `held_out_names` does, from numbers that were drawn before.

    Args:
        draws: float64 [images], `held_out_draw` of each name.
        labels: Class of each image; each class is held out by itself.
        fraction: Share to hold out, in [0, 1].

    Returns:
        bool [images].
    """
    check_val_fraction(fraction)
    held_out = np.zeros(len(draws), bool)
    order = np.lexsort((draws, labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=np.nan))
    for start, end in zip(starts, (*starts[1:], len(draws)), strict=True):
        size = end - start
        count = int((draws[order[start:end]] < fraction).sum())
        least = size if fraction == 1 else 0 if fraction == 0 or size < 2 else min(max(count, 1), size - 1)
        held_out[order[start : start + least]] = True
    return held_out
