"""Files that are either the old one or the new one, never half of either."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Writes `content` beside `path` and renames it in, making missing folders.

    A process killed at any moment leaves the previous file as it was.

    Raises:
        OSError: If the file cannot be written (a full disk, no permission).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
