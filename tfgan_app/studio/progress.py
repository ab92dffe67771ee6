"""Progress of a command, read from the lines that it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PERCENT = re.compile(r"(?<![\d.])(\d{1,3})%")
_COUNT = re.compile(r"(?:step )?(\d+)/(\d+)(?: (?:images|frames)| +(?:\[|\d+%))")
_LEFT = re.compile(r"(\d+(?::\d\d){1,2}) left|ETA (\d+(?::\d\d){1,2})")
_ERROR = re.compile(r"^tfgan_app(?: \w+)?: error: (.*)$")
_END_OF_USAGE = re.compile(r" \(see `tfgan_app[^`]*`\)$")


@dataclass(frozen=True)
class Progress:
    """Progress of a command.

    Attributes:
        share: Part that is done, in [0, 1].
        left: Time left as the command prints it; empty if unknown.
    """

    share: float
    left: str = ""


def read_progress(line: str) -> Progress | None:
    """Returns the progress in a line of `predict` or `train`; None for any other line."""
    count, percent, left = _COUNT.search(line), _PERCENT.search(line), _LEFT.search(line)
    if count is None and not (percent and (left or line.strip() == percent[0])):
        return None
    done, total = (int(percent[1]), 100) if percent else (int(number) for number in count.groups())
    return Progress(min(done / max(total, 1), 1.0), next(filter(None, left.groups()), "") if left else "")


def error_of(lines: list[str]) -> str:
    """Returns the one message of a command that failed: its error line, else the last line that it printed."""
    for line in reversed(lines):
        if found := _ERROR.match(line):
            return _END_OF_USAGE.sub("", found[1])
    printed = [line.strip() for line in lines if line.strip()]
    return printed[-1] if printed else "it printed nothing"
