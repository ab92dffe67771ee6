"""Jackknife confidence intervals of set metrics."""

from __future__ import annotations

import numpy as np

from tfgan_app.metrics.manifold import DENSITY_NEIGHBORS, density_coverage, precision_recall
from tfgan_app.metrics.sampling import canonical_order

INTERVAL_SUBSETS = 30
INTERVAL_SUBSET_SIZE = 256
_NORMAL_95 = 1.96
_BOUNDED = ("precision", "recall", "coverage")


def set_intervals(
    real: np.ndarray, fake: np.ndarray, values: dict[str, float], *, seed: int = 0, subsets: int = INTERVAL_SUBSETS
) -> dict[str, float]:
    """95 % intervals of FID, precision, recall, density and coverage.

    Each is the value +- 1.96 standard errors. With `v` the variance of a figure among subsets of `s` of `n` images,
    the squared standard error is `v s / (n - s)`, the delete-d jackknife (Shao & Wu 1989). Not the bootstrap: an image
    that is drawn twice would be its own nearest neighbor. The bias of few images, as in FID, is not part of it: compare
    with the same figure of real images for that.

    Args:
        real: `[n, dim]`, any real type.
        fake: `[m, dim]`, likewise; the smaller side counts.
        values: The figures of all images; any others are ignored.
        seed: Seed of the subsets, which do not depend on the order of the rows.
        subsets: Number of subsets, at least 2.

    Returns:
        `fid_low`, `fid_high` and so on; nothing for fewer than `2 * (DENSITY_NEIGHBORS + 1)` images a side.
    """
    smaller = min(len(real), len(fake))
    size = min(INTERVAL_SUBSET_SIZE, smaller // 2)
    if size <= DENSITY_NEIGHBORS:
        return {}
    rng = np.random.default_rng(seed)
    orders = canonical_order(real), canonical_order(fake)
    rows = []
    for _ in range(subsets):
        chosen = [
            side[order[rng.choice(len(side), size, replace=False)]].astype(np.float64)
            for side, order in zip((real, fake), orders, strict=True)
        ]
        rows.append({"fid": small_frechet_distance(*chosen), **precision_recall(*chosen), **density_coverage(*chosen)})
    found = {}
    for name in (name for name in rows[0] if name in values):
        variance = np.var([row[name] for row in rows], ddof=1)
        margin = _NORMAL_95 * float(np.sqrt(variance * size / (smaller - size)))
        highest = 1.0 if name in _BOUNDED else np.inf
        found[f"{name}_low"] = max(0.0, values[name] - margin)
        found[f"{name}_high"] = min(highest, values[name] + margin)
    return found


def small_frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """`frechet_distance` for few rows in many dimensions, by products of rows.

    Args:
        first: float64 `[n, dim]`, at least 2 rows.
        second: float64 `[m, dim]`, likewise.
    """
    difference = first.mean(axis=0) - second.mean(axis=0)
    factors = [(rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in (first, second)]
    overlap = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    traces = sum(float(np.einsum("nd,nd->", factor, factor)) for factor in factors)
    return max(0.0, float(difference @ difference + traces - 2.0 * overlap))
