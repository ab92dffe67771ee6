"""Names, splits and the seeded hold-out for all readers of image folders."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

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

    def draw(name: str) -> float:
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    if fraction == 1:
        return set(names)
    if fraction == 0 or len(names) < 2:
        return set()
    count = sum(draw(name) < fraction for name in names)
    return set(sorted(names, key=draw)[: min(max(count, 1), len(names) - 1)])
