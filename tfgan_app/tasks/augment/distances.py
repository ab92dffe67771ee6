"""Distances between images, to detect copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

MAX_PX = 32
MAX_QUERIES = 2000
_CHUNK = 500


class Nearest(NamedTuple):
    """The nearest candidate of each query.

    Attributes:
        indices: int64 `[queries]`.
        distances: float64 `[queries]`.
    """

    indices: np.ndarray
    distances: np.ndarray


def as_points(images: np.ndarray) -> np.ndarray:
    """Points whose Euclidean distance is the root mean squared difference of pixels, in [0, 1].

    Images are reduced by area to at most 32 px, so that noise weighs less than shapes.

    Args:
        images: uint8 `[count, height, width, channels]`.

    Returns:
        float32 `[count, dim]`.
    """
    if max(images.shape[1:3]) > MAX_PX:
        size = [min(side, MAX_PX) for side in images.shape[1:3]]
        # In chunks: all of them in floats may not fit the memory.
        chunks = [images[start : start + _CHUNK] for start in range(0, max(len(images), 1), _CHUNK)]
        resized = [tf.image.resize(tf.cast(chunk, tf.float32), size, method="area").numpy() for chunk in chunks]
        images = np.concatenate(resized)
    points = images.reshape(len(images), -1).astype(np.float32) / 255.0
    return points / np.sqrt(points.shape[1]).astype(np.float32)


def distances_between(queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Distances float64 `[queries, candidates]` of points float32 `[.., dim]`, for at most some hundred queries."""
    queries, candidates = queries.astype(np.float64), candidates.astype(np.float64, copy=False)
    squared = (queries**2).sum(1)[:, None] + (candidates**2).sum(1)[None] - 2.0 * queries @ candidates.T
    # Rounding leaves about 1e-16 of an image's distance to itself.
    return np.sqrt(np.where(squared < 1e-12, 0.0, squared))


def nearest(queries: np.ndarray, candidates: np.ndarray) -> Nearest:
    """The nearest candidate of each query.

    Args:
        queries: float32 `[n, dim]`.
        candidates: float32 `[m, dim]`.
    """
    return _nearest(queries, candidates, own=None)


def copy_distances(points: np.ndarray, labels: np.ndarray, *, classes: int, quantile: float) -> tuple[float, ...]:
    """Copy threshold of each class: a quantile of its images' distances to their nearest neighbor.

    Classes differ: trousers are more alike than bags. Of more than 2,000 images of a class, a subset is used; a
    class of one image takes the quantile over all classes. Distances of 0, between identical images, are left out.

    Args:
        points: float32 `[count, dim]`.
        labels: int32 `[count]` in [0, classes).
        classes: Number of classes.
        quantile: In [0, 1].

    Returns:
        A distance for each class.
    """
    found = [_distances_to_others(points[labels == label]) for label in range(classes)]
    everything = np.concatenate(found)
    fallback = np.quantile(everything, quantile) if len(everything) else 0.0
    return tuple(float(np.quantile(each, quantile)) if len(each) else float(fallback) for each in found)


def _distances_to_others(points: np.ndarray) -> np.ndarray:
    if len(points) < 2:
        return np.zeros(0)
    chosen = np.random.default_rng(0).permutation(len(points))[:MAX_QUERIES]
    found = _nearest(points[chosen], points, own=chosen).distances
    return found[found > 0.0]


def _nearest(queries: np.ndarray, candidates: np.ndarray, *, own: np.ndarray | None) -> Nearest:
    indices, found = [], []
    candidates = candidates.astype(np.float64)
    for start in range(0, len(queries), _CHUNK):
        between = distances_between(queries[start : start + _CHUNK], candidates)
        rows = np.arange(len(between))
        if own is not None:
            between[rows, own[start : start + _CHUNK]] = np.inf
        indices.append(between.argmin(axis=1))
        found.append(between[rows, indices[-1]])
    return Nearest(np.concatenate(indices), np.concatenate(found))
