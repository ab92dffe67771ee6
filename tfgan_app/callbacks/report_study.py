"""Report section on classifiers trained with generated images: a chart and tables for each data size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from tfgan_app.callbacks.report_charts import STAND_INS, chart

STUDY_FILE = "study.json"
STUDY_NOTE = (
    "The same small classifier trained on each kind of data for the same number of steps, and linear classifiers in "
    "closed form, all evaluated on held-out real images. Intervals are 95 % each, over seeds and images; an interval "
    "that contains zero is no measurable difference. With this many comparisons, one may exclude zero by chance."
)

_ROW_PX = 26
_CHIPS = {"gain": "good", "loss": "bad"}


def study_section(run_dir: Path) -> str:
    """Returns the HTML of `study.json`, which `tfgan_app evaluate` writes; empty if it cannot be read."""
    try:
        study = json.loads((run_dir / STUDY_FILE).read_text(encoding="utf-8"))
        return "\n".join(_size(size) for size in study["sizes"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _size(size: Mapping[str, Any]) -> str:
    count = size["real_per_class"]
    each = f", {count:,} per class" if count else ""
    title = f"{size['real_images']:,} real images{each}; {size['synthetic_images']:,} synthetic"
    arms, differences = size["arms"], size["differences"]
    drawn = chart(f"Accuracy: {title}", lambda axes: _draw(axes, arms), height_px=40 + _ROW_PX * len(arms))
    return (
        f'<p class="verdict">{escape(size["conclusion"])}</p>{_caveats(size)}<div class="charts">{drawn}'
        f'<div class="card"><table><tr><th>{escape(title)}</th><td>accuracy, deviation over seeds</td></tr>'
        f"{''.join(_arm_row(name, arm) for name, arm in arms.items())}</table></div></div>"
        f'<div class="card"><table>{"".join(map(_difference_row, differences))}</table></div>'
    )


def _caveats(size: Mapping[str, Any]) -> str:
    return "".join(f'<p class="muted small">{escape(line)}</p>' for line in size.get("caveats", ()))


def _draw(axes, arms: Mapping[str, Mapping[str, float]]) -> None:
    names = list(arms)
    for row, name in enumerate(names):
        accuracy, deviation = (100.0 * (arms[name][key] or 0.0) for key in ("accuracy", "seed_deviation"))
        axes.errorbar(accuracy, row, xerr=deviation, fmt="o", color=STAND_INS["s1" if "GAN" in name else "s0"])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=STAND_INS["line"], linewidth=1)


def _arm_row(name: str, arm: Mapping[str, float]) -> str:
    deviation = "" if arm["seed_deviation"] is None else f", {100 * arm['seed_deviation']:.2f}"
    return f'<tr><th scope="row">{escape(name)}</th><td>{100 * arm["accuracy"]:.2f} %{deviation}</td></tr>'


def _difference_row(row: Mapping[str, Any]) -> str:
    mean, low, high = (100.0 * row[key] for key in ("mean", "low", "high"))
    chip = f'<span class="chip {_CHIPS.get(row["verdict"], "warn")}">{escape(row["verdict"])}</span>'
    return (
        f'<tr><th scope="row">{escape(row["first"])} against {escape(row["second"])}</th>'
        f"<td>{mean:+.2f} points, {low:+.2f} to {high:+.2f} {chip}</td></tr>"
    )
