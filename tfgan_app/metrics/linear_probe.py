"""Linear probe of features: a linear classifier on top of them, in closed form."""

from __future__ import annotations

import numpy as np

PENALTIES = tuple(10.0**exponent for exponent in range(-4, 5))
"""Candidate ridge penalties, relative to the mean squared length of an image's features."""

MAX_LABELED = 3000
"""Time grows with the cube of the labeled images, memory with the square: here 0.4 GB and a minute."""


def linear_probe(
    features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, *, classes: int
) -> tuple[np.ndarray, float]:
    """Ridge regression onto the classes; its penalty is the one with the least leave-one-out error.

    Of more than 3,000 labeled images a random subset is used. Features are centered and scaled by the labeled ones
    alone. The error of leaving each image out has a closed form (Golub, Heath & Wahba 1979), so nothing is fitted
    twice.

    Args:
        features: float32 `[count, dim]` of the labeled images.
        labels: integers `[count]` in [0, classes).
        test_features: float32 `[tests, dim]`.
        classes: Number of classes.

    Returns:
        The predicted classes int64 `[tests]`, and the penalty.
    """
    if len(features) > MAX_LABELED:
        chosen = np.random.default_rng(0).permutation(len(features))[:MAX_LABELED]
        features, labels = features[chosen], labels[chosen]
    features, test_features = features.astype(np.float64), test_features.astype(np.float64)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    # Features that are constant over the labeled images carry no information.
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-6)
    features, test_features = (features - mean) * scale, (test_features - mean) * scale
    targets = np.eye(classes)[labels]
    offset = targets.mean(axis=0)
    gram = features @ features.T
    unit = max(np.trace(gram) / len(gram), 1e-12)
    # The constant, which no penalty may shrink, becomes the last eigenvector and is left out below.
    values, vectors = np.linalg.eigh(gram + 10.0 * unit)
    rotated = vectors.T @ (targets - offset)

    def fit(penalty: float) -> tuple[np.ndarray, float]:
        inverse = 1.0 / (np.maximum(values, 0.0) + penalty * unit)
        inverse[-1] = 0.0
        weights = vectors @ (inverse[:, None] * rotated)
        left_out = weights / (vectors**2 @ inverse)[:, None]
        return weights, float((left_out**2).mean())

    penalty = min(PENALTIES, key=lambda candidate: fit(candidate)[1])
    scores = test_features @ (features.T @ fit(penalty)[0]) + offset
    return scores.argmax(axis=1), penalty
