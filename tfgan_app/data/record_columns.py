"""Columns of the index of a prepared set: arrays and texts in files that are mapped into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

_ENCODING = "utf-8", "surrogateescape"


class Texts(Sequence):
    """Texts in one array of bytes, without an object for each.

    Args:
        data: uint8 [bytes], the texts in UTF-8, one after the other.
        ends: int64 [texts], end of each.
    """

    def __init__(self, data: np.ndarray, ends: np.ndarray):
        self._data = data
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        start = self._ends[index - 1] if index > 0 else 0
        return self._data[start : self._ends[index]].tobytes().decode(*_ENCODING)

    def __iter__(self) -> Iterator[str]:
        data, start = self._data.tobytes(), 0
        for end in self._ends.tolist():
            yield data[start:end].decode(*_ENCODING)
            start = end


def write_column(folder: Path, name: str, values: np.ndarray) -> None:
    """Writes an array as the column `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)


def write_texts(folder: Path, name: str, texts: Iterable[str]) -> None:
    """Writes texts as the column `name`."""
    encoded = [text.encode(*_ENCODING) for text in texts]
    write_column(folder, f"{name}.utf8", np.frombuffer(b"".join(encoded), np.uint8))
    write_column(folder, f"{name}.ends", np.cumsum([len(each) for each in encoded], dtype=np.int64))


def read_column(folder: Path, name: str) -> np.ndarray:
    """Returns a column; its values are read from disk where they are used."""
    path = folder / f"{name}.npy"
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # Empty arrays cannot be mapped.
        return np.load(path, allow_pickle=False)
