"""What happened in a run, for the person at the console and for the report.

One JSON object a line in `events.jsonl`: `{"time": ..., "step": ..., "kind": ..., "message": ...}`.
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
"""What the message of a warning begins with that belongs beside the results, too."""

Record = Callable[[int, str, str], None]
"""Takes (step, kind, message): `EventLog.record` or `say`."""

WRITE_ERRORS = (OSError, tf.errors.OpError)
"""What a failed write raises: Python's own error, or TensorFlow's where TensorFlow does the writing."""


def say(step: int, kind: str, message: str) -> None:
    """Prints one event as one line on stderr, over a progress line that may be standing there.

    Args:
        step: Training step at which it happened.
        kind: `info`, `warning`, `error` or `rollback`.
        message: What happened and what to do about it.
    """
    say_line(f"tfgan_app: {kind} at step {step}: {printable(' '.join(message.split()))}")


def say_line(line: str) -> None:
    """Prints a line on stderr, over a progress line that may be standing there."""
    stream = sys.stderr
    try:
        erase_line = "\r\x1b[K" if stream.isatty() else ""
        stream.write(f"{erase_line}{line}\n")
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # A console that has gone away (closed pipe, no stderr) must not end a run.


class EventLog:
    """Appends events to `events.jsonl` in a run directory and says each on stderr.

    Args:
        run_dir: The run directory; made when the first event is recorded.
    """

    def __init__(self, run_dir: str | Path):
        self.path = Path(run_dir) / EVENTS_FILE

    def record(self, step: int, kind: str, message: str) -> None:
        """Says the event on stderr and appends it to the file.

        A disk that is full is often the very thing to record, so a failed write is only said.

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
                if file.read(1) != b"\n":  # A process was killed inside its last line.
                    line = "\n" + line
            file.write(line.encode("utf-8", "backslashreplace") + b"\n")  # A valid escape of JSON.


def read_events(run_dir: str | Path) -> list[dict]:
    """Returns the events of a run, oldest first; lines that a crash cut short are left out.

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
    """Those of `read_events` that a person should look at."""
    return [event for event in events if event["kind"] != "info"]


def figure_caveats(events: Sequence[Mapping]) -> list[str]:
    """What of `read_events` says about the figures of a run."""
    messages = dict.fromkeys(str(event["message"]) for event in warning_events(events))
    return [message.removeprefix(ABOUT_FIGURES) for message in messages if message.startswith(ABOUT_FIGURES)]


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
