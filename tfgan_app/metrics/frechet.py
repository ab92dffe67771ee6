"""Fréchet distance between Gaussians fitted to two sets of features, from streaming moments."""

from __future__ import annotations

import numpy as np

_ROWS_AT_ONCE = 4096
"""Bound on the float64 copy of a large batch."""


class FrechetMoments:
    """Streaming mean and covariance of features, in float64.

    Batches are merged by the update of Chan et al. 1983 ("Algorithms for Computing the Sample Variance"),
    which never subtracts large sums of squares from each other.

    Args:
        dim: Number of features.

    Attributes:
        dim: Number of features.
        count: Number of samples so far.
        mean: float64 `[dim]`, zeros before the first sample.
    """

    def __init__(self, dim: int):
        self.dim = dim
        self.count = 0
        self.mean = np.zeros(dim)
        self._scatter = np.zeros((dim, dim))

    @classmethod
    def of(cls, features: np.ndarray) -> FrechetMoments:
        """Moments of one array `[count, dim]`."""
        moments = cls(features.shape[-1])
        moments.update(features)
        return moments

    def update(self, features: np.ndarray) -> None:
        """Adds a batch.

        Args:
            features: `[batch, dim]`, any real type.

        Raises:
            ValueError: For another shape, or for values that are not finite.
        """
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(f"Features must be [count, {self.dim}]. Received: shape {list(features.shape)}.")
        for start in range(0, len(features), _ROWS_AT_ONCE):
            batch = features[start : start + _ROWS_AT_ONCE].astype(np.float64)
            mean = batch.mean(axis=0)
            if not np.isfinite(mean).all():
                raise ValueError("Features must be finite. Received: NaN or infinity; look at the images they are of.")
            batch -= mean
            self._add(len(batch), mean, batch.T @ batch)

    def merge(self, other: FrechetMoments) -> None:
        """Adds the samples that other moments have seen.

        Args:
            other: Moments of the same number of features.

        Raises:
            ValueError: If the numbers of features differ.
        """
        if other.dim != self.dim:
            raise ValueError(
                f"Only moments of the same number of features can be merged. Received: {self.dim} and {other.dim}."
            )
        self._add(other.count, other.mean, other._scatter)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance (`ddof=1`): float64 `[dim, dim]`.

        Raises:
            ValueError: For fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 samples. Received: {self.count}.")
        return self._scatter / (self.count - 1)

    def _add(self, count: int, mean: np.ndarray, scatter: np.ndarray):
        if not count:
            return
        total = self.count + count
        shift = mean - self.mean
        self._scatter += scatter
        self._scatter += np.outer(shift, shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total


def frechet_distance(first: FrechetMoments, second: FrechetMoments) -> float:
    """Squared Fréchet distance between two Gaussians: `|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2))`.

    "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", Heusel et al. 2017,
    arXiv:1706.08500. Deviation: the reference takes the root of the product, which is not
    symmetric, and adds 1e-6 to the diagonals where that fails. Here `Tr (C1 C2)^(1/2)` is the sum of the
    singular values of `F1^T F2` with `C = F F^T`, which needs no correction for singular covariances (fewer
    samples than features) and is exact where the other's eigenvalues would be rounding errors.

    Args:
        first: Moments of at least two samples.
        second: The same, with the same number of features.

    Returns:
        The distance, 0 for equal moments. It is biased upwards for few samples: compare at equal counts.

    Raises:
        ValueError: If the numbers of features differ, or with fewer than two samples.
    """
    if first.dim != second.dim:
        raise ValueError(f"Both sides need the same number of features. Received: {first.dim} and {second.dim}.")
    covariances = first.covariance, second.covariance
    factors = [_factor(covariance) for covariance in covariances]
    overlap = np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum()
    difference = first.mean - second.mean
    distance = difference @ difference + sum(np.trace(covariance) for covariance in covariances) - 2.0 * overlap
    return max(float(distance), 0.0)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """`F` `[dim, rank]` with `F F^T` the covariance; eigenvalues that are rounding errors are left out."""
    values, vectors = np.linalg.eigh(covariance)
    # Their roots would not be small: sqrt(1e-16) for each of thousands of directions.
    kept = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])
