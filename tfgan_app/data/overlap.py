"""Overlap of two image sets by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfgan_app.data.image_pairs import ImagePair
from tfgan_app.data.labeled import LabeledImages


def shared_files(measured: Sequence[Path], training: Iterable[Path]) -> list[bool]:
    """Finds files with the same content as a training file, regardless of names.

    Only files of equal size are read.

    Args:
        measured: Files to look for.
        training: Training files.

    Returns:
        For each of `measured`, whether its content is among `training`.
    """
    sizes = {path.stat().st_size for path in measured}
    known = {_digest(path) for path in set(training) if path.stat().st_size in sizes}
    digests = {path: _digest(path) for path in set(measured)} if known else {}
    return [digests.get(path) in known for path in measured]


def count_shared(measured: LabeledImages, training: LabeledImages) -> int:
    """Counts the images of a set that are among those of another; files and arrays have none in common."""
    if measured.paths is not None and training.paths is not None:
        return sum(shared_files(measured.paths, training.paths))
    if measured.images is not None and training.images is not None:
        known = {_array_digest(image) for image in training.images}
        return sum(_array_digest(image) in known for image in measured.images)
    return 0


def count_shared_pairs(measured: Sequence[ImagePair], training: Sequence[ImagePair]) -> int:
    """Counts the pairs that share an image with a training pair."""
    known = [path for pair in training for path in (pair.input_path, pair.target_path)]
    sides = [[pair.input_path for pair in measured], [pair.target_path for pair in measured]]
    return sum(map(any, zip(*(shared_files(side, known) for side in sides), strict=True)))


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _array_digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
