"""Users' own metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfgan_app.registry import add_own_metrics


def own_metrics(names: Sequence[str]) -> dict[str, Callable]:
    """Imports a user's metrics and adds them to `tfgan_app.registry.METRICS`.

    Args:
        names: `module:attribute` of `tfgan_app.registry.Metric` objects with a function.

    Returns:
        Name -> function `(target, output) -> float` of two uint8 `[height, width, channels]` images.

    Raises:
        ValueError: If one cannot be imported or is not a metric with a function.
    """
    return {name: metric.function for name, metric in add_own_metrics(tuple(names)).items()}


def batched(function: Callable) -> Callable:
    """Turns a metric of two uint8 images into one of two batches of float images in [0, 1]: float64 `[batch]`."""

    def measure(targets, outputs) -> np.ndarray:
        pairs = (np.rint(np.asarray(images) * 255.0).astype(np.uint8) for images in (targets, outputs))
        return np.array([function(target, output) for target, output in zip(*pairs, strict=True)], np.float64)

    return measure
