"""Labeled images: sets of images with or without classes, in files or arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfgan_app.data.folders import held_out_names
from tfgan_app.data.records import byte_sizes, take

NO_LABEL = -1
"""Label of images without classes."""


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images of one split, in files or in one array.

    Attributes:
        names: Unique names; for files, the path within the split without suffix: `"cats/tom"`.
        labels: int32 [images], class indices; all `NO_LABEL` if there are no classes.
        paths: The files, which may be `RecordFiles`, or None.
        images: uint8 [images, height, width, channels] with 1 or 3 channels, or None.

    Raises:
        ValueError: If there are both files and an array or neither, or the numbers of names, labels and images differ.
    """

    names: list[str]
    labels: np.ndarray
    paths: Sequence[Path] | None = None
    images: np.ndarray | None = None

    def __post_init__(self):
        if (self.paths is None) == (self.images is None):
            raise ValueError("Labeled images must be either `paths` or `images`. Received both or neither.")
        images = self.images if self.paths is None else self.paths
        lengths = len(self.names), len(self.labels), len(images)
        if len(set(lengths)) > 1:
            raise ValueError(f"Names, labels and images must be of equal number. Received: {lengths}.")
        if self.images is not None and (self.images.dtype != np.uint8 or self.images.shape[3:] not in ((1,), (3,))):
            received = f"{self.images.dtype} {list(self.images.shape)}"
            raise ValueError(f"`images` must be uint8 [images, height, width, 1 or 3]. Received: {received}.")

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: Sequence[int] | np.ndarray) -> LabeledImages:
        """Returns the images at `indices`, in that order."""
        return LabeledImages(
            names=[self.names[i] for i in indices],
            labels=self.labels[np.asarray(indices, np.int64)],
            paths=None if self.paths is None else take(self.paths, indices),
            images=None if self.images is None else self.images[np.asarray(indices, np.int64)],
        )


@dataclass(frozen=True, eq=False)
class LabeledSet:
    """Training and held-out images of a data source.

    Attributes:
        layout: Description of the layout of the source.
        origin: The source, as given.
        class_names: Name of each label; empty if the images have no classes.
        train: Training images, in a fixed order.
        val: Held-out images.
        val_is_holdout: Whether `val` was split off by name, because the source has no split.
        gray: Whether every image is stored in gray, by the file headers: gray images stored in color count as color.
        unsorted: Images beside the class folders, which are not used.
    """

    layout: str
    origin: str
    class_names: tuple[str, ...]
    train: LabeledImages
    val: LabeledImages
    val_is_holdout: bool
    gray: bool
    unsorted: list[Path] = field(default_factory=list)


def hold_out(images: LabeledImages, *, fraction: float, seed: int) -> tuple[LabeledImages, LabeledImages]:
    """Holds out about `fraction` of each class by name.

    Args:
        images: Images of all classes.
        fraction: Share to hold out, in [0, 1].
        seed: Seed of the choice.

    Returns:
        Training images and held-out images, both in the original order. A class with at least two images has at least
        one held-out image; all images of a class are held out only for a `fraction` of 1.
    """
    held_out: set[str] = set()
    names = np.array(images.names, dtype=object)
    for label in np.unique(images.labels):
        held_out |= held_out_names(list(names[images.labels == label]), fraction=fraction, seed=seed)
    is_held_out = np.array([name in held_out for name in images.names], bool)
    return images.select(np.flatnonzero(~is_held_out)), images.select(np.flatnonzero(is_held_out))


def choose_per_class(images: LabeledImages, count: int, *, seed: int) -> LabeledImages:
    """Selects images of each class.

    Args:
        images: Images of all classes.
        count: Number of images per class; all images of a smaller class.
        seed: Seed of the choice. The images for a smaller `count` are among those for a larger one.

    Returns:
        The selected images, in the original order.
    """
    chosen: list[int] = []
    for label in np.unique(images.labels):
        rng = np.random.default_rng([seed, max(int(label), 0)])
        chosen += rng.permutation(np.flatnonzero(images.labels == label))[:count].tolist()
    return images.select(sorted(chosen))


def labeled_fingerprint(images: LabeledImages) -> str:
    """Returns a digest of the training images, to detect a different data set under the same name.

    Args:
        images: The images.

    Returns:
        64 hex digits, from labels, names and file sizes in bytes, or from labels and bytes of an array.
    """
    digest = hashlib.sha256(images.labels.astype("<i4").tobytes())
    if images.images is None:
        facts = list(zip(images.names, byte_sizes(images.paths), strict=True))
        digest.update(repr(facts).encode())
    else:
        digest.update(repr(images.images.shape).encode())
        digest.update(np.ascontiguousarray(images.images).data)
    return digest.hexdigest()


def choose_by_name(names: Sequence[str], count: int) -> list[int]:
    """Returns the ordered indices of `count` names from all over a folder.

    Equal names are selected on both of two sides, so pairs stay together. All names are selected if there are at most
    `count`.

    Args:
        names: Names of images.
        count: Number of names to select.
    """
    digests = [hashlib.sha256(name.encode()).digest() for name in names]
    return sorted(sorted(range(len(names)), key=lambda index: digests[index])[:count])
