"""Comparison of two evaluations with the same protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfgan_app.registry import METRICS

DECIDED_BY_INTERVALS = frozenset({"fid", "kid", "precision", "recall", "density", "coverage"})
"""Metrics whose overlapping intervals leave the verdict open. Not those of aligned pairs: there, both evaluations
measure the same images, whose difficulty widens both intervals without making the difference unclear."""

IGNORED_FIELDS = frozenset({"checkpoint", "classes", "data", "metrics_seed"})
"""Fields of a protocol that do not change the measurement: the source of the images, whether classes were chosen,
the folder of the real ones (a digest identifies them), and the seed."""


@dataclass(frozen=True)
class ComparedMetric:
    """One metric of two evaluations.

    Attributes:
        name: The metric.
        first: Its value in the first, None if it was not measured.
        second: Its value in the second.
        difference: Second minus first, None where one is missing.
        verdict: Whether the second is `"better"`, `"worse"` or `"equal"`; `"unclear"` where the confidence
            intervals overlap; `""` if neither direction is better or one is missing.
    """

    name: str
    first: float | None
    second: float | None
    difference: float | None
    verdict: str


def check_comparable(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Checks that two evaluations were measured in the same way.

    Args:
        first: Protocol of one evaluation: field -> value.
        second: Protocol of the other. Both may differ in `IGNORED_FIELDS`.

    Raises:
        ValueError: If another field differs or is missing; one line that names each and both values.
    """
    names = [name for name in dict.fromkeys([*first, *second]) if name not in IGNORED_FIELDS]
    unlike = [name for name in names if name not in first or name not in second or first[name] != second[name]]
    if unlike:
        fields = "; ".join(f"{name}: {_shown(first, name)} and {_shown(second, name)}" for name in unlike)
        raise ValueError(
            f"The two evaluations were measured in different ways and cannot be compared. They differ in {fields}. "
            "Evaluate both with the same settings."
        )


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[ComparedMetric]:
    """Compares two evaluations, metric by metric.

    Args:
        first: `{"metrics": {name: value}, "protocol": {field: value}}`, as `tfgan_app evaluate --json` writes it.
        second: The same of the other evaluation.

    Returns:
        One row per metric, in the order of the first, then those of the second alone.

    Raises:
        ValueError: If the protocols differ, or either is not an evaluation.
    """
    for evaluation in (first, second):
        if not all(isinstance(evaluation.get(part), Mapping) for part in ("metrics", "protocol")):
            raise ValueError(
                'An evaluation must hold "metrics" and "protocol", as `tfgan_app evaluate --json` writes them. '
                f"Received: {', '.join(map(str, evaluation)) or 'nothing'}."
            )
    check_comparable(first["protocol"], second["protocol"])
    metrics = first["metrics"], second["metrics"]
    return [_compared(name, *metrics) for name in dict.fromkeys([*metrics[0], *metrics[1]])]


def comparison_lines(rows: Sequence[ComparedMetric]) -> list[str]:
    """A table for a terminal: a header, then one line per metric.

    Args:
        rows: Result of `compare`.

    Returns:
        Lines without line ends.
    """
    cells: list[tuple[str, str, str, str, str]] = [("metric", "first", "second", "difference", "second is")]
    for row in rows:
        difference = _number(row.difference, sign="+")
        cells.append((row.name, _number(row.first), _number(row.second), difference, row.verdict))
    width = max(len(name) for name, *_ in cells)
    return [f"{name:>{width}}  {a:>10}  {b:>10}  {c:>10}  {verdict}".rstrip() for name, a, b, c, verdict in cells]


def _compared(name: str, first: Mapping[str, float], second: Mapping[str, float]) -> ComparedMetric:
    values = first.get(name), second.get(name)
    if None in values:
        return ComparedMetric(name, *values, None, "")
    difference = values[1] - values[0]
    return ComparedMetric(name, *values, difference, _verdict(name, difference, first, second))


def _verdict(name: str, difference: float, first: Mapping[str, float], second: Mapping[str, float]) -> str:
    if name not in METRICS:
        return ""
    if difference == 0:
        return "equal"
    low, high = f"{name}_low", f"{name}_high"
    has_intervals = name in DECIDED_BY_INTERVALS and all(
        bound in side for bound in (low, high) for side in (first, second)
    )
    if has_intervals and first[low] <= second[high] and second[low] <= first[high]:
        return "unclear"
    return "better" if (difference > 0) == METRICS[name].higher_is_better else "worse"


def _shown(protocol: Mapping[str, Any], name: str) -> str:
    return str(protocol[name]) if name in protocol else "(none)"


def _number(value: float | None, *, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.4g}"
