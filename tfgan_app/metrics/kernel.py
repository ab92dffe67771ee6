"""Kernel inception distance: an unbiased distance between two sets of features, with its uncertainty."""

from __future__ import annotations

import numpy as np

from tfgan_app.metrics.sampling import canonical_order, check_features

KID_SUBSETS = 100
KID_SUBSET_SIZE = 1000
_NORMAL_95 = 1.96


def kernel_inception_distance(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    subsets: int = KID_SUBSETS,
    subset_size: int = KID_SUBSET_SIZE,
    seed: int = 0,
) -> dict[str, float]:
    """Mean of the unbiased squared MMD over random subsets, with kernel `(x . y / dim + 1)^3`.

    "Demystifying MMD GANs", Binkowski et al. 2018, arXiv:1801.01401. Deviation: a subset holds at
    most half of the smaller side, so that subsets differ and their spread gives the estimate's error. (The
    mean is unbiased for any size.)

    The interval is `kid` +- 1.96 standard errors. With `v` the variance among subsets of `s` of `n` samples,
    the squared standard error is `v s / (n - s)`, the delete-d jackknife (Shao & Wu 1989), for the choice
    of images, plus `v / subsets` for the draw of the subsets. `n` is the smaller
    side's, and the kernel's second-order term shrinks faster than assumed: both make the interval wider, never
    narrower, than it had to be.

    Args:
        real: `[n, dim]`, any real type; at least 4 rows.
        fake: `[m, dim]`, likewise.
        subsets: Number of subsets, at least 2.
        subset_size: Maximum rows of a subset.
        seed: Seed of the subsets, which do not depend on the order of the rows.

    Returns:
        `kid`, `kid_low` and `kid_high`. `kid` is about 0 for two samples of one distribution, and may be negative.

    Raises:
        ValueError: For features that cannot be compared.
    """
    check_features(real, fake, least=4)
    smaller = min(len(real), len(fake))
    size = min(subset_size, smaller // 2)
    rng = np.random.default_rng(seed)
    orders = canonical_order(real), canonical_order(fake)
    estimates = np.empty(subsets)
    for index in range(subsets):
        chosen = [
            side[order[rng.choice(len(side), size, replace=False)]].astype(np.float64)
            for side, order in zip((real, fake), orders, strict=True)
        ]
        estimates[index] = squared_mmd(*chosen)
    mean = float(estimates.mean())
    error = float(np.sqrt(estimates.var(ddof=1) * (size / (smaller - size) + 1.0 / subsets)))
    return {"kid": mean, "kid_low": mean - _NORMAL_95 * error, "kid_high": mean + _NORMAL_95 * error}


def squared_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy with kernel `(x . y / dim + 1)^3`.

    Gretton et al. 2012, "A Kernel Two-Sample Test", for unequal counts.

    Args:
        first: float64 `[n, dim]`, at least 2 rows.
        second: float64 `[m, dim]`, likewise.

    Returns:
        The estimate, which may be negative.
    """
    between = _kernel(first, second).mean()
    within = 0.0
    for rows in (first, second):
        kernel = _kernel(rows, rows)
        within += (kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1))
    return float(within - 2.0 * between)


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    base = first @ second.T
    base /= first.shape[1]
    base += 1.0
    # Not base ** 3: a power is a hundred times slower than two products.
    return base * base * base
