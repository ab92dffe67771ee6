"""Lines about a state that lasts: told once when it begins, and once when it ends."""

from __future__ import annotations

from collections.abc import Callable


class Notices:
    """Remembers what was told about each subject."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """Starts with nothing told.

        Args:
            report: Gets each line.
        """
        self._report = report
        self._told: dict[str, str] = {}

    def tell(self, subject: str, line: str) -> None:
        """Reports a line, unless it is what was told last about the subject."""
        if self._told.get(subject) != line:
            self._report(line)
        self._told[subject] = line

    def settle(self, subject: str, line: str = "") -> None:
        """Reports that what was told about the subject is over, if anything was."""
        if self._told.pop(subject, None) and line:
            self._report(line)
