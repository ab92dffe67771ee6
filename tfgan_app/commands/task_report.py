"""Messages about images on stderr: those of a task, with their exit code, and those about files that are left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfgan_app.config import RunConfig
from tfgan_app.files import printable
from tfgan_app.image_io.file_tree import survey_folder
from tfgan_app.image_io.loading import is_image
from tfgan_app.tasks.progress import LeftOut


class TaskReport:
    """Printer of a task's messages on stderr that records whether images were left out.

    Attributes:
        exit_code: 0, or 1 once an image was left out.
    """

    def __init__(self):
        self.exit_code = 0

    def __call__(self, message: str) -> None:
        """Prints one line; a `LeftOut` names images that the task cannot use."""
        print(f"tfgan_app: {printable(message)}", file=sys.stderr)
        if isinstance(message, LeftOut):
            self.exit_code = 1


def data_folders(config: RunConfig) -> list[str | None]:
    """Returns the data sources of a run."""
    return [config.data.source, *(getattr(config.task, name, None) for name in ("styles", "low_res"))]


def report_leftovers(source: str | None, report: Callable[[str], Any]) -> None:
    """Reports the files and folders that the image readers leave out.

    Args:
        source: A data source; only folders have leftovers.
        report: Called with one line for each unreadable folder (`LeftOut`) and each linked folder that is not
            followed, and with one about files that look like images or videos.
    """
    if source is None or not Path(source).is_dir():
        return
    survey = survey_folder(source, takes=is_image)
    for _, problem in survey.problems:
        report(LeftOut(problem))
    for path, note in survey.notes:
        report(f"'{printable(path)}' {note}")
    if survey.left_alone:
        report(f"'{printable(source)}': {survey.left_alone}")
