"""Labeled images in folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfgan_app.data.folders import VAL_NAMES, unique_names
from tfgan_app.data.labeled import NO_LABEL, LabeledImages, LabeledSet, hold_out
from tfgan_app.files import printable
from tfgan_app.image_io.loading import find_images, image_header

ACCEPTED_LAYOUTS = (
    "a folder of images",
    "one folder per class",
    "train/ (with val/ or test/), each of either kind",
)
"""Accepted layouts of a folder of labeled images."""

_GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "F"})


def find_labeled(root: str | Path, *, val_fraction: float = 0.1, seed: int = 0) -> LabeledSet:
    """Finds the images in a folder, and their classes if there are class folders.

    Sub-folders with images are classes, sorted by name; nested images belong to the same class. If at least as many
    images are beside the sub-folders as inside them, there are no classes and all images are used; if fewer are, these
    are left out. `train/` beside `val/`, `valid/`, `validation/` or `test/` (in any case) is a split, and so is
    `train/` alone; beside other folders, `train/` is a class.

    The result includes unreadable files, which `tfgan_app.data.checking.find_readable_images` drops.

    Args:
        root: Folder in one of `ACCEPTED_LAYOUTS`.
        val_fraction: Share of each class to hold out, in [0, 1], if the folder has no split. The choice depends only
            on names and `seed`.
        seed: Seed of the choice of held-out images.

    Returns:
        A `LabeledSet`.

    Raises:
        ValueError: If the folder is missing or has no images, or a split has classes that `train/` lacks.
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"There is no folder '{printable(root)}'. {_expected()}")
    train_folder, val_folder = find_splits(root)
    train = _read_folder(train_folder)
    if not train.names:
        raise ValueError(f"There is no image in '{printable(train_folder)}'. {_expected()}")
    kind = "class folders" if train.class_names else "images without classes"
    if val_folder is None:
        layout = kind if train_folder == root else f"{train_folder.name}/ with {kind}"
        everything = train.images(train.class_names)
        parts = hold_out(everything, fraction=val_fraction, seed=seed)
        unsorted = train.unsorted
    else:
        layout = f"{train_folder.name}/ and {val_folder.name}/ with {kind}"
        val = _read_folder(val_folder)
        _check_classes(train, val, folder=val_folder)
        parts = train.images(train.class_names), val.images(train.class_names)
        unsorted = train.unsorted + val.unsorted
    if unsorted:
        layout += f" (left out beside them: {len(unsorted)})"
    gray = _all_gray([*parts[0].paths, *parts[1].paths])
    return LabeledSet(layout, str(root), train.class_names, *parts, val_folder is None, gray, unsorted)


@dataclass(frozen=True)
class _Found:
    """Content of a folder: sorted files by name, classes if there are any, and files without a class."""

    names: dict[str, Path]
    class_names: tuple[str, ...]
    unsorted: list[Path]

    def images(self, class_names: tuple[str, ...]) -> LabeledImages:
        label_of = {name: label for label, name in enumerate(class_names)}
        labels = [label_of[name.split("/")[0]] if class_names else NO_LABEL for name in self.names]
        return LabeledImages(list(self.names), np.array(labels, np.int32), paths=list(self.names.values()))


def find_splits(root: Path) -> tuple[Path, Path | None]:
    """Returns the training folder and the held-out one or None; without splits, `root` and None."""
    folders = {folder.name.lower(): folder for folder in _image_folders(root)}
    val = next((folders[name] for name in VAL_NAMES if name in folders), None)
    if "train" in folders and (val or len(folders) == 1):
        return folders["train"], val
    return root, None


def _read_folder(folder: Path) -> _Found:
    """Reads a folder without splits."""
    class_folders = _image_folders(folder)
    everything = find_images(folder)
    loose = [path for path in everything if path.parent == folder]
    nested = [path for paths in class_folders.values() for path in paths]
    if len(loose) >= len(nested):
        return _Found(dict(sorted(unique_names(everything, folder).items())), (), [])
    names = dict(sorted(unique_names(nested, folder).items()))
    # From the names, which are in composed Unicode.
    return _Found(names, tuple(sorted({name.split("/")[0] for name in names})), loose)


def _image_folders(folder: Path) -> dict[Path, list[Path]]:
    """Returns the visible sub-folders with images and all images in each; of linked duplicates, only the first."""
    found: dict[Path, list[Path]] = {}
    for path in find_images(folder):
        if path.parent != folder:
            found.setdefault(folder / path.relative_to(folder).parts[0], []).append(path)
    return dict(sorted(found.items()))


def _check_classes(train: _Found, val: _Found, *, folder: Path) -> None:
    """Raises ValueError if held-out images have a class without training images."""
    if bool(train.class_names) != bool(val.class_names):
        kinds = ["class folders" if found.class_names else "images without classes" for found in (train, val)]
        raise ValueError(
            f"Both splits must be of one kind. Received {kinds[0]} to train on, in '{printable(folder)}' {kinds[1]}."
        )
    if unknown := sorted(set(val.class_names) - set(train.class_names)):
        raise ValueError(
            f"'{printable(folder)}' has classes without training images: {', '.join(unknown)}. Move or add some."
        )


def _all_gray(paths: list[Path]) -> bool:
    """Returns whether every file with a header is stored in gray; stops at the first color image."""
    any_gray = False
    for path in paths:
        try:
            mode = image_header(path).mode
        except ValueError:
            continue
        if mode.partition(";")[0] not in _GRAY_MODES:  # "I;16" too.
            return False
        any_gray = True
    return any_gray


def _expected() -> str:
    return f"Expected {'; '.join(ACCEPTED_LAYOUTS)}."
