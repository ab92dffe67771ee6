"""Does an export compute what the model computes?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

PARITY_LIMIT = 1e-4
"""Largest absolute difference that passes on pictures in [0, 1]; one uint8 level is 40 times as much."""

_ODD_SIZES = ((1, 1), (1, 5), (7, 2), (17, 33), (48, 31))
_BATCH = 2


def check_parity(
    reference: Callable, exported: Callable, images: Iterable[np.ndarray], *, limit: float = PARITY_LIMIT
) -> tuple[float, float]:
    """Compares two models on given pictures and on random ones of odd sizes, down to 1 x 1.

    Args:
        reference: The model: float32 [batch, height, width, 3] in [0, 1] -> the same.
        exported: Its export, with the same interface.
        images: Pictures uint8 [height, width, 3]; sizes may differ.
        limit: Largest absolute difference that passes.

    Returns:
        Largest and mean absolute difference.

    Raises:
        ValueError: If the export fails on a picture or differs by more than `limit`, with the numbers.
    """
    largest, total, count = 0.0, 0.0, 0
    for batch in _batches(images):
        expected = _run(reference, batch, "model")
        received = _run(exported, batch, "export")
        if expected.shape != received.shape:
            shapes = f"{list(received.shape)} for {list(expected.shape)}"
            raise ValueError(f"The export differs from the model: it gives pictures of shape {shapes}.")
        difference = np.abs(received - expected)
        largest = np.fmax(largest, difference.max()) if np.isfinite(difference).all() else np.inf
        total, count = total + float(difference.sum()), count + difference.size
        if largest > limit:
            raise ValueError(
                f"The export differs from the model: largest absolute difference {largest:.3g}, "
                f"limit {limit:g}, mean {difference.mean():.3g}, "
                f"on pictures of {batch.shape[1]} x {batch.shape[2]} pixels."
            )
    return float(largest), total / count


def _batches(images: Iterable[np.ndarray]) -> Iterator[tf.Tensor]:
    for image in images:
        yield tf.constant(image[np.newaxis].astype(np.float32) / 255.0)
    rng = np.random.default_rng(0)
    for height, width in _ODD_SIZES:
        yield tf.constant(rng.random((_BATCH, height, width, 3), np.float32))


def _run(model: Callable, batch: tf.Tensor, role: str) -> np.ndarray:
    try:
        return np.asarray(model(batch), dtype=np.float32)
    except (tf.errors.OpError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"The {role} fails on pictures of shape {list(batch.shape)}: {reason}") from error
