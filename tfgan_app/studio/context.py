"""State of the page: its folders, its jobs and its temporary files."""

from __future__ import annotations

import datetime
import functools
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from tfgan_app.arguments.parsing import error_message
from tfgan_app.files import printable
from tfgan_app.studio.jobs import JobQueue
from tfgan_app.studio.places import Places

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass
class Studio:
    """All that the tabs share.

    Attributes:
        places: The allowed folders.
        jobs: The queue.
        temporary: Folder of uploads and previews, removed at the end.
        files: Files that the page links to, by their number; see `link`.
        lock: Held while a model runs in this process: its engines are not made for several threads.
    """

    places: Places
    jobs: JobQueue
    temporary: Path
    files: list[Path] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_folder(self, name: str) -> Path:
        """Returns a new temporary folder."""
        folder = self.temporary / f"{name}-{_stamp()}"
        folder.mkdir(parents=True)
        return folder

    def gather(self, uploads: Sequence[str]) -> Path:
        """Returns one folder with uploads, which arrive in a folder each; equal names get a number.

        Raises:
            ValueError: If there are too many, or one is too large.
        """
        paths = self.places.check_uploads(uploads)
        folder = self.new_folder("uploads")
        for path in paths:
            target = folder / path.name
            number = 2
            while target.exists():
                target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
            try:
                os.link(path, target)
            except OSError:  # Another disk, or one without links.
                shutil.copyfile(path, target)
        return folder

    def link(self, path: Path) -> str:
        """Returns an address of this server under which a file can be fetched."""
        if path not in self.files:
            self.files.append(path)
        return f"studio/files/{self.files.index(path)}/{path.stat().st_mtime_ns}"


def _stamp() -> str:
    return datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")


def new_name(prefix: str) -> str:
    """Returns a name with date and time, for a run or for results."""
    return f"{prefix}-{datetime.datetime.now():%Y%m%d-%H%M%S}"


def one_message(function: _Function) -> _Function:
    """Shows errors that a user can cause as one message on the page, until it is closed."""

    @functools.wraps(function)
    def shown(*values: Any, **options: Any) -> Any:
        try:
            return function(*values, **options)
        except (ValueError, OSError) as error:
            text = printable(error_message(error))
        except MemoryError:
            text = "Not enough memory. Choose a smaller image or output, or close other programs."
        raise gr.Error(text, duration=None, title="This did not work", print_exception=False)

    return shown  # type: ignore[return-value]
