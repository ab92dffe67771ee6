"""Progress, failures and notes of a prediction on stderr."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tfgan_app.durations import format_seconds, progress_seconds
from tfgan_app.files import printable

_REPORT_EVERY_SECONDS = 10.0


class PredictProgress:
    """Progress on stderr: on one line of a terminal, else a line every few seconds."""

    def __init__(self):
        self._start = self._shown = time.monotonic()
        self._every_seconds = progress_seconds(_REPORT_EVERY_SECONDS)
        self._line = ""
        self._images = ""

    def show(self, done: int, total: int) -> None:
        """Shows the number of images."""
        rate = done / max(time.monotonic() - self._start, 1e-6)
        self._images = f"{done}/{total} images"
        self._print(f"{self._images}, {rate:.1f}/s")

    def show_pixels(self, done: int, total: int) -> None:
        """Shows the share of input pixels, which gives progress within large images."""
        counted = f"{self._images}, " if self._images else ""
        self._print(f"{counted}{done / max(total, 1):.0%}{self._left(done, total)}")

    def show_frames(self, done: int, total: int | None) -> None:
        """Shows the number of frames of a video; the total may be unknown (None)."""
        of = f"/{total}" if total else ""
        self._print(f"{done}{of} frames{self._left(done, total or 0)}")

    def interrupt(self, source: Path, reason: str) -> None:
        """Prints a failure on a separate line; `reason` names the source."""
        del source
        self.end()
        print(printable(reason), file=sys.stderr, flush=True)

    def note(self, source: Path, text: str) -> None:
        """Prints a note about content of an image that could not be kept."""
        self.end()
        print(f"note: '{printable(source)}': {printable(text)}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Ends the progress line with a line break."""
        if self._line:
            print(file=sys.stderr)
            self._line = ""

    def _left(self, done: int, total: int) -> str:
        if not 0 < done < total:
            return ""
        return f", {format_seconds((total - done) * (time.monotonic() - self._start) / done)} left"

    def _print(self, line: str) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            print(f"\r{line:<{len(self._line)}}", end="", file=sys.stderr, flush=True)
            self._line = line
        elif now - self._shown >= self._every_seconds:
            print(line, file=sys.stderr, flush=True)
            self._shown = now
