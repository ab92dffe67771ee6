"""Checks and seeded choices of feature rows, which do not depend on the rows' order."""

from __future__ import annotations

import numpy as np


def check_features(real: np.ndarray, fake: np.ndarray, *, least: int) -> None:
    """Checks that set metrics can be computed from features.

    Args:
        real: `[count, dim]` of the reference images.
        fake: `[count, dim]` of the images to measure.
        least: Smallest number of samples on either side.

    Raises:
        ValueError: For other shapes, different numbers of features, too few samples, or values that are not finite.
    """
    for name, features in (("real", real), ("fake", fake)):
        if features.ndim != 2:
            raise ValueError(f"`{name}` features must be [count, dim]. Received: shape {list(features.shape)}.")
        if len(features) < least:
            raise ValueError(
                f"At least {least} {name} samples are needed. Received: {len(features)}. Measure more images."
            )
        # The sum of a chunk is finite only if all of it is, and needs no array of the features' size.
        if not all(np.isfinite(features[i : i + 4096].sum(dtype=np.float64)) for i in range(0, len(features), 4096)):
            raise ValueError(
                f"Features must be finite. Received: NaN or infinity among the {name} ones; look at the images."
            )
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"Both sides need the same number of features. Received: {real.shape[1]} real and {fake.shape[1]} fake "
            "ones. Use one feature network for both."
        )


def canonical_order(features: np.ndarray) -> np.ndarray:
    """Positions that sort the rows by their bytes, so that a seeded choice does not depend on their order.

    Args:
        features: `[count, dim]`.

    Returns:
        int64 `[count]`.
    """
    rows = np.ascontiguousarray(features)
    return np.argsort(rows.view(f"S{rows.itemsize * rows.shape[1]}").ravel(), kind="stable")


def seeded_rows(features: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Rows drawn without replacement, independent of the order of `features`.

    Args:
        features: `[count, dim]`.
        count: Number of rows to draw, at most all.
        seed: Seed of the choice.

    Returns:
        `[count, dim]` of the same type.
    """
    if count >= len(features):
        return features
    chosen = np.random.default_rng(seed).choice(len(features), count, replace=False)
    return features[canonical_order(features)[chosen]]
