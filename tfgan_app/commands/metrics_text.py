"""Metrics as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfgan_app.callbacks import METRICS, find_baseline, find_interval


def format_metrics(metrics: dict[str, float], *, write: Callable[[float], str] = "{:.4g}".format) -> str:
    """Returns one line per metric, with its baseline and 95 % interval if they were measured."""
    baselines = {name: find_baseline(metrics, name) for name in metrics}
    beside = {f"{found[0].prefix}{name}" for name, found in baselines.items() if found}
    intervals = {name: interval for name in metrics if (interval := find_interval(metrics, name))}
    beside |= {f"{name}{end}" for name in intervals for end in ("_low", "_high")}
    lines = []
    for name in (name for name in metrics if name not in beside):
        found, interval = baselines[name], intervals.get(name)
        compared = f"   ({found[0].label}: {write(found[1])})" if found else ""
        between = f"   [{write(interval[0])}, {write(interval[1])}]" if interval else ""
        lines.append(f"{name:>16}  {write(metrics[name])}{compared}{between}")
    return "\n".join(lines)


def validation_line(step: int, values: Mapping[str, float], *, best: Mapping | None) -> str:
    """Returns a line about a validation.

    Args:
        step: Step of the validation.
        values: Its metrics.
        best: `step`, `metric` and `value` of the best validation so far, including this one; None if there is none.
    """
    parts = []
    for name in (name for name in METRICS if name in values):
        found = find_baseline(values, name)
        compared = f" ({found[0].label} {found[1]:.4g})" if found else ""
        parts.append(f"{name} {values[name]:.4g}{compared}")
    standing = ""
    if best is not None:
        known = f"best: step {best['step']}, {best['metric']} {best['value']:.4g}"
        standing = "; the best so far" if best["step"] == step else f"; {known}"
    return f"validation at step {step}: {', '.join(parts)}{standing}"
