"""Task messages about images on stderr, and their exit code."""

from __future__ import annotations

import sys

from tfgan_app.files import printable
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
