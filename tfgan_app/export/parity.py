"""Does an export compute what the model computes?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfgan_app.latents import seeded_latents

PARITY_LIMIT = 1e-4
"""Largest absolute difference that passes on pictures in [0, 1]; one uint8 level is 40 times as much."""

PARITY_SEEDS = 16
"""How many seeds a generative model is compared on."""

_ODD_SIZES = ((1, 1), (1, 5), (7, 2), (17, 33), (48, 31))
_BATCH = 2

Batch = tf.Tensor | list[tf.Tensor]


def check_parity(
    reference: Callable, exported: Callable, batches: Iterable[Batch], *, limit: float = PARITY_LIMIT
) -> tuple[float, float]:
    """Compares two models.

    Args:
        reference: The model: a batch -> pictures float32 [batch, height, width, channels] in [0, 1].
        exported: Its export, with the same interface.
        batches: What to compare on: `picture_batches` or `latent_batches`.
        limit: Largest absolute difference that passes.

    Returns:
        Largest and mean absolute difference.

    Raises:
        ValueError: If the export fails on a batch or differs by more than `limit`, with the numbers.
    """
    largest, total, count = 0.0, 0.0, 0
    for batch in batches:
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
                f"limit {limit:g}, mean {difference.mean():.3g}, on {_describe(batch)}."
            )
    return float(largest), total / count


def picture_batches(images: Iterable[np.ndarray], *, channels: int = 3) -> Iterator[tf.Tensor]:
    """Given pictures, and random ones of odd sizes down to 1 x 1.

    Args:
        images: Pictures uint8 [height, width, channels]; sizes may differ.
        channels: Of the random pictures.

    Yields:
        float32 [batch, height, width, channels] in [0, 1].
    """
    for image in images:
        yield tf.constant(image[np.newaxis].astype(np.float32) / 255.0)
    rng = np.random.default_rng(0)
    for height, width in _ODD_SIZES:
        yield tf.constant(rng.random((_BATCH, height, width, channels), np.float32))


def latent_batches(latent_dim: int, *, classes: int = 0) -> Iterator[Batch]:
    """The latents of the first seeds, with each class at least once.

    Args:
        latent_dim: Size of a latent vector.
        classes: Number of classes; 0 for a model that takes no labels.

    Yields:
        Latents float32 [`PARITY_SEEDS`, latent_dim], or a list of them and labels int32 [`PARITY_SEEDS`].
    """
    latents = seeded_latents(tf.range(PARITY_SEEDS), latent_dim)
    if not classes:
        yield latents
    for first in range(0, classes, PARITY_SEEDS):
        yield [latents, (first + tf.range(PARITY_SEEDS)) % classes]


def _describe(batch: Batch) -> str:
    tensor = tf.nest.flatten(batch)[0]
    return f"{'pictures' if tensor.shape.rank == 4 else 'latents'} of shape {tensor.shape.as_list()}"


def _run(model: Callable, batch: Batch, role: str) -> np.ndarray:
    try:
        return np.asarray(model(batch), dtype=np.float32)
    except (tf.errors.OpError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"The {role} fails on {_describe(batch)}: {reason}") from error
