"""Which images of one set are images of another, by their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.pairs import ImagePair


def shared_files(measured: Sequence[Path], training: Iterable[Path]) -> list[bool]:
    """Which files have the contents of a file among others, whatever their names.

    Only files of equal size are read.

    Args:
        measured: the files in question.
        training: the others.

    Returns:
        A truth value for each of `measured`.
    """
    sizes = {path.stat().st_size for path in measured}
    known = {_digest(path) for path in set(training) if path.stat().st_size in sizes}
    digests = {path: _digest(path) for path in set(measured)} if known else {}
    return [digests.get(path) in known for path in measured]


def count_shared(measured: LabeledImages, training: LabeledImages) -> int:
    """How many images of a set are among those of another; files and arrays have none in common."""
    if measured.paths is not None and training.paths is not None:
        return sum(shared_files(measured.paths, training.paths))
    if measured.images is not None and training.images is not None:
        known = {_array_digest(image) for image in training.images}
        return sum(_array_digest(image) in known for image in measured.images)
    return 0


def count_shared_pairs(measured: Sequence[ImagePair], training: Sequence[ImagePair]) -> int:
    """How many pairs hold an image of others."""
    known = [path for pair in training for path in (pair.input_path, pair.target_path)]
    sides = [[pair.input_path for pair in measured], [pair.target_path for pair in measured]]
    return sum(map(any, zip(*(shared_files(side, known) for side in sides), strict=True)))


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _array_digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
