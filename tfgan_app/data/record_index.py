"""Index file of a prepared set: its shards, and digests of all files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tfgan_app.files import printable

INDEX_FILE, INDEX_FOLDER, UNFINISHED_FILE = "index.json", "index", "preparing.json"
FORMAT = 1
"""Version of the index; other versions are refused."""


def is_prepared(source: str | os.PathLike) -> bool:
    """Returns whether a data source is a folder that `tfgan_app prepare` wrote.

    Raises:
        ValueError: If `prepare` has not finished there.
    """
    folder = Path(source)
    if not folder.is_dir():
        return False
    if (folder / INDEX_FILE).is_file() and (folder / INDEX_FOLDER).is_dir():
        return True
    if (folder / UNFINISHED_FILE).is_file():
        raise ValueError(f"'{printable(folder)}' is not finished: run the same `tfgan_app prepare` again.")
    return False


def read_index(folder: Path) -> dict[str, Any]:
    """Returns the content of the index file, after a check of the files that it names."""
    file = folder / INDEX_FILE
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        version, shards, columns = facts["format"], facts["shards"], facts["columns"]
        if any(name != Path(name).name for name in (*(shard["file"] for shard in shards), *columns)):
            raise ValueError("it names files of other folders")
        expected = [(folder / shard["file"], shard["bytes"]) for shard in shards]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"'{printable(file)}' is damaged: run `tfgan_app prepare` into another folder.") from error
    if version != FORMAT:
        raise ValueError(f"'{printable(file)}' must be of version {FORMAT}. Received: {version}.")
    for path, size in expected:
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            received = "it is missing" if found is None else f"it has {found:,} bytes"
            raise ValueError(f"The shard '{printable(path)}' must have {size:,} bytes, but {received}: copy it again.")
    for name, digest in columns.items():
        path = folder / INDEX_FOLDER / name
        if not path.is_file() or file_digest(path) != digest:
            raise ValueError(f"The index file '{printable(path)}' is missing or damaged: copy it again.")
    return facts


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file as hex digits."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
        return digest.hexdigest()
