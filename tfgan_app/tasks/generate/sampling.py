"""Sampling from a generator: latents from seeds, batches, and grids for people."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.latents import seeded_latents, truncate_latents
from tfgan_app.layers import set_truncation, truncation_of

BATCH = 250
SWEEP_COLUMNS, SWEEP_SEEDS = 10, 4


def draw_latents(model: keras.Model, count: int, *, first_seed: int = 0) -> np.ndarray:
    """Latents of an inference model for the seeds from `first_seed` on: float32 `[count, latent_dim]`."""
    seeds = tf.range(first_seed, first_seed + count, dtype=tf.int64)
    return seeded_latents(seeds, model.inputs[0].shape[1]).numpy()


def sample(
    model: keras.Model, latents: np.ndarray, labels: np.ndarray | None = None, *, batch_size: int = BATCH
) -> np.ndarray:
    """Runs an inference model of `latents`, `[latents, labels]` or `[latents, tokens]`.

    Args:
        model: Result of `GenerateTask.inference_model`.
        latents: float32 `[count, latent_dim]`, standard normal.
        labels: int32 `[count]` for a model with classes; tokens int32 `[count, length]` for one of text.
        batch_size: Images drawn at a time.

    Returns:
        uint8 `[count, height, width, channels]`.
    """
    images = []
    for start in range(0, len(latents), batch_size):
        inputs = [values[start : start + batch_size] for values in (latents, labels) if values is not None]
        outputs = np.asarray(model(inputs if len(inputs) > 1 else inputs[0], training=False))
        if not np.isfinite(outputs).all():
            raise ValueError("The generator's images are not finite numbers: its training has diverged.")
        images.append(np.rint(outputs * 255.0).astype(np.uint8))
    return np.concatenate(images)


def rows_of(images: np.ndarray, columns: int) -> list[list[np.ndarray]]:
    """Arranges uint8 `[count, height, width, 1 or 3]` as rows of RGB images."""
    if images.shape[-1] == 1:
        images = np.repeat(images, 3, axis=-1)
    return [list(images[start : start + columns]) for start in range(0, len(images), columns)]


def interpolate(model: keras.Model, *, rows: int, columns: int, first_seed: int, labels=None) -> np.ndarray:
    """Images along great circles between pairs of seeds, a row for each pair: uint8 `[rows * columns, ...]`.

    Normal vectors of many dimensions all have about the same length, so straight lines would leave the region that
    the generator was trained on (White 2016, arXiv:1609.04468).
    """
    starts, ends = np.split(draw_latents(model, 2 * rows, first_seed=first_seed), 2)
    cosine = (starts * ends).sum(1) / (np.linalg.norm(starts, axis=1) * np.linalg.norm(ends, axis=1))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))[:, None, None] + 1e-6
    share = np.linspace(0.0, 1.0, columns)[None, :, None]
    between = np.sin((1 - share) * angle) * starts[:, None] + np.sin(share * angle) * ends[:, None]
    latents = (between / np.sin(angle)).astype(np.float32).reshape(rows * columns, -1)
    return sample(model, latents, None if labels is None else np.repeat(labels[:rows], columns, axis=0))


def truncations(
    model: keras.Model, thresholds: Sequence[float | None], *, columns: int, first_seed: int, labels=None
) -> np.ndarray:
    """The same seeds at each threshold of truncation (`None` for none), a row for each: uint8.

    Of a style-based generator, the thresholds are its psi.
    """
    latents = draw_latents(model, columns, first_seed=first_seed)
    own = truncation_of(model)
    if own is not None:
        images = []
        for psi in thresholds:
            set_truncation(model, own if psi is None else psi)
            images.append(sample(model, latents, None if labels is None else labels[:columns]))
        set_truncation(model, own)
        return np.concatenate(images)
    rows = [latents if t is None else truncate_latents(latents, t).numpy() for t in thresholds]
    labels = None if labels is None else np.concatenate([labels[:columns]] * len(rows))
    return sample(model, np.concatenate(rows), labels)


def code_sweeps(model: keras.Model, *, categories: int, continuous: int, first_seed: int, labels=None) -> np.ndarray:
    """Sweeps of InfoGAN's codes: a row for each of a few seeds and codes, along which only that code changes.

    Args:
        model: Inference model whose first latents are codes (see `layers.LatentCodes`).
        categories: Size of the categorical code; 0 for none.
        continuous: Number of continuous codes.
        first_seed: First of the seeds to show.
        labels: int32 for a conditional model; the first one is used.

    Returns:
        uint8 `[rows * SWEEP_COLUMNS, ...]`.
    """
    seeds = draw_latents(model, SWEEP_SEEDS, first_seed=first_seed)
    rows = []
    for latents in seeds:
        if categories:
            row = np.repeat(latents[None], SWEEP_COLUMNS, axis=0)
            row[:, :categories] = np.eye(categories)[np.arange(SWEEP_COLUMNS) % categories]
            rows.append(row)
        for code in range(categories, categories + continuous):
            row = np.repeat(latents[None], SWEEP_COLUMNS, axis=0)
            row[:, code] = np.linspace(-2.0, 2.0, SWEEP_COLUMNS)
            rows.append(row)
    latents = np.concatenate(rows)
    return sample(model, latents, None if labels is None else np.repeat(labels[:1], len(latents), axis=0))


def nearest_neighbors(queries: np.ndarray, candidates: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest candidates of each query by Euclidean distance.

    Args:
        queries: float32 `[n, dim]`.
        candidates: float32 `[m, dim]`.
        count: Number of neighbors for each.

    Returns:
        Indices int64 `[n, count]`, nearest first, and their distances float64 `[n, count]`.
    """
    queries, candidates = queries.astype(np.float64), candidates.astype(np.float64)
    squared = (queries**2).sum(1)[:, None] + (candidates**2).sum(1)[None] - 2.0 * queries @ candidates.T
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :count]
    return nearest, np.sqrt(np.maximum(np.take_along_axis(squared, nearest, axis=1), 0.0))
