"""tf.data pipeline over two sets of images, and loading of one set for evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.batching import build_batches, load_squares
from tfgan_app.data.reading import ImageReader, build_side_reader
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.data.unpaired import ImageSide

_TARGET_SEED = 0x2545F491
"""Changes the seed of the targets, so that their order differs from that of equally many inputs."""


def build_unpaired_dataset(
    inputs: ImageSide,
    targets: ImageSide,
    *,
    crops: CropSpec,
    schedule: Schedule,
    cache_budget_mb: int = 1024,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of two sets for a schedule; see `build_batches` for order, crops and memory.

    Each side is shuffled separately: all of its images are used before one repeats, for any size of the other side.

    Args:
        inputs: Readable images of the input domain.
        targets: Readable images of the target domain.
        crops: Size of the crops, and resizing to it.
        schedule: Schedule of the batches, with equally many images of each side.
        cache_budget_mb: Images of a side are kept in memory if they need at most half of this.
        on_progress: Called with the number of images of a side read and the total, while they are read into memory.

    Returns:
        A dataset of `{"input": uint8 [batch, size_px, size_px, 3] in [0, 255], "target": the same,
        "position": int64 [batch]}`.

    Raises:
        ValueError: If a side has no image.
    """
    datasets = [
        build_batches(
            _build_reader(side, crops, name=name),
            replace(schedule, seed=seed),
            cache_budget_mb=cache_budget_mb // 2,
            on_progress=on_progress,
        )
        for side, name, seed in (
            (inputs, "input", schedule.seed),
            (targets, "target", schedule.seed ^ _TARGET_SEED),
        )
    ]
    options = tf.data.Options()
    # As in `build_batches`: graph optimizations would copy the in-memory images.
    options.experimental_optimization.apply_default_optimizations = False
    return tf.data.Dataset.zip(tuple(datasets)).map(lambda left, right: right | left).with_options(options)


def load_side(side: ImageSide, crops: CropSpec) -> np.ndarray:
    """Loads images for evaluation: resized as for training, then center-cropped.

    Args:
        side: Readable images.
        crops: Size of the squares, and resizing to it.

    Returns:
        uint8 [images, size_px, size_px, 3].

    Raises:
        ValueError: If there is no image.
    """
    return load_squares(_build_reader(side, crops, name="image"))["image"]


def _build_reader(side: ImageSide, crops: CropSpec, *, name: str) -> ImageReader:
    if not len(side):
        raise ValueError(f"There must be at least one readable {name} image. Received none.")
    return build_side_reader(side.images.paths, crops, name=name, half=side.half)
