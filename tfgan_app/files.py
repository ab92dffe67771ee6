"""Files that are whole or not there: written beside and renamed in."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, sync: bool = False) -> Iterator[Path]:
    """Gives a path to write to instead of `path`; renames it in when the block ends well.

    A process killed at any moment leaves the previous file, or none, as it was. Missing folders are made.

    Args:
        path: where the file belongs.
        sync: wait until the disk has it, so that it outlives a power cut too.

    Yields:
        A path in the same folder, hidden, with the same suffix.

    Raises:
        OSError: if the file cannot be written; what was written of it is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".tmp-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield unfinished
        if sync:
            _sync(unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    if sync:
        _sync(path.parent)


@contextlib.contextmanager
def exclusive(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes out that ask for the same folder, until the block ends.

    Where the system has no such locks (Windows) it does nothing.

    Args:
        folder: it exists.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
