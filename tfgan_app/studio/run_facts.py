"""Facts of runs for the page, read from the files of their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfgan_app.files import printable

_HIDDEN_COLUMNS = frozenset({"step", "seconds"})
_BOUNDS = ("_low", "_high")
_EVENTS = 12
_MARKS = {"info": "", "warning": "Warning: ", "error": "Error: ", "rollback": "Rollback: "}


def curves(run_dirs: Sequence[Path], column: str) -> list[dict[str, Any]]:
    """Returns the values of a column over the steps of several runs.

    Args:
        run_dirs: Run directories.
        column: Column of `metrics.csv`.

    Returns:
        Rows of `step`, `value` and `run`, the folder's name.
    """
    from tfgan_app.callbacks import read_metrics

    return [
        {"step": row["step"], "value": row[column], "run": printable(run_dir.name)}
        for run_dir in run_dirs
        for row in read_metrics(run_dir)
        if column in row
    ]


def columns(run_dirs: Sequence[Path]) -> list[str]:
    """Returns the columns of the runs' `metrics.csv`: validation, generator's loss, others; no bounds of intervals."""
    from tfgan_app.callbacks import read_metrics

    names = dict.fromkeys(name for run_dir in run_dirs for row in read_metrics(run_dir) for name in row)
    shown = [name for name in names if name not in _HIDDEN_COLUMNS and not name.endswith(_BOUNDS)]
    return sorted(shown, key=lambda name: (not name.startswith("val_"), name != "generator_loss"))


def newest_grid(run_dir: Path) -> Path | None:
    """Returns the newest image grid of a run; None before the first one."""
    from tfgan_app.callbacks.grids import find_grids

    grids = find_grids(run_dir)
    return grids[-1][1] if grids else None


def health(run_dir: Path) -> str:
    """Returns the newest events of a run as Markdown, newest first."""
    from tfgan_app.callbacks import read_events

    events = read_events(run_dir)[::-1][:_EVENTS]
    if not events:
        return "No messages yet."
    return "\n".join(
        f"- step {event['step']}: {_MARKS.get(str(event['kind']), '')}{plain(str(event['message']))}"
        for event in events
    )


def last_step(run_dir: Path) -> str:
    """Returns the last step with figures of a run, in one line."""
    from tfgan_app.callbacks import read_metrics

    rows = read_metrics(run_dir)
    if not rows:
        return "no figures yet"
    row = rows[-1]
    shown = [f"{name.removeprefix('val_')} {row[name]:.4g}" for name in columns([run_dir])[:3] if name in row]
    return f"step {row['step']}: {', '.join(shown)}"


def plain(text: str) -> str:
    """Returns text without a meaning in Markdown or HTML."""
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "*_`[]#|" else character for character in escaped)
