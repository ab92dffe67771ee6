"""Metrics as a person reads them on a terminal."""

from __future__ import annotations

from collections.abc import Callable

from tfgan_app.callbacks import find_baseline


def format_metrics(metrics: dict[str, float], *, write: Callable[[float], str] = "{:.4g}".format) -> str:
    """One line a metric, beside its baseline where one was measured."""
    baselines = {name: find_baseline(metrics, name) for name in metrics}
    beside = {f"{found[0].prefix}{name}" for name, found in baselines.items() if found}
    lines = []
    for name in (name for name in metrics if name not in beside):
        found = baselines[name]
        compared = f"   ({found[0].label}: {write(found[1])})" if found else ""
        lines.append(f"{name:>16}  {write(metrics[name])}{compared}")
    return "\n".join(lines)
