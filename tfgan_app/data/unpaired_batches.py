"""The tf.data pipeline over two sets of images, and the images of one for evaluation."""

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
"""Makes another order of the targets than of the inputs, also where there are as many of both."""


def build_unpaired_dataset(
    inputs: ImageSide,
    targets: ImageSide,
    *,
    crops: CropSpec,
    schedule: Schedule,
    cache_budget_mb: int = 1024,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of a schedule; `build_batches` states their order, crops and memory.

    Each side is shuffled by itself, through all of its images before one comes again, however many the other has.

    Args:
        inputs: Readable images of one kind.
        targets: Readable images of the other.
        crops: Size of the crops, and how images are brought to it.
        schedule: Which batches; of as many images of each kind.
        cache_budget_mb: Keep the images of a side in memory if they need no more than half of this.
        on_progress: Called with the number of images of a side read so far and the number of all, while images
            are read into memory.

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
    # As in `build_batches`: rewriting the graph would copy the images in memory.
    options.experimental_optimization.apply_default_optimizations = False
    return tf.data.Dataset.zip(tuple(datasets)).map(lambda left, right: right | left).with_options(options)


def load_side(side: ImageSide, crops: CropSpec) -> np.ndarray:
    """Loads images for evaluation: resized as for training, then the square in the center.

    Args:
        side: Readable images.
        crops: Size of the squares, and how images are brought to it.

    Returns:
        uint8 [images, size_px, size_px, 3].

    Raises:
        ValueError: If there is no image.
    """
    return load_squares(_build_reader(side, crops, name="image"))["image"]


def _build_reader(side: ImageSide, crops: CropSpec, *, name: str) -> ImageReader:
    if not len(side):
        raise ValueError(f"There must be at least one {name} image. Received none that can be read.")
    return build_side_reader(side.images.paths, crops, name=name, half=side.half)
