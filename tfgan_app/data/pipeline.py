"""tf.data pipelines over image pairs and labeled images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.batching import Place, build_batches, load_squares
from tfgan_app.data.image_pairs import ImagePair
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.reading import build_labeled_reader, build_pair_reader
from tfgan_app.data.specs import CropSpec, Schedule


def build_pair_dataset(
    pairs: Sequence[ImagePair],
    crops: CropSpec,
    schedule: Schedule,
    *,
    cache_budget_mb: int = 1024,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of pairs for a schedule; see `build_batches` for order, crops and memory.

    Args:
        pairs: Readable pairs (see `tfgan_app.data.checking.find_readable`), in an order that is the same in all runs.
        crops: Size of the crops, and resizing to it.
        schedule: Schedule of the batches.
        cache_budget_mb: Images are kept in memory if they need at most this much.
        on_progress: Called with the number of pairs read and the total, while images are read into memory.

    Returns:
        A dataset of `{"input": uint8 [batch, size_px, size_px, 3] in [0, 255], "target": the same, "position": int64
        [batch]}`. The position counts pairs since the start of training: `step * batch_size + i`.

    Raises:
        ValueError: If there is no pair.
    """
    reader = build_pair_reader(pairs, crops)
    return build_batches(reader, schedule, cache_budget_mb=cache_budget_mb, on_progress=on_progress)


def build_labeled_dataset(
    images: LabeledImages,
    crops: CropSpec,
    schedule: Schedule,
    *,
    cache_budget_mb: int = 1024,
    scales: np.ndarray | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of images for a schedule; see `build_batches` for order, crops and memory.

    Args:
        images: Readable images (see `tfgan_app.data.checking.find_readable_images`), in an order that is the same in
            all runs.
        crops: Size of the crops, and resizing to it.
        schedule: Schedule of the batches.
        cache_budget_mb: Images are kept in memory if they need at most this much.
        scales: With `resize="none"`, the scale at which each image is read, float64 [images].
        on_progress: Called with the number of images read and the total, while they are read into memory.

    Returns:
        A dataset of `{"image": uint8 [batch, size_px, size_px, channels] in [0, 255], "label": int32 [batch],
        "position": int64 [batch]}`.

    Raises:
        ValueError: If there is no image.
    """
    return build_batches(
        build_labeled_reader(images, crops, scales=scales),
        schedule,
        cache_budget_mb=cache_budget_mb,
        values={"label": images.labels},
        on_progress=on_progress,
    )


def load_pairs(pairs: Sequence[ImagePair], crops: CropSpec) -> tuple[np.ndarray, np.ndarray]:
    """Loads pairs for evaluation: resized as for training, then center-cropped.

    Args:
        pairs: Readable pairs.
        crops: Size of the squares, and resizing to it.

    Returns:
        Inputs and targets, both uint8 [pairs, size_px, size_px, 3].

    Raises:
        ValueError: If there is no pair.
    """
    loaded = load_squares(build_pair_reader(pairs, crops))
    return loaded["input"], loaded["target"]


def load_labeled(images: LabeledImages, crops: CropSpec, *, place: Place = "center") -> np.ndarray:
    """Loads labeled images for evaluation: resized as for training, then cropped to a square.

    Args:
        images: Readable images.
        crops: Size of the squares, and resizing to it.
        place: Position of the squares, see `load_squares`.

    Returns:
        uint8 [images, size_px, size_px, channels], in the order of `images`.

    Raises:
        ValueError: If there is no image.
    """
    return load_squares(build_labeled_reader(images, crops), place=place)["image"]
