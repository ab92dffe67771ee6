"""Set metrics of generated images against real ones, and their protocol."""

from __future__ import annotations

import numpy as np

from tfgan_app.metrics.frechet import FrechetMoments, frechet_distance
from tfgan_app.metrics.intervals import set_intervals
from tfgan_app.metrics.kernel import KID_SUBSET_SIZE, KID_SUBSETS, kernel_inception_distance
from tfgan_app.metrics.manifold import (
    DENSITY_NEIGHBORS,
    PRECISION_NEIGHBORS,
    density_coverage,
    precision_recall,
)
from tfgan_app.metrics.sampling import check_features, seeded_rows

NEIGHBOR_SAMPLES = 10_000
"""Maximum samples per side of the neighbor search: its time grows with the square."""


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
