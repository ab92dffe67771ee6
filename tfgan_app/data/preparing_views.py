"""Ways to see a folder, for its prepared set: labeled images, images without classes, pairs, captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.data.captions import caption_reader
from tfgan_app.data.folders import held_out_draw
from tfgan_app.data.image_pairs import PAIRS, ImagePair, PairSet
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.opening import holds_pairs, open_labeled
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.prepared import IMAGES, LABELED
from tfgan_app.data.record_columns import write_column, write_texts
from tfgan_app.data.record_index import is_prepared
from tfgan_app.data.records import CAPTION
from tfgan_app.files import printable
from tfgan_app.image_io.loading import find_images


@dataclass(frozen=True)
class Views:
    """What the readers of folders find in one.

    Attributes:
        root: The folder.
        files: All its images, in the order of the records.
        found: What each reader found, or the message of its error, by the name of the view.
        holds_pairs: Whether the folder counts as pairs rather than labeled images.
    """

    root: Path
    files: list[Path]
    found: dict[str, LabeledSet | PairSet | str]
    holds_pairs: bool

    def write(self, index: Path) -> dict[str, Any]:
        """Writes the columns of the views into the index, and returns their facts for its file."""
        rows = {path: row for row, path in enumerate(self.files)}
        captions = caption_reader(self.root)
        write_texts(index, CAPTION, [captions(path) for path in self.files])
        views: dict[str, Any] = {}
        for kind, found in self.found.items():
            if isinstance(found, str):
                views[kind] = {"problem": found}
                continue
            splits = {"train": found.train} | ({} if found.val_is_holdout else {"val": found.val})
            for split, part in splits.items():
                _write_split(index, f"{kind}.{split}", part, rows)
            views[kind] = {"layout": found.layout, "splits": list(splits), **_facts(found)}
        return {"views": views, "holds_pairs": self.holds_pairs}


def find_views(source: Path) -> Views:
    """Finds the images of a folder in every way.

    Raises:
        ValueError: If it is no folder, or already prepared, or holds neither images nor pairs.
    """
    if not source.is_dir():
        raise ValueError(f"`--data` must be a folder of images. There is no folder '{printable(source)}'.")
    if is_prepared(source):
        raise ValueError(f"'{printable(source)}' is a prepared set already: train from it.")
    readers: dict[str, Callable[..., Any]] = {LABELED: open_labeled, IMAGES: open_images, PAIRS: find_pairs}
    found: dict[str, Any] = {}
    for kind, read in readers.items():
        try:
            found[kind] = read(source, val_fraction=0.0)
        except ValueError as error:
            found[kind] = str(error)
    if isinstance(found[IMAGES], str):
        raise ValueError(found[IMAGES])
    return Views(source, find_images(source), found, holds_pairs(source))


def _facts(found: LabeledSet | PairSet) -> dict[str, Any]:
    if isinstance(found, PairSet):
        first = found.train[0]
        unmatched = [printable(path) for path in found.unmatched]
        return {"halves": [first.input_half, first.target_half], "unmatched": unmatched}
    return {"class_names": list(found.class_names), "gray": found.gray}


def _write_split(index: Path, prefix: str, part: LabeledImages | Sequence[ImagePair], rows: dict[Path, int]) -> None:
    if isinstance(part, LabeledImages):
        names = part.names
        write_column(index, f"{prefix}.row", _rows(part.paths or (), rows))
        write_column(index, f"{prefix}.label", part.labels)
    else:
        names = [pair.name for pair in part]
        write_column(index, f"{prefix}.input", _rows([pair.input_path for pair in part], rows))
        write_column(index, f"{prefix}.target", _rows([pair.target_path for pair in part], rows))
    write_texts(index, f"{prefix}.name", names)
    write_column(index, f"{prefix}.draw", np.array([held_out_draw(name, seed=0) for name in names], np.float64))


def _rows(paths: Sequence[Path], rows: dict[Path, int]) -> np.ndarray:
    return np.array([rows[path] for path in paths], np.int64)
