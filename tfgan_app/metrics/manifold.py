"""Precision, recall, density and coverage of two sets of features, by nearest neighbors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfgan_app.metrics.sampling import check_features

PRECISION_NEIGHBORS = 3
DENSITY_NEIGHBORS = 5

_CHUNK_BYTES = 2**24
"""Bound on one block of pairwise distances."""

_ROUNDING = 1e-9
"""Relative tolerance of squared distances."""


def precision_recall(real: np.ndarray, fake: np.ndarray, *, neighbors: int = PRECISION_NEIGHBORS) -> dict[str, float]:
    """Share of fakes near some real image, and of real images near some fake.

    "Improved Precision and Recall Metric for Assessing Generative Models", Kynkäänniemi et al. 2019,
    arXiv:1904.06991: near means no farther from a sample than its k-th nearest neighbor of its
    own side, itself not counted. One outlier among the real images has a large ball and inflates precision;
    `density_coverage` does not suffer from it.

    Args:
        real: `[n, dim]`, any real type, more than `neighbors` rows.
        fake: `[m, dim]`, likewise. Use equal counts: the balls shrink with the count.
        neighbors: K.

    Returns:
        `precision` and `recall` in [0, 1].

    Raises:
        ValueError: For features that cannot be compared.
    """
    real, fake = _prepared(real, fake, neighbors)
    real_radii, fake_radii = _squared_radii(real, neighbors), _squared_radii(fake, neighbors)
    fakes_in_real = np.zeros(len(fake), bool)
    reals_in_fake = np.empty(len(real), bool)
    for rows, distances in _distance_blocks(real, fake):
        fakes_in_real |= (distances <= real_radii[rows, np.newaxis]).any(axis=0)
        reals_in_fake[rows] = (distances <= fake_radii).any(axis=1)
    return {"precision": float(fakes_in_real.mean()), "recall": float(reals_in_fake.mean())}


def density_coverage(real: np.ndarray, fake: np.ndarray, *, neighbors: int = DENSITY_NEIGHBORS) -> dict[str, float]:
    """Density (mean number of real images' balls around a fake) and coverage (share of balls that hold a fake).

    "Reliable Fidelity and Diversity Metrics for Generative Models", Naeem et al. 2020, arXiv:2002.09797.
    Deviation from the authors' code: a sample on a ball's surface is inside, as in
    `precision_recall`, so that a copy of an image which the data hold several times counts.

    Args:
        real: `[n, dim]`, any real type, more than `neighbors` rows.
        fake: `[m, dim]`, likewise. Use equal counts: coverage rises with the number of fakes.
        neighbors: K.

    Returns:
        `density`, about 1 for two samples of one distribution and above it for fakes in the densest places
        only, and `coverage` in [0, 1].

    Raises:
        ValueError: For features that cannot be compared.
    """
    real, fake = _prepared(real, fake, neighbors)
    radii = _squared_radii(real, neighbors)
    balls, covered = 0, 0
    for rows, distances in _distance_blocks(real, fake):
        inside = distances <= radii[rows, np.newaxis]
        balls += int(np.count_nonzero(inside))
        covered += int(np.count_nonzero(inside.any(axis=1)))
    return {"density": balls / (neighbors * len(fake)), "coverage": covered / len(real)}


def _prepared(real: np.ndarray, fake: np.ndarray, neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sets in float64, centered on the mean of the real one: long vectors would hide small distances."""
    check_features(real, fake, least=neighbors + 1)
    center = real.mean(axis=0, dtype=np.float64)
    return real - center, fake - center


def _squared_radii(samples: np.ndarray, neighbors: int) -> np.ndarray:
    """Squared distance of each sample to its k-th nearest other one: float64 `[count]`."""
    radii = np.empty(len(samples))
    for rows, distances in _distance_blocks(samples, samples):
        # The nearest of all is the sample itself (or an exact copy of it, equally far).
        distances.partition(neighbors, axis=1)
        # A product of a matrix with itself rounds differently from that of two: samples on the surface stay inside.
        radii[rows] = distances[:, neighbors] * (1.0 + _ROUNDING)
    return radii


def _distance_blocks(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields squared distances of some rows of `first` to all of `second`, block by block."""
    norms = [np.einsum("nd,nd->n", side, side) for side in (first, second)]
    # Differences below float32's resolution, which the features have, are rounding errors of the expansion. Two
    # samples as close as that have nearly the same norm.
    floors = 64.0 * np.finfo(np.float64).eps * norms[0]
    step = max(1, _CHUNK_BYTES // (8 * len(second)))
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        distances = first[rows] @ second.T
        distances *= -2.0
        distances += norms[0][rows, np.newaxis]
        distances += norms[1]
        distances[distances <= floors[rows, np.newaxis]] = 0.0
        yield rows, distances
