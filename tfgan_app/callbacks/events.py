"""Events of a run, for the console and the report.

`events.jsonl` holds one JSON object per line: `{"time": ..., "step": ..., "kind": ..., "message": ...}`.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from tfgan_app.files import printable

EVENTS_FILE = "events.jsonl"

ABOUT_FIGURES = "about the figures: "
"""Prefix of warnings that are also shown beside the results."""

Record = Callable[[int, str, str], None]
"""Takes (step, kind, message): `EventLog.record` or `say`."""

WRITE_ERRORS = (OSError, tf.errors.OpError)
"""Exceptions of a failed write, by Python or by TensorFlow."""


def say(step: int, kind: str, message: str) -> None:
    """Prints an event as one line on stderr, over any progress line.

    Args:
        step: Training step at which it happened.
        kind: `info`, `warning`, `error` or `rollback`.
        message: What happened and what to do about it.
    """
    say_line(f"tfgan_app: {kind} at step {step}: {printable(' '.join(message.split()))}")


def say_line(line: str) -> None:
    """Prints a line on stderr, over any progress line."""
    stream = sys.stderr
    try:
        erase_line = "\r\x1b[K" if stream.isatty() else ""
        stream.write(f"{erase_line}{line}\n")
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # A lost console (closed pipe, no stderr) must not end a run.


class EventLog:
    """Log of events in `events.jsonl` of a run directory and on stderr.

    Args:
        run_dir: The run directory; the first event creates it.
    """

    def __init__(self, run_dir: str | Path):
        self.path = Path(run_dir) / EVENTS_FILE

    def record(self, step: int, kind: str, message: str) -> None:
        """Prints an event on stderr and appends it to the file.

        A failed write is only reported on stderr, because a full disk is often the event itself.

        Args:
            step: Training step at which it happened.
            kind: `info`, `warning`, `error` or `rollback`.
            message: What happened and what to do about it.
        """
        say(step, kind, message)
        event = {"time": _now(), "step": int(step), "kind": kind, "message": message}
        try:
            self._append(json.dumps(event, ensure_ascii=False))
        except OSError as error:
            say(step, "warning", f"could not write {self.path}: {error}")

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a+b") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":  # A process was killed while writing its last line.
                    line = "\n" + line
            file.write(line.encode("utf-8", "backslashreplace") + b"\n")  # A valid JSON escape.


def read_events(run_dir: str | Path) -> list[dict]:
    """Returns the events of a run, oldest first; incomplete lines are left out.

    Args:
        run_dir: The run directory.

    Returns:
        Dictionaries with the keys `time`, `step`, `kind` and `message`.
    """
    path = Path(run_dir) / EVENTS_FILE
    if not path.is_file():
        return []
    events = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(event, dict) and {"step", "kind", "message"} <= event.keys():
            events.append(event)
    return events


def warning_events(events: Sequence[Mapping]) -> list[Mapping]:
    """Returns the events that need attention."""
    return [event for event in events if event["kind"] != "info"]


def figure_caveats(events: Sequence[Mapping]) -> list[str]:
    """Returns the caveats about the figures of a run."""
    messages = dict.fromkeys(str(event["message"]) for event in warning_events(events))
    return [message.removeprefix(ABOUT_FIGURES) for message in messages if message.startswith(ABOUT_FIGURES)]


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
