"""Names and versions of the models in a folder, and reasons why folders cannot be read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tfgan_app.serving.saved_models import MODEL_FILE

_MAX_VERSION = 2**63 - 1
"""Versions are int64 in the protocol."""


@dataclass(frozen=True)
class Listing:
    """The folder of one model.

    Attributes:
        folder: Its path.
        versions: Version -> its folder, for versions that can be loaded.
        unclear: Versions with a folder that has no `saved_model.pb` (yet, or any more) or cannot be read.
        error: Reason why the folder itself cannot be read, if so.
    """

    folder: Path
    versions: dict[int, Path] = field(default_factory=dict)
    unclear: frozenset[int] = frozenset()
    error: str = ""


def find_models(root: Path) -> dict[str, Listing]:
    """Finds the models in a folder and their versions.

    Args:
        root: A folder of models, `NAME/VERSION/saved_model.pb`, or the folder of one model. Other content and names
            that start with a dot are ignored.

    Returns:
        Name -> its folder, including folders without versions.

    Raises:
        OSError: If `root` cannot be listed: it is gone, not mounted, or not readable.
    """
    own = _listing(root)
    if own.versions:
        return {root.resolve().name: own}
    return {path.name: _listing_or_error(path, readable) for path, readable in _folders(root)}


def _listing_or_error(folder: Path, readable: bool) -> Listing:
    try:
        if not readable:
            folder.stat()
        return _listing(folder)
    except OSError as error:
        return Listing(folder, error=error.strerror or str(error))


def _listing(folder: Path) -> Listing:
    versions, unclear = {}, set()
    for path, readable in _folders(folder):
        number = path.name
        canonical = number.isascii() and number.isdecimal() and (number == "0" or not number.startswith("0"))
        if not canonical or int(number) > _MAX_VERSION:
            continue
        if readable and _is_file(path / MODEL_FILE):
            versions[int(number)] = path
        else:
            unclear.add(int(number))
    return Listing(folder, versions, frozenset(unclear))


def _folders(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Folders in a folder, and whether each is accessible: dangling links and stale mounts are not."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            if stat.S_ISDIR(path.stat().st_mode):
                yield path, True
        except OSError:
            if path.name in {entry.name for entry in folder.iterdir()}:  # Otherwise it vanished just now.
                yield path, False


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def file_stamp(folder: Path) -> tuple:
    """Stamp that changes with the files of a version, so that a failed version is loaded again."""
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
    except OSError:
        return ()
