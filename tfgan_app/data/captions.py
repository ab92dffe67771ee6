"""Captions of images in a folder: `metadata.jsonl`, `metadata.csv`, or a text file beside each image."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.records import CAPTION, RecordFiles
from tfgan_app.files import printable

METADATA_NAMES = ("metadata.jsonl", "metadata.csv")
"""Files of captions, as in Hugging Face's imagefolder: rows with `file_name`, relative to the file, and `text`."""

_FILE, _TEXT = "file_name", "text"
_MAX_BYTES = 2**30
_EXPECTED = (
    "Expected a metadata.jsonl or metadata.csv with `file_name` and `text`, or a text file beside each image "
    "(cat.txt beside cat.png)"
)


@dataclasses.dataclass(frozen=True)
class CaptionedSet:
    """Training and held-out images with a caption each.

    Attributes:
        images: The images; a label is the index of the image's caption.
        captions: The distinct captions of both splits, sorted.
        without: Number of images that were left out because they have no caption.
    """

    images: LabeledSet
    captions: tuple[str, ...]
    without: int


def with_captions(found: LabeledSet) -> CaptionedSet:
    """Finds the captions of a folder's images. Images without one are left out.

    An image's caption is that of the nearest folder above it with a file of `METADATA_NAMES` that names it, else the
    text file beside it. Of several captions the first is used.

    Args:
        found: Images of a folder.

    Raises:
        ValueError: If the images are no files, a file of captions is damaged, or there are no captions.
    """
    if found.train.paths is None or found.val.paths is None:
        raise ValueError(f"`task.captions=true` needs a folder of images with captions. Received: {found.origin}.")
    texts = [_captions_of(split, Path(found.origin)) for split in (found.train, found.val)]
    captions = tuple(sorted({text for split in texts for text in split if text}))
    if not captions:
        raise ValueError(f"There are no captions in '{printable(found.origin)}'. {_EXPECTED}.")
    index = {text: label for label, text in enumerate(captions)}
    parts = [
        _labeled(split, [index.get(text, -1) for text in own])
        for split, own in zip((found.train, found.val), texts, strict=True)
    ]
    images = dataclasses.replace(
        found, layout=f"{found.layout}, with captions", class_names=(), train=parts[0], val=parts[1]
    )
    return CaptionedSet(images, captions, without=sum(not text for split in texts for text in split))


def caption_reader(root: Path) -> Callable[[Path], str]:
    """Returns a function from an image below a folder to its caption; empty without one."""
    return _Reader(root).caption


def _captions_of(images: LabeledImages, root: Path) -> list[str]:
    paths = images.paths
    if isinstance(paths, RecordFiles):
        texts = paths.store.texts(CAPTION)
        return [texts[row] for row in paths.rows.tolist()]
    return list(map(caption_reader(root), paths or ()))


def _labeled(images: LabeledImages, labels: list[int]) -> LabeledImages:
    kept = [index for index, label in enumerate(labels) if label >= 0]
    chosen = images.select(kept)
    return LabeledImages(chosen.names, np.array([labels[i] for i in kept], np.int32), chosen.paths, chosen.images)


class _Reader:
    """Captions of the images below a folder; each file of captions is read once."""

    def __init__(self, root: Path):
        self._root = root
        self._folder = functools.cache(_read_folder)

    def caption(self, path: Path) -> str:
        """Returns the caption of an image; empty without one."""
        for folder in path.parents:
            text = self._folder(folder).get(path.relative_to(folder).as_posix(), "")
            if text or folder == self._root:
                break
        return text or _beside(path)


def _beside(path: Path) -> str:
    file = path.with_suffix(".txt")
    if not file.is_file():
        return ""
    return " ".join(_read_text(file).split())


def _read_folder(folder: Path) -> dict[str, str]:
    """Returns the captions of a folder's own files of captions by file name."""
    found: dict[str, str] = {}
    for name in METADATA_NAMES:
        file = folder / name
        if file.is_file():
            rows = _json_rows(file) if file.suffix == ".jsonl" else _csv_rows(file)
            for file_name, text in rows:
                found.setdefault(Path(file_name).as_posix(), " ".join(text.split()))
    return found


def _json_rows(file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"Line {number} of '{printable(file)}' is not JSON: {error.msg}.") from error
        yield _checked(row, file, number)


def _csv_rows(file: Path) -> Iterator[tuple[str, str]]:
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(_read_text(file), newline=""), strict=True), start=2):
            yield _checked(row, file, number)
    except csv.Error as error:
        raise ValueError(f"Cannot read '{printable(file)}' as CSV: {error}.") from error


def _checked(row: object, file: Path, number: int) -> tuple[str, str]:
    values = row if isinstance(row, dict) else {}
    if not all(isinstance(values.get(key), str) for key in (_FILE, _TEXT)):
        received = ", ".join(map(str, values)) or type(row).__name__
        raise ValueError(
            f"Line {number} of '{printable(file)}' must have the texts `{_FILE}` and `{_TEXT}`. Received: {received}."
        )
    return values[_FILE], values[_TEXT]


def _read_text(file: Path) -> str:
    if file.stat().st_size > _MAX_BYTES:
        raise ValueError(f"'{printable(file)}' is larger than {_MAX_BYTES} bytes.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"'{printable(file)}' must be text in UTF-8: {error.reason} at byte {error.start}.") from error
