"""The tf.data pipeline over two sets of pictures, and the pictures of one for evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.batching import build_batches, load_squares
from tfgan_app.data.decoding import FilePictures
from tfgan_app.data.reading import Column, PictureReader
from tfgan_app.data.unpaired import PictureSide
from tfgan_app.picture_files.value_range import InputRange

_TARGET_SEED = 0x2545F491
"""Makes another order of the targets than of the inputs, also where there are as many of both."""


def build_unpaired_dataset(
    inputs: PictureSide,
    targets: PictureSide,
    *,
    load_size_px: int,
    batch_size: int,
    steps: int,
    seed: int,
    start_step: int = 0,
    resize: str = "short_side",
    cache_budget_mb: int = 1024,
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of the steps `start_step` to `steps - 1`.

    Each side is shuffled by itself, through all of its pictures before one comes again, however many the other has.
    What is promised of order, crops and memory is said at `tfgan_app.data.batching.build_batches`.

    Args:
        inputs: Readable pictures of one kind.
        targets: Readable pictures of the other.
        load_size_px: Height and width of the crops.
        batch_size: Pictures of each kind per step.
        steps: Number of steps of the whole training.
        seed: Chooses orders and crops.
        start_step: First step.
        resize: As for `tfgan_app.data.pipeline.build_pair_dataset`.
        cache_budget_mb: Keep the pictures of a side in memory if they need no more than half of this.
        background: Colour behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of pictures of a side read so far and the number of all, while pictures
            are read into memory.

    Returns:
        A dataset of `{"input": uint8 [batch, load_size_px, load_size_px, 3] in [0, 255], "target": the same,
        "position": int64 [batch]}`.

    Raises:
        ValueError: If an option is out of range, or a side has no picture.
    """
    datasets = [
        build_batches(
            _build_reader(
                side, name=name, size_px=load_size_px, resize=resize, background=background, input_range=input_range
            ),
            size_px=load_size_px,
            batch_size=batch_size,
            steps=steps,
            start_step=start_step,
            seed=side_seed,
            cache_budget_mb=cache_budget_mb // 2,
            on_progress=on_progress,
        )
        for side, name, side_seed in ((inputs, "input", seed), (targets, "target", seed ^ _TARGET_SEED))
    ]
    options = tf.data.Options()
    # As in `build_batches`: rewriting the graph would copy the pictures in memory.
    options.experimental_optimization.apply_default_optimizations = False
    return tf.data.Dataset.zip(tuple(datasets)).map(lambda left, right: right | left).with_options(options)


def load_side(
    side: PictureSide,
    *,
    size_px: int,
    resize: str = "short_side",
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
) -> np.ndarray:
    """Loads pictures for evaluation: resized as for training, then the square in the centre.

    Args:
        side: Readable pictures.
        size_px: Height and width of the pictures.
        resize: As for `build_unpaired_dataset`.
        background: Colour behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Returns:
        uint8 [pictures, size_px, size_px, 3].

    Raises:
        ValueError: If an option is not valid, or there is no picture.
    """
    reader = _build_reader(
        side, name="image", size_px=size_px, resize=resize, background=background, input_range=input_range
    )
    return load_squares(reader, size_px=size_px, crops="centre")["image"]


def _build_reader(side: PictureSide, *, name: str, size_px: int, resize: str, **reading: Any) -> PictureReader:
    if not len(side):
        raise ValueError(f"There must be at least one {name} picture. Received none that can be read.")
    source = FilePictures(
        side.pictures.paths,
        parts=2 if side.half else 1,
        reduce_to_px=None if resize == "none" else size_px,
        **reading,
    )
    return PictureReader({name: Column(source, side.half)}, size_px=size_px, resize=resize)
