"""Human-readable durations."""

from __future__ import annotations

import contextlib
import os

PROGRESS_SECONDS = "TFGAN_APP_PROGRESS_SECONDS"
"""Environment variable: seconds between lines of progress into a file or a pipe."""


def progress_seconds(default: float) -> float:
    """Returns the seconds between lines of progress into a file or a pipe: `PROGRESS_SECONDS`, else the default."""
    with contextlib.suppress(ValueError):
        return max(float(os.environ.get(PROGRESS_SECONDS, default)), 0.0)
    return default


def format_seconds(seconds: float) -> str:
    """Returns a duration as `m:ss`, or `h:mm:ss` from an hour up."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
