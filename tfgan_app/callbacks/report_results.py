"""Headline of the report: each metric of the result with its baseline."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TypeGuard

from tfgan_app.callbacks.validation import is_better
from tfgan_app.registry import METRICS, Metric


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A baseline of a metric.

    Attributes:
        prefix: Prefix of the metric's name, such as `copy_` in `copy_psnr`.
        label: Description of the baseline.
        is_limit: Whether it is the score of a perfect generator, which can be approached but not beaten.
    """

    prefix: str
    label: str
    is_limit: bool


BASELINES = (
    Baseline("copy_", "copying the input", is_limit=False),
    Baseline("showing_style_", "showing the style's image", is_limit=False),
    Baseline("bicubic_", "bicubic enlargement", is_limit=False),
    Baseline("floor_", "real images", is_limit=True),
)
"""Baselines of the report."""


def find_baseline(values: Mapping[str, float], metric: str) -> tuple[Baseline, float] | None:
    """Returns the measured baseline of a metric and its value, or None."""
    for baseline in BASELINES:
        if (name := f"{baseline.prefix}{metric}") in values:
            return baseline, float(values[name])
    return None


@dataclasses.dataclass(frozen=True)
class Result:
    """Value of a metric, with its baseline and its 95 % interval if they were measured."""

    metric: str
    value: float
    baseline: tuple[Baseline, float] | None
    interval: tuple[float, float] | None = None

    @property
    def style(self) -> Metric:
        """Label, unit and decimals of the metric."""
        return METRICS[self.metric]

    @property
    def rival(self) -> float | None:
        """The value of a baseline that can be beaten, else None."""
        return None if self.baseline is None or self.baseline[0].is_limit else self.baseline[1]

    def text(self, value: float) -> str:
        """Returns a value of this metric with its decimals and unit."""
        return f"{value:.{self.style.decimals}f} {self.style.unit}".rstrip()


def find_results(summary: Mapping[str, object], rows: Sequence[Mapping[str, float]]) -> list[Result]:
    """Returns the metrics of the summary, else of the last row with a validation.

    Args:
        summary: Values such as `psnr` and `copy_psnr`.
        rows: Rows of metrics.csv, with values such as `val_psnr` and `val_copy_psnr`.
    """
    values = {name: value for name, value in summary.items() if _is_number(value)}
    if not values.keys() & METRICS.keys():
        validated = [row for row in rows if any(f"val_{name}" in row for name in METRICS)]
        last = validated[-1] if validated else {}
        values = {name.removeprefix("val_"): value for name, value in last.items() if name.startswith("val_")}
    return [
        Result(name, float(values[name]), find_baseline(values, name), find_interval(values, name))
        for name in METRICS
        if name in values
    ]


def find_interval(values: Mapping[str, float], metric: str) -> tuple[float, float] | None:
    """Returns the measured 95 % interval of a metric, or None."""
    ends = values.get(f"{metric}_low"), values.get(f"{metric}_high")
    return None if None in ends else (float(ends[0]), float(ends[1]))


def results_html(results: Sequence[Result], *, caveats: Sequence[str] = ()) -> str:
    """Returns a summary sentence, a card for each result, and the caveats."""
    if not results:
        return '<p class="card muted">Not validated yet: the run ended before its first validation.</p>'
    cards = "".join(_card(result) for result in results)
    notes = "".join(f'<p class="small"><span class="chip warn">caution</span> {escape(line)}</p>' for line in caveats)
    return f'<p class="verdict">{_verdict(results)}</p><div class="cards">{cards}</div>{notes}'


def _verdict(results: Sequence[Result]) -> str:
    first = results[0]
    sentence = f"<strong>{escape(first.style.label)} {escape(first.text(first.value))}</strong> on held-out images"
    if first.baseline is not None:
        baseline, value = first.baseline
        if baseline.is_limit:
            sentence += f"; {escape(baseline.label)} in place of generated ones score {escape(first.text(value))}"
        else:
            side = "above" if first.value >= value else "below"
            sentence += (
                f", {first.text(abs(first.value - value))} {side} {baseline.label} ({escape(first.text(value))})"
            )
    compared = [result for result in results if result.rival is not None]
    if not compared:
        return f"{sentence}."
    label = escape(compared[0].baseline[0].label)
    better = [result for result in compared if is_better(result.metric, result.value, result.rival)]
    if len(better) == len(compared):
        chip = f'<span class="chip good">better than {label}</span>'
    elif better:
        names = escape(", ".join(result.style.label for result in compared if result not in better))
        chip = f'<span class="chip warn">not better than {label} in {names}</span>'
    else:
        chip = f'<span class="chip bad">not better than {label}</span>'
    return f"{sentence}. {chip}"


def _card(result: Result) -> str:
    style = result.style
    direction = "higher is better" if METRICS[result.metric].higher_is_better else "lower is better"
    number = f"{result.value:.{style.decimals}f}"
    unit = f" <small>{escape(style.unit)}</small>" if style.unit else ""
    html = (
        f'<div class="card metric"><div class="name">{escape(style.label)} · {direction}</div>'
        f'<div class="value">{number}{unit}</div>'
    )
    if result.rival is not None:
        better = is_better(result.metric, result.value, result.rival)
        word = "better" if better else "worse" if result.value != result.rival else "the same"
        amount = escape(result.text(abs(result.value - result.rival)))
        html += f'<span class="chip {"good" if better else "bad"}">{amount} {word}</span>'
    if result.interval is not None:
        low, high = (f"{end:.{style.decimals}f}" for end in result.interval)
        html += f'<div class="base">95 % interval: {low} to {high}</div>'
    if result.baseline is not None:
        baseline, value = result.baseline
        html += f'<div class="base">{escape(baseline.label)}: {escape(result.text(value))}</div>'
    return html + "</div>"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
