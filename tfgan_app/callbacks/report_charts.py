"""Line charts as inline SVG: crisp at any size, and coloured by the page's style sheet (light or dark)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 420, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 26
MAX_POINTS = 400
SMOOTH_FROM_POINTS = 60


@dataclasses.dataclass(frozen=True)
class Series:
    """One curve.

    Attributes:
        label: Its name in the legend.
        points: (step, value); values that are not finite are gaps.
        dashed: Drawn as a dashed line, for something to compare with.
    """

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False

    @property
    def finite(self) -> list[tuple[float, float]]:
        """The points whose value is finite."""
        return [(step, value) for step, value in self.points if math.isfinite(value)]


@dataclasses.dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start_px: float
    end_px: float

    def px(self, value: float) -> float:
        clipped = min(max(value, self.low), self.high)
        return self.start_px + (clipped - self.low) / (self.high - self.low) * (self.end_px - self.start_px)


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    value_range: tuple[float, float] | None = None,
    marks: Sequence[int] = (),
) -> str:
    """Draws a chart with its title and legend.

    Long, noisy curves are drawn faintly with a smoothed one over them.

    Args:
        title: Above the chart.
        series: The curves; those without a finite value are left out.
        value_range: Lowest and highest value shown; by default what the curves need.
        marks: Steps to mark with a vertical line, for example where something was warned of.

    Returns:
        An HTML `<figure>`, or an empty string when there is nothing to draw.
    """
    series = [curve for curve in series if curve.finite]
    if not series:
        return ""
    x_axis = _step_axis(series)
    y_axis = _Axis(*(value_range or _value_range(series)), HEIGHT - BOTTOM, TOP)
    parts = [_grid_lines(x_axis, y_axis)]
    parts += [_mark(x_axis.px(step)) for step in marks if x_axis.low <= step <= x_axis.high]
    parts += [_curve(curve, index, (x_axis, y_axis)) for index, curve in enumerate(series)]
    legend = "".join(_legend_entry(curve, index) for index, curve in enumerate(series))
    return (
        f'<figure class="chart"><figcaption><strong>{escape(title)}</strong>'
        f'<span class="legend">{legend}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)} by training step">'
        f"{''.join(parts)}</svg></figure>"
    )


def _step_axis(series: Sequence[Series]) -> _Axis:
    steps = [step for curve in series for step, _ in curve.finite]
    low = 0.0 if min(steps) < 0.2 * max(steps) else float(min(steps))
    return _Axis(low, max(float(max(steps)), low + 1), LEFT, WIDTH - RIGHT)


def _value_range(series: Sequence[Series]) -> tuple[float, float]:
    values = sorted(value for curve in series for _, value in curve.finite)
    # A GAN's first steps may spike far off; past a hundred points the top 1% do not set the scale.
    trimmed = len(values) // 100
    low, high = values[trimmed], values[-1 - trimmed]
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return (0.0 if 0 <= low < margin * 3 else low - margin), high + margin


def _grid_lines(x_axis: _Axis, y_axis: _Axis) -> str:
    parts = []
    for value in _ticks(y_axis.low, y_axis.high, 4):
        y = y_axis.px(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    for step in _ticks(x_axis.low, x_axis.high, 5):
        x = x_axis.px(step)
        anchor = "end" if x > WIDTH - RIGHT - 12 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 7}" text-anchor="{anchor}">{_short(step)}</text>')
    return "".join(parts)


def _mark(x: float) -> str:
    return f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'


def _curve(curve: Series, index: int, axes: tuple[_Axis, _Axis]) -> str:
    points = _thinned(curve.finite)
    colour = "baseline" if curve.dashed else f"s{index % 4}"
    if len(points) == 1 and not curve.dashed:
        return _dot(points[0], colour, axes)
    if len(points) == 1:  # A baseline that was measured once still is a line to compare with.
        points = [(axes[0].low, points[0][1]), (axes[0].high, points[0][1])]
    if curve.dashed:
        return _polyline(points, colour, axes)
    if len(points) < SMOOTH_FROM_POINTS:
        return _polyline(points, colour, axes) + _dot(points[-1], colour, axes)
    return _polyline(points, f"{colour} raw", axes) + _polyline(_smoothed(points), colour, axes)


def _polyline(points, css_class: str, axes: tuple[_Axis, _Axis]) -> str:
    coordinates = " ".join(f"{axes[0].px(step):.1f},{axes[1].px(value):.1f}" for step, value in points)
    return f'<polyline class="{css_class}" points="{coordinates}"/>'


def _dot(point: tuple[float, float], css_class: str, axes: tuple[_Axis, _Axis]) -> str:
    x, y = axes[0].px(point[0]), axes[1].px(point[1])
    return f'<circle class="{css_class}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _legend_entry(curve: Series, index: int) -> str:
    colour = "baseline" if curve.dashed else f"s{index % 4}"
    last = f"{curve.finite[-1][1]:.4g}"
    return f'<span><i class="{colour}"></i>{escape(curve.label)} <b>{last}</b></span>'


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    size = math.ceil(len(points) / MAX_POINTS)
    bins = [points[start : start + size] for start in range(0, len(points), size)]
    return [(bin_[-1][0], sum(value for _, value in bin_) / len(bin_)) for bin_ in bins]


def _smoothed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    # Centred, not trailing: a trailing mean would draw every fall and rise too late.
    reach, smooth = len(points) // 25, []
    for index, (step, _) in enumerate(points):
        near = min(reach, index, len(points) - 1 - index)
        window = [value for _, value in points[index - near : index + near + 1]]
        smooth.append((step, sum(window) / len(window)))
    return smooth


def _ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _short(value: float) -> str:
    if value and abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M"
    if value and abs(value) >= 1e4:
        return f"{value / 1e3:.4g}k"
    return f"{round(value, 9):.6g}"
