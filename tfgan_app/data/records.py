"""Random access to the encoded images of a prepared set: ArrayRecord shards and an index of columns."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, overload

import numpy as np

from tfgan_app.data.folders import held_out_draw
from tfgan_app.data.record_columns import Texts, read_column
from tfgan_app.data.record_index import INDEX_FILE, INDEX_FOLDER, read_index
from tfgan_app.files import printable

PILLOW, PNG, JPEG, DAMAGED = range(4)
"""Values of the column `kind`: the decoder of a record, or `DAMAGED` for files that could not be read."""

CAPTION = "caption"
"""Name of the column of captions, empty where an image has none."""

CHECKED_AT_START = 4096
"""Sets of up to this many records are read once before training; in larger ones each record is checked when drawn."""

INSTALL_SHARDS = "pip install 'tfgan_app[shards]'"


def import_array_record() -> Any:
    """Returns ArrayRecord's module.

    Raises:
        ValueError: If the package is not installed.
    """
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise ValueError(f"Shards need ArrayRecord. Install it with: {INSTALL_SHARDS}") from error
    return array_record_module


class RecordStore:
    """The records of a prepared set.

    Args:
        folder: A folder that `tfgan_app prepare` wrote.

    Attributes:
        folder: As given.
        facts: Content of the index file.

    Raises:
        ValueError: If the index is damaged or of another version, or a shard is missing or of another size. One line.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.facts = read_index(folder)
        self._module = import_array_record()
        self._starts = np.cumsum([0, *(shard["records"] for shard in self.facts["shards"])])
        self._problems = {int(row): line for row, line in self.facts["problems"].items()}
        self._columns: dict[str, np.ndarray] = {}
        self._readers: dict[int, Any] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def column(self, name: str) -> np.ndarray:
        """Returns a column of the index, read only where it is used."""
        if name not in self._columns:
            self._columns[name] = read_column(self.folder / INDEX_FOLDER, name)
        return self._columns[name]

    def texts(self, name: str) -> Texts:
        """Returns a column of texts of the index."""
        return Texts(self.column(f"{name}.utf8"), self.column(f"{name}.ends"))

    def view(self, kind: str) -> dict[str, Any]:
        """Returns the facts about one of the ways to see the source: as images, labeled images or pairs.

        Raises:
            ValueError: If the source cannot be seen so; the message is that for the source.
        """
        facts = self.facts["views"][kind]
        if problem := facts.get("problem"):
            raise ValueError(f"{printable(self.folder)} was prepared from: {problem}")
        return facts

    def draws(self, split: str, *, seed: int) -> np.ndarray:
        """Returns the pseudo-random number in [0, 1) by which each image of a split is held out, float64 [images]."""
        if seed == 0:
            return self.column(f"{split}.draw")
        return np.array([held_out_draw(name, seed=seed) for name in self.texts(f"{split}.name")])

    @functools.cached_property
    def names(self) -> Texts:
        """Path of each record's file within the source, with forward slashes."""
        return self.texts("path")

    def read(self, row: int) -> bytes:
        """Returns the bytes of a record's file.

        Raises:
            ValueError: If the record is damaged. One line that names it.
        """
        shard = int(np.searchsorted(self._starts, row, side="right")) - 1
        try:
            found = self._reader(shard).read([int(row - self._starts[shard])])
            if len(found) == 1 and len(found[0]) == self.column("bytes")[row]:
                return found[0]
            reason = "it has another size than in the index"
        except (RuntimeError, ValueError, IndexError, OSError) as error:
            reason = str(error).partition(" (")[0] or type(error).__name__
        file = printable(self.folder / self.facts["shards"][shard]["file"])
        raise ValueError(f"Cannot read the image '{self.printable_name(row)}' in '{file}': {printable(reason)}")

    def problem(self, row: int) -> str | None:
        """Returns a line that names a record and why it cannot be used, after reading it; None if it can."""
        if self.column("kind")[row] == DAMAGED:
            return self._problems.get(int(row), f"Cannot read the image '{self.printable_name(row)}'")
        try:
            data = self.read(row)
        except ValueError as error:
            return str(error)
        if hashlib.sha256(data).digest() != self.column("sha256")[row].tobytes():
            return f"Cannot read the image '{self.printable_name(row)}': its bytes differ from those in the index"
        return None

    def printable_name(self, row: int) -> str:
        """Returns the path of a record's file within the source, safe to print."""
        return printable(self.names[row])

    def extract(self, row: int) -> Path:
        """Writes a record to a temporary file, for readers of files; it is removed when the process ends."""
        parts = [part for part in PurePosixPath(self.names[row]).parts if part not in ("..", "/")]
        path = self._temporary.joinpath(*parts)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{threading.get_ident()}-{path.name}")
            unfinished.write_bytes(self.read(row))
            os.replace(unfinished, path)
        return path

    @functools.cached_property
    def _temporary(self) -> Path:
        folder = tempfile.mkdtemp(prefix="tfgan_app-records-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def _reader(self, shard: int) -> Any:
        with self._lock:
            if shard not in self._readers:
                facts = self.facts["shards"][shard]
                # Reading ahead is for sequential reads; here it would read most records many times.
                reader = self._module.ArrayRecordReader(str(self.folder / facts["file"]), "readahead_buffer_size:0")
                if reader.num_records() != facts["records"]:
                    raise ValueError(f"the shard has {reader.num_records()} of {facts['records']} records")
                self._readers[shard] = reader
            return self._readers[shard]


class RecordFile(os.PathLike):
    """A record in place of an image file.

    It has the methods of `Path` that readers of images use; `os.fspath` extracts it to a temporary file.

    Args:
        store: The set.
        row: Index of the record.
    """

    def __init__(self, store: RecordStore, row: int):
        self._store = store
        self.row = row

    def __fspath__(self) -> str:
        return str(self._store.extract(self.row))

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordFile) and (self._store, self.row) == (other._store, other.row)

    def __hash__(self) -> int:
        return hash((id(self._store), self.row))

    @property
    def name(self) -> str:
        """File name in the source."""
        return PurePosixPath(self._store.names[self.row]).name

    def stat(self) -> SimpleNamespace:
        """Returns `st_size`, the size in bytes, from the index."""
        return SimpleNamespace(st_size=int(self._store.column("bytes")[self.row]))

    def read_bytes(self) -> bytes:
        """Returns the bytes of the file."""
        return self._store.read(self.row)


class RecordFiles(Sequence):
    """Records in place of image files, without an object for each.

    Args:
        store: The set.
        rows: int64 [files], indices of the records.
    """

    def __init__(self, store: RecordStore, rows: np.ndarray):
        self.store = store
        self.rows = np.asarray(rows, np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> RecordFile: ...
    @overload
    def __getitem__(self, index: slice) -> RecordFiles: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return RecordFiles(self.store, self.rows[index])
        return RecordFile(self.store, int(self.rows[index]))

    def __iter__(self) -> Iterator[RecordFile]:
        return (RecordFile(self.store, row) for row in self.rows.tolist())

    def take(self, indices: Sequence[int] | np.ndarray) -> RecordFiles:
        """Returns the records at `indices`, in that order."""
        return RecordFiles(self.store, self.rows[np.asarray(indices, np.int64)])

    def of(self, column: str) -> np.ndarray:
        """Returns the values of a column of the index for these records."""
        return self.store.column(column)[self.rows]

    @property
    def sizes(self) -> np.ndarray:
        """int64 [files, 2], height and width of each image."""
        return np.stack([self.of("height"), self.of("width")], axis=1).astype(np.int64)

    def problems(self) -> dict[int, str]:
        """Returns the problem of each record that cannot be used, by its position; see `CHECKED_AT_START`."""
        if len(self) <= CHECKED_AT_START:
            suspects: Sequence[int] = range(len(self))
        else:
            suspects = np.flatnonzero(self.of("kind") == DAMAGED).tolist()
        found = {position: self.store.problem(int(self.rows[position])) for position in suspects}
        return {position: line for position, line in found.items() if line}


def take(paths: Sequence[Any], indices: Sequence[int] | np.ndarray) -> Sequence[Any]:
    """Returns the files or pairs at `indices`, in that order: a list, or records again."""
    return paths.take(indices) if hasattr(paths, "take") else [paths[i] for i in indices]


def byte_sizes(paths: Sequence[Any]) -> list[int]:
    """Returns the size of each file in bytes."""
    if isinstance(paths, RecordFiles):
        return paths.of("bytes").tolist()
    return [path.stat().st_size for path in paths]


def open_records(folder: str | os.PathLike) -> RecordStore:
    """Opens a prepared set; the same one again while its index is unchanged.

    Raises:
        ValueError: As for `RecordStore`.
    """
    path = Path(folder)
    stat = (path / INDEX_FILE).stat()
    return _open_records(path.absolute(), stat.st_mtime_ns, stat.st_ino)


@functools.lru_cache(maxsize=8)
def _open_records(folder: Path, *version: int) -> RecordStore:
    del version
    return RecordStore(folder)
