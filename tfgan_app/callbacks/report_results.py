"""The report's headline: each metric of the result beside what copying the input scores."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape

from tfgan_app.callbacks.validation import LOWER_IS_BETTER, is_better


@dataclasses.dataclass(frozen=True)
class MetricStyle:
    """How a metric is written: its label, unit and decimals."""

    label: str
    unit: str = ""
    decimals: int = 3


METRICS = {
    "psnr": MetricStyle("PSNR", "dB", 2),
    "ssim": MetricStyle("SSIM"),
    "l1": MetricStyle("L1 error", "", 4),
    "lpips": MetricStyle("LPIPS"),
    "fid": MetricStyle("FID", "", 1),
    "kid": MetricStyle("KID", "", 4),
}
"""Metrics that the report knows, in the order in which it shows them."""


@dataclasses.dataclass(frozen=True)
class Result:
    """One metric's value, with that of copying the input where it was measured."""

    metric: str
    value: float
    baseline: float | None

    @property
    def style(self) -> MetricStyle:
        """How it is written."""
        return METRICS[self.metric]

    @property
    def gain(self) -> float | None:
        """How much better than copying the input, negative when worse."""
        if self.baseline is None:
            return None
        difference = self.value - self.baseline
        return -difference if self.metric in LOWER_IS_BETTER else difference

    def text(self, value: float) -> str:
        """Returns a value of this metric with its decimals and unit."""
        return f"{value:.{self.style.decimals}f} {self.style.unit}".rstrip()


def find_results(summary: Mapping[str, object], rows: Sequence[Mapping[str, float]]) -> list[Result]:
    """Takes the metrics from the summary, else from the last validated row.

    Args:
        summary: May hold `psnr`, `copy_psnr` and so on.
        rows: Rows of metrics.csv, which may hold `val_psnr`, `val_copy_psnr` and so on.
    """
    values = {name: value for name, value in summary.items() if _is_number(value)}
    if not values.keys() & METRICS.keys():
        validated = [row for row in rows if any(f"val_{name}" in row for name in METRICS)]
        last = validated[-1] if validated else {}
        values = {name.removeprefix("val_"): value for name, value in last.items() if name.startswith("val_")}
    return [Result(name, float(values[name]), _baseline(values, name)) for name in METRICS if name in values]


def results_html(results: Sequence[Result]) -> str:
    """Returns the sentence that sums the results up, and a card for each."""
    if not results:
        return '<p class="card muted">Not validated yet: the run ended before its first validation.</p>'
    cards = "".join(_card(result) for result in results)
    return f'<p class="verdict">{_verdict(results)}</p><div class="cards">{cards}</div>'


def _verdict(results: Sequence[Result]) -> str:
    compared = [result for result in results if result.baseline is not None]
    first = results[0]
    said = f"<strong>{escape(first.style.label)} {escape(first.text(first.value))}</strong> on held-out pictures"
    if not compared:
        return f"{said}."
    if first.gain is not None:
        side = "above" if (first.value >= first.baseline) else "below"
        distance = first.text(abs(first.value - first.baseline))
        said += f", {distance} {side} copying the input ({first.text(first.baseline)})"
    better = [result for result in compared if is_better(result.metric, result.value, result.baseline)]
    if len(better) == len(compared):
        chip = '<span class="chip good">better than copying the input</span>'
    elif better:
        names = escape(", ".join(result.style.label for result in compared if result not in better))
        chip = f'<span class="chip warn">not better than copying the input in {names}</span>'
    else:
        chip = '<span class="chip bad">not better than copying the input</span>'
    return f"{said}. {chip}"


def _card(result: Result) -> str:
    style = result.style
    direction = "lower is better" if result.metric in LOWER_IS_BETTER else "higher is better"
    number = f"{result.value:.{style.decimals}f}"
    unit = f" <small>{escape(style.unit)}</small>" if style.unit else ""
    html = (
        f'<div class="card metric"><div class="name">{escape(style.label)} · {direction}</div>'
        f'<div class="value">{number}{unit}</div>'
    )
    if result.baseline is not None:
        better = is_better(result.metric, result.value, result.baseline)
        word = "better" if better else "worse" if result.value != result.baseline else "the same"
        amount = escape(result.text(abs(result.value - result.baseline)))
        html += f'<span class="chip {"good" if better else "bad"}">{amount} {word}</span>'
        html += f'<div class="base">copying the input: {escape(result.text(result.baseline))}</div>'
    return html + "</div>"


def _baseline(values: Mapping[str, float], name: str) -> float | None:
    value = values.get(f"copy_{name}")
    return None if value is None else float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
