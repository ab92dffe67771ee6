"""Notices of lasting states: reported once when they begin, and once when they end."""

from __future__ import annotations

from collections.abc import Callable


class Notices:
    """Memory of the last notice on each subject."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """Starts without notices.

        Args:
            report: Receives each line.
        """
        self._report = report
        self._told: dict[str, str] = {}

    def report(self, subject: str, line: str) -> None:
        """Reports a line, unless it repeats the last one on the subject."""
        if self._told.get(subject) != line:
            self._report(line)
        self._told[subject] = line

    def settle(self, subject: str, line: str = "") -> None:
        """Reports that the state of the subject has ended, if there was a notice."""
        if self._told.pop(subject, None) and line:
            self._report(line)
