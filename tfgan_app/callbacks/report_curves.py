"""Curves of the report: losses, validation metrics with baselines, and discriminator outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfgan_app.callbacks.report_charts import Series, line_chart
from tfgan_app.callbacks.report_results import BASELINES, METRICS

Rows = Sequence[Mapping[str, float]]


def curves_html(rows: Rows, marks: Sequence[int]) -> str:
    """Returns charts of all logged values; minor ones are folded away.

    Args:
        rows: Rows of `metrics.csv`.
        marks: Steps with warnings.
    """
    names = list(dict.fromkeys(name for row in rows for name in row if name != "step"))
    main = [
        _chart("Generator loss", {"generator_loss": "loss"}, rows, marks=marks),
        _chart("Discriminator loss", {"discriminator_loss": "loss"}, rows, marks=marks),
    ]
    shown = {"generator_loss", "discriminator_loss", "real_accuracy", "fake_accuracy", "seconds", "nonfinite"}
    for metric, style in METRICS.items():
        labels = {f"val_{metric}": "result"}
        labels |= {f"val_{baseline.prefix}{metric}": baseline.label for baseline in BASELINES}
        main.append(_chart(f"Validation: {style.label}", labels, rows, marks=marks))
        shown |= labels.keys()
    shown |= {"real_logits", "fake_logits"}
    logits = {"real_logits": "real images", "fake_logits": "generated images"}
    main.append(_chart("Discriminator logits", logits, rows, marks=marks))
    accuracies = {"real_accuracy": "real images", "fake_accuracy": "generated images"}
    main.append(_chart("Discriminator accuracy", accuracies, rows, value_range=(0.0, 1.0), marks=marks))
    more = [
        _chart(name.replace("_", " ").capitalize(), {name: "value"}, rows, marks=marks)
        for name in names
        if name not in shown and not name.endswith(("_low", "_high"))
    ]
    html = _charts(main)
    if any(more):
        html += f"<details><summary>More curves</summary>{_charts(more)}</details>"
    if html and marks:
        html += '<p class="muted small">Dotted vertical lines mark the warnings below.</p>'
    return html


def _charts(charts: Sequence[str]) -> str:
    return f'<div class="charts">{"".join(charts)}</div>' if any(charts) else ""


def _chart(title: str, labels: Mapping[str, str], rows: Rows, *, value_range=None, marks=()) -> str:
    series = [
        Series(
            label,
            [(row["step"], row[name]) for row in rows if name in row],
            dashed=any(name.startswith(f"val_{baseline.prefix}") for baseline in BASELINES),
        )
        for name, label in labels.items()
    ]
    return line_chart(title, series, value_range=value_range, marks=marks)
