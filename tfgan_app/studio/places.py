"""Bounds of the page: folders that it may read and write, and limits on uploads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfgan_app.files import printable
from tfgan_app.registry import is_own
from tfgan_app.shipped import is_shipped

_MEBIBYTE = 2**20
_DEPTH = 4
_MOST_FOLDERS = 3000
"""Bounds of a search for models and images below an allowed folder: it runs while the user waits."""

_MOST_FOUND = 200
_WITHOUT_RUNS = frozenset({"node_modules", "checkpoints", "samples", "logs", "__pycache__", "site-packages"})


@dataclass(frozen=True)
class Bounds:
    """Limits on uploads.

    Attributes:
        max_bytes: Size of one file.
        max_files: Number of files at a time.
        max_pixels: Pixels of one image.
    """

    max_bytes: int = 512 * _MEBIBYTE
    max_files: int = 200
    max_pixels: int = 100_000_000


class Places:
    """The folders that the page may read and write; paths outside of them are refused.

    Links are followed before the check, so a link inside of an allowed folder leads nowhere else.
    """

    def __init__(self, folders: Sequence[str | os.PathLike] = (), *, bounds: Bounds | None = None):
        """Takes the allowed folders.

        Args:
            folders: Existing folders; by default the current one. Relative paths start at the first.
            bounds: Limits on uploads.

        Raises:
            ValueError: If one of them is not a folder.
        """
        wanted = [Path(folder) for folder in folders] or [Path.cwd()]
        for folder in wanted:
            if not folder.is_dir():
                raise ValueError(f"`--allow` must be an existing folder. Received: '{printable(folder)}'.")
        self.folders = tuple(folder.resolve() for folder in wanted)
        self.bounds = bounds or Bounds()
        self._working = Path.cwd().resolve()

    @property
    def home(self) -> Path:
        """The folder where relative paths start."""
        return self.folders[0]

    def path(self, text: str, *, what: str) -> Path:
        """Returns a path that the user has written, if it is allowed.

        Args:
            text: The path, absolute or relative to the first folder; spaces and quotes around it are left out.
            what: Name of the field, for messages.

        Raises:
            ValueError: If it is empty, or outside of the allowed folders.
        """
        text = (text or "").strip().strip("\"'")
        if not text or "\0" in text:
            raise ValueError(f"{what}: a path is expected. Received none.")
        try:
            found = (self.home / Path(text).expanduser()).resolve()
        except (OSError, RuntimeError) as error:  # A loop of links; no such user.
            raise ValueError(f"{what}: '{printable(text)}' cannot be followed: {error}") from None
        if not any(found.is_relative_to(folder) for folder in self.folders):
            allowed = ", ".join(printable(folder) for folder in self.folders)
            raise ValueError(
                f"{what}: '{printable(text)}' is outside of the allowed folders ({allowed}). Move it there, or start "
                "the studio with `--allow DIR`."
            )
        return found

    def existing(self, text: str, *, what: str) -> Path:
        """Returns an allowed path that exists.

        Raises:
            ValueError: As for `path`, or if there is nothing.
        """
        found = self.path(text, what=what)
        if not found.exists():
            raise ValueError(f"{what}: there is no '{printable(found)}'.")
        return found

    def shown(self, path: str | os.PathLike) -> str:
        """Returns a path as commands take it: relative to the working folder if it is inside of it."""
        found = Path(path)
        return str(found.relative_to(self._working)) if found.is_relative_to(self._working) else str(found)

    def model(self, name: str) -> str:
        """Returns a model for a command: a shipped model's name, or an allowed path without code of its own.

        Raises:
            ValueError: If there is no such model, or its run names modules of the user's own.
        """
        name = (name or "").strip()
        if not name:
            raise ValueError("Choose a model first.")
        if is_shipped(name):
            return name
        found = self.existing(name, what="Model")
        check_without_code(found)
        return self.shown(found)

    def check_uploads(self, paths: Sequence[str | os.PathLike]) -> list[Path]:
        """Returns uploaded files within the bounds; images are measured by their headers.

        Raises:
            ValueError: If there are too many, or one is too large. The message names it.
        """
        if len(paths) > self.bounds.max_files:
            raise ValueError(
                f"At most {self.bounds.max_files} files can be dropped at a time. Received: {len(paths)}. Name their "
                "folder instead."
            )
        found = [Path(path) for path in paths]
        for path in found:
            if path.stat().st_size > self.bounds.max_bytes:
                raise ValueError(
                    f"'{printable(path.name)}' must have at most {self.bounds.max_bytes // _MEBIBYTE} MB. Name its "
                    "folder instead."
                )
            self._check_pixels(path)
        return found

    def _check_pixels(self, path: Path) -> None:
        from tfgan_app.image_io.loading import image_header, is_image

        if not is_image(path):
            return
        try:
            header = image_header(path)
        except (ValueError, OSError):
            return  # `predict` names the file with the reason and goes on with the others.
        if header.width * header.height > self.bounds.max_pixels:
            raise ValueError(
                f"'{printable(path.name)}' must have at most {self.bounds.max_pixels:,} pixels. Received: "
                f"{header.width} x {header.height}."
            )

    def walk(self) -> Iterator[tuple[Path, list[str], list[str]]]:
        """Yields the allowed folders and those below them, with the names in them, down to a bounded depth."""
        left = _MOST_FOLDERS
        for root in self.folders:
            for folder, folders, files in os.walk(root):
                path = Path(folder)
                depth = len(path.relative_to(root).parts)
                kept = [name for name in sorted(folders) if not name.startswith(".") and name not in _WITHOUT_RUNS]
                yield path, folders[:], sorted(files)
                folders[:] = kept if depth < _DEPTH else []
                left -= 1
                if not left:
                    return

    def image_folders(self) -> list[str]:
        """Returns folders that hold images in themselves or in folders below, as a training reads them."""
        from tfgan_app.image_io.loading import is_image

        found: dict[Path, None] = {}
        for folder, _, files in self.walk():
            if any(is_image(Path(name)) for name in files):
                found |= dict.fromkeys(_data_roots(folder, self.folders))
        return [self.shown(folder) for folder in found][:_MOST_FOUND]


_SPLITS = frozenset({"train", "val", "test", "A", "B", "trainA", "trainB", "testA", "testB"})


def _data_roots(folder: Path, allowed: Sequence[Path]) -> list[Path]:
    """Returns the data set that a folder of images belongs to: above its split, or the folder of classes."""
    while folder.name in _SPLITS and folder not in allowed:
        folder = folder.parent
    above = folder.parent
    is_class = above not in allowed and any(above.is_relative_to(each) for each in allowed)
    return [folder, *([above] if is_class and above.name not in _SPLITS else [])]


def check_without_code(model: Path) -> None:
    """Refuses a run whose configuration names modules of the user's own: the page runs no code of models.

    Raises:
        ValueError: If the run names one.
    """
    config = model / "config.json"
    if not config.is_file():
        return
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        sections = [section for name, section in values.items() if name != "data"]  # `keras:NAME` is no module.
    except (OSError, ValueError, AttributeError):
        return  # The command says so.
    if named := [text for text in _texts(sections) if is_own(text)]:
        raise ValueError(
            f"The run '{printable(model.name)}' names code of its own: {printable(named[0])}. The page runs no code "
            "of models; use the command line for it."
        )


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, (dict, list)):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _texts(value)
