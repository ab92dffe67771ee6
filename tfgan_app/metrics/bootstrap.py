"""Confidence intervals of accuracies: paired bootstrap over seeds and images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom."""

_NORMAL = 1.96
_CHUNK = 2_000_000
"""Numbers drawn at a time."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference of two mean accuracies.

    Attributes:
        mean: Second minus first, in [-1, 1].
        low: Lower end of its interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """`"gain"`, `"loss"`, or `"no measurable gain"` if the interval holds zero."""
        if self.low > 0.0:
            return "gain"
        return "loss" if self.high < 0.0 else "no measurable gain"


def paired_difference(
    first: np.ndarray, second: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES
) -> Difference:
    """The mean difference with its 95 % percentile interval (Efron & Tibshirani 1993, chapter 13).

    Seeds and images are resampled independently of each other. Both classifiers are measured on the same ones, so that
    the difficulty of an image and the luck of a seed cancel. A few resampled seeds vary less than new ones would: their
    contribution is widened as for a mean by Student's t, to 1.6 times for 5 seeds.

    Args:
        first: bool `[seeds, images]`, correct answers of the first classifier, trained with each seed.
        second: The same for the second, in the same order.
        seed: Seed of the resampling.
        resamples: Number of resamples.

    Raises:
        ValueError: For arrays of different shapes or empty ones.
    """
    if first.shape != second.shape or first.ndim != 2 or not first.size:
        raise ValueError(
            f"Expected two arrays [seeds, images] of one shape. Received: {list(first.shape)} and {list(second.shape)}."
        )
    differences = second.astype(np.float32) - first.astype(np.float32)
    seeds, images = differences.shape
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, max(1, _CHUNK // images)):
        count = min(max(1, _CHUNK // images), resamples - start)
        by_seed = _drawn_again(rng, images, count).astype(np.float32) @ differences.T
        # Whole numbers up to here, which float32 adds exactly.
        of_images = by_seed.mean(axis=1)
        of_seeds = (_drawn_again(rng, seeds, count) * by_seed).sum(axis=1) / seeds - of_images
        drawn.append((of_images + _widening(seeds) * of_seeds) / images)
    edges = np.quantile(np.concatenate(drawn), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Difference(float(differences.mean()), float(edges[0]), float(edges[1]))


def mean_interval(values: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float] | None:
    """The 95 % percentile interval of a mean over images (Efron & Tibshirani 1993, chapter 13).

    Args:
        values: float `[images]`.
        seed: Seed of the resampling.
        resamples: Number of resamples.

    Returns:
        Its ends, or None for fewer than two images or values that are not finite.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // len(values))
    means = np.concatenate(
        [
            _drawn_again(rng, len(values), min(step, resamples - start)) @ np.asarray(values, np.float64) / len(values)
            for start in range(0, resamples, step)
        ]
    )
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def means_with_intervals(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Means over images by name, and `NAME_low`, `NAME_high` of their intervals where defined."""
    found = {name: float(np.mean(each)) for name, each in values.items()}
    for name, each in values.items():
        if interval := mean_interval(each):
            found |= {f"{name}_low": interval[0], f"{name}_high": interval[1]}
    return found


def _widening(seeds: int) -> float:
    """Factor of the deviation over resampled seeds that gives the 95 % interval of Student's t."""
    if seeds < 2:
        return 1.0
    return _STUDENT[min(seeds - 1, len(_STUDENT)) - 1] / _NORMAL * (seeds / (seeds - 1)) ** 0.5


def _drawn_again(rng: np.random.Generator, count: int, times: int) -> np.ndarray:
    """Counts of `count` items drawn `count` times with replacement: int64 `[times, count]`."""
    chosen = rng.integers(0, count, (times, count)) + count * np.arange(times)[:, None]
    return np.bincount(chosen.ravel(), minlength=times * count).reshape(times, count)
