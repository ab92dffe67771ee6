"""Class names of a generative model: lookup by the user's spelling, and folder names for any file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789")})
_MAX_BYTES = 100
"""Length of a folder's name; file systems allow 255, and paths should stay short."""


def find_class(class_names: Sequence[str], wanted: str) -> int:
    """Finds the label of a class.

    Args:
        class_names: Name of each label.
        wanted: A class name, in any case if that is unambiguous, or a label's number.

    Raises:
        ValueError: If there are no classes, or not this one. Lists the known classes.
    """
    if not class_names:
        raise ValueError(f"The model has no classes. Received: {wanted}")
    if wanted in class_names:
        return list(class_names).index(wanted)
    alike = [label for label, name in enumerate(class_names) if name.casefold() == wanted.casefold()]
    if len(alike) == 1:
        return alike[0]
    if wanted.isascii() and wanted.isdecimal() and int(wanted) < len(class_names):
        return int(wanted)
    reason = "There are several classes" if alike else "There is no class"
    raise ValueError(f"{reason} '{wanted}'. The model's classes are: {', '.join(class_names)}")


def class_folders(class_names: Sequence[str]) -> list[str]:
    """Folder name for each class: its own name, unless a file system might reject or confuse it.

    Characters that are not portable become `_`. Of names that collide (many file systems ignore case) one is kept,
    an unchanged one if possible; the others get their label appended.

    Args:
        class_names: Name of each label.

    Returns:
        As many distinct names, which depend only on `class_names`.
    """
    safe = [_safe_name(name) for name in class_names]
    folders: dict[int, str] = {}
    taken: set[str] = set()
    # Names that are safe already go first, so that no changed name takes their place.
    for label in sorted(range(len(safe)), key=lambda label: safe[label] != class_names[label]):
        folder, count = safe[label], 1
        while folder.casefold() in taken:
            folder = f"{safe[label]}-{label}" if count == 1 else f"{safe[label]}-{label}-{count}"
            count += 1
        taken.add(folder.casefold())
        folders[label] = folder
    return [folders[label] for label in range(len(safe))]


def _safe_name(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    plain = "".join("_" if char in _FORBIDDEN or not char.isprintable() else char for char in composed)
    plain = plain.encode()[:_MAX_BYTES].decode(errors="ignore")
    kept = plain.rstrip(". ").lstrip(" ")
    if not kept or kept.startswith(".") or kept.partition(".")[0].rstrip().lower() in _RESERVED:
        kept = f"_{kept.lstrip('.')}"
    return kept
