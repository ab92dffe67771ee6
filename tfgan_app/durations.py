"""Human-readable durations."""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """Returns a duration as `m:ss`, or `h:mm:ss` from an hour up."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
