"""Line charts of the report: SVG text from matplotlib with the colors and font of the page."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from tfgan_app.caches import give_matplotlib_a_home

WIDTH_PX, HEIGHT_PX = 420, 230
SMOOTH_FROM_POINTS = 60

# matplotlib does not support CSS variables: these colors are placeholders, replaced in the SVG text.
COLORS = ("s0", "s1", "s2", "s3", "baseline", "line", "warn")
STAND_INS = {name: f"#{index:06x}" for index, name in enumerate(COLORS, 1)}
# Ids and style rules apply to the whole page, so two charts would clash; the font is that of the page.
NOT_FOR_THE_PAGE = re.compile(r'<style.*?</style>|(?<=<g) id="[^"]*"|font[a-z-]*: [^;"]*; ?', re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Series:
    """A curve of a chart.

    Attributes:
        label: Name in the legend.
        points: (step, value) pairs; non-finite values are gaps.
        dashed: Whether the line is dashed, as for a baseline.
    """

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False

    @property
    def steps(self) -> list[float]:
        """The step of each point."""
        return [step for step, _ in self.points]

    @property
    def values(self) -> np.ndarray:
        """The values, float64 [points], with NaN for non-finite ones."""
        values = np.array([value for _, value in self.points], np.float64)
        return np.where(np.isfinite(values), values, np.nan)

    @property
    def finite(self) -> np.ndarray:
        """The finite values, float64 [at most points]."""
        return self.values[np.isfinite(self.values)]


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    value_range: tuple[float, float] | None = None,
    marks: Sequence[int] = (),
) -> str:
    """Draws a line chart with title and legend.

    Long, noisy curves are drawn faintly below a smoothed curve.

    Args:
        title: Title above the chart, unique on the page.
        series: The curves; those without a finite value are left out.
        value_range: Lowest and highest value shown; by default the range of the curves.
        marks: Steps to mark with a vertical line, for example those of warnings.

    Returns:
        An HTML `<figure>`, or an empty string if there is nothing to draw.
    """
    series = [curve for curve in series if curve.finite.size]
    if not series:
        return ""

    def draw(axes) -> None:
        _draw_curves(axes, series, value_range or _value_range(series), marks)

    legend = "".join(_legend_entry(curve, index) for index, curve in enumerate(series))
    return chart(title, draw, legend=legend, label=f"{title} by training step")


def chart(
    title: str, draw: Callable[[Any], None], *, legend: str = "", label: str = "", height_px: int = HEIGHT_PX
) -> str:
    """Draws one pair of axes as SVG text in the page's colors.

    Args:
        title: Title above the chart, unique on the page.
        draw: Called with matplotlib's axes; colors are those of `STAND_INS`.
        legend: HTML beside the title.
        label: Text for screen readers.
        height_px: Height; all charts have the same width.

    Returns:
        An HTML `<figure>`.
    """
    give_matplotlib_a_home()
    import matplotlib  # Imported here, because only a report needs it.

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": title, "path.simplify_threshold": 1.0, "font.size": 12.5}
    with matplotlib.rc_context(settings):
        svg = _svg(draw, height_px)
    for name, stand_in in STAND_INS.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    return (
        f'<figure class="chart"><figcaption><strong>{escape(title)}</strong>'
        f'<span class="legend">{legend}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH_PX} {height_px}" role="img" aria-label="{escape(label or title)}">'
        f"{svg}</svg></figure>"
    )


def _svg(draw: Callable[[Any], None], height_px: int) -> str:
    """Returns the content between `<svg>` and `</svg>`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72), layout="constrained")  # 72 SVG units per inch.
    axes = figure.add_subplot()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    draw(axes)
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    inner = text.getvalue().partition("<svg")[2].partition(">")[2].rpartition("</svg>")[0]
    return NOT_FOR_THE_PAGE.sub("", inner)


def _draw_curves(axes, series: Sequence[Series], value_range: tuple[float, float], marks: Sequence[int]) -> None:
    axes.locator_params(nbins=5)
    axes.locator_params("x", integer=True)
    axes.grid(axis="y", color=STAND_INS["line"], linewidth=1)
    low, high = value_range
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    last_step = max(1.0, *(max(curve.steps) for curve in series))
    axes.set(xlim=(0, 1.02 * last_step), ylim=(low - margin, high + margin))
    axes.vlines(marks, 0, 1, STAND_INS["warn"], ":", transform=axes.get_xaxis_transform(), linewidth=1)
    for index, curve in enumerate(series):
        _draw(axes, curve, STAND_INS[_color(curve, index)])


def _draw(axes, curve: Series, color: str) -> None:
    if curve.dashed and len(curve.points) == 1:  # A baseline that was measured once is drawn as a horizontal line.
        axes.axhline(curve.values[0], color=color, linestyle="--")
    elif curve.dashed:
        axes.plot(curve.steps, curve.values, "--", color=color)
    elif len(curve.points) < SMOOTH_FROM_POINTS:
        axes.plot(curve.steps, curve.values, ".-", color=color, linewidth=2)
    else:
        axes.plot(curve.steps, curve.values, color=color, linewidth=1, alpha=0.3)
        axes.plot(curve.steps, _smoothed(curve.values), color=color, linewidth=2)


def _smoothed(values: np.ndarray) -> np.ndarray:
    # Centered: a trailing mean would show every change too late.
    window, known = np.ones(2 * (len(values) // 50) + 1), np.isfinite(values)
    total = np.convolve(np.where(known, values, 0.0), window, "same")
    count = np.convolve(known, window, "same")
    return np.where(known, total / np.maximum(count, 1.0), np.nan)


def _value_range(series: Sequence[Series]) -> tuple[float, float]:
    values = np.sort(np.concatenate([curve.finite for curve in series]))
    trimmed = len(values) // 100  # First steps may spike: from 100 points on, the top 1% does not set the scale.
    return values[trimmed], values[-1 - trimmed]


def _color(curve: Series, index: int) -> str:
    return "baseline" if curve.dashed else f"s{index % 4}"


def _legend_entry(curve: Series, index: int) -> str:
    return f'<span><i class="{_color(curve, index)}"></i>{escape(curve.label)} <b>{curve.finite[-1]:.4g}</b></span>'
