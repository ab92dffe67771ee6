"""Set metrics of generated images against real ones: values, jackknife intervals and protocol."""

from __future__ import annotations

import numpy as np

from tfgan_app.metrics.frechet import FrechetMoments, frechet_distance
from tfgan_app.metrics.kernel import KID_SUBSET_SIZE, KID_SUBSETS, kernel_inception_distance
from tfgan_app.metrics.manifold import (
    DENSITY_NEIGHBORS,
    PRECISION_NEIGHBORS,
    density_coverage,
    precision_recall,
)
from tfgan_app.metrics.sampling import canonical_order, check_features, seeded_rows

NEIGHBOR_SAMPLES = 10_000
"""Maximum samples per side of the neighbor search: its time grows with the square."""

INTERVAL_SUBSETS = 30
INTERVAL_SUBSET_SIZE = 256
_NORMAL_95 = 1.96
_BOUNDED = ("precision", "recall", "coverage")


def generation_metrics(
    real: np.ndarray, fake: np.ndarray, *, seed: int = 0, intervals: bool = True
) -> dict[str, float]:
    """Measures a set of generated images against real ones by their features.

    Precision, recall, density and coverage are those of equally many seeded samples of both sides, at most
    `NEIGHBOR_SAMPLES`. Besides the features themselves, float64 copies of these samples and blocks of
    distances are held, never all pairs.

    Args:
        real: float32 `[n, dim]`, at least 6 rows.
        fake: float32 `[m, dim]`, likewise.
        seed: Seed of the subsets and samples, which do not depend on the order of the rows.
        intervals: Whether to compute the intervals of the other metrics, too; see `set_intervals`.

    Returns:
        `fid`, `kid`, `kid_low`, `kid_high`, `precision`, `recall`, `density`, `coverage`, and `fid_low`, `fid_high` ...

    Raises:
        ValueError: For too few samples, different numbers of features, or values that are not finite.
    """
    check_features(real, fake, least=DENSITY_NEIGHBORS + 1)
    fid = frechet_distance(FrechetMoments.of(real), FrechetMoments.of(fake))
    kid = kernel_inception_distance(real, fake, seed=seed)
    count = _neighbor_samples(len(real), len(fake))
    real, fake = (seeded_rows(side, count, seed=seed) for side in (real, fake))
    values = {"fid": fid, **kid, **precision_recall(real, fake), **density_coverage(real, fake)}
    return {**values, **(set_intervals(real, fake, values, seed=seed) if intervals else {})}


def generation_protocol(*, real_count: int, fake_count: int, seed: int = 0) -> dict[str, str | int]:
    """Description of `generation_metrics`, as fields that `check_comparable` compares.

    Args:
        real_count: Number of real samples.
        fake_count: Number of generated samples.
        seed: Seed of the subsets and samples.

    Returns:
        Field -> value, to be joined with the feature network's own `protocol()`.
    """
    count = _neighbor_samples(real_count, fake_count)
    subset = min(KID_SUBSET_SIZE, min(real_count, fake_count) // 2)
    return {
        "real_images": real_count,
        "generated_images": fake_count,
        "fid": "float64 moments, ddof 1",
        "kid": f"cubic kernel, mean of {KID_SUBSETS} subsets of {subset}, 95 % jackknife interval",
        "precision_recall": f"k = {PRECISION_NEIGHBORS}, {count} of each side",
        "density_coverage": f"k = {DENSITY_NEIGHBORS}, {count} of each side",
        "metrics_seed": seed,
    }


def _neighbor_samples(real_count: int, fake_count: int) -> int:
    return min(real_count, fake_count, NEIGHBOR_SAMPLES)


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
