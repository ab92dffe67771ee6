"""The tf.data pipelines over picture pairs and over labelled pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfgan_app.data.batching import build_batches, load_squares
from tfgan_app.data.labelled import LabelledPictures
from tfgan_app.data.pairs import PicturePair
from tfgan_app.data.reading import build_labelled_reader, build_pair_reader
from tfgan_app.picture_files.value_range import InputRange


def build_pair_dataset(
    pairs: Sequence[PicturePair],
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

    What is promised of order, crops and memory is said at `tfgan_app.data.batching.build_batches`.

    Args:
        pairs: Readable pairs (see `tfgan_app.data.checking.find_readable`), in an order that does not change
            between runs.
        load_size_px: Height and width of the crops.
        batch_size: Pairs per step.
        steps: Number of steps of the whole training.
        seed: Chooses order and crops.
        start_step: First step.
        resize: `"short_side"` scales the short side to `load_size_px` and crops along the long side,
            `"squash"` scales both sides, `"none"` crops at the picture's own resolution and enlarges only
            smaller pictures.
        cache_budget_mb: Keep the pictures in memory if they need no more than this.
        background: Colour behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of pairs read so far and the number of all pairs, while pictures
            are read into memory.

    Returns:
        A dataset of `{"input": uint8 [batch, load_size_px, load_size_px, 3] in [0, 255], "target": the same,
        "position": int64 [batch]}`. The position counts pictures since the start of training: `step *
        batch_size + i`.

    Raises:
        ValueError: If an option is out of range, or there is no pair.
    """
    _check_positive(load_size_px=load_size_px, batch_size=batch_size)
    return build_batches(
        build_pair_reader(pairs, size_px=load_size_px, resize=resize, background=background, input_range=input_range),
        size_px=load_size_px,
        batch_size=batch_size,
        steps=steps,
        start_step=start_step,
        seed=seed,
        cache_budget_mb=cache_budget_mb,
        on_progress=on_progress,
    )


def build_labelled_dataset(
    pictures: LabelledPictures,
    *,
    size_px: int,
    channels: int,
    batch_size: int,
    steps: int,
    seed: int,
    start_step: int = 0,
    resize: str = "short_side",
    cache_budget_mb: int = 1024,
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
    scales: np.ndarray | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of the steps `start_step` to `steps - 1`, as `build_pair_dataset` does.

    Args:
        pictures: Readable pictures (see `tfgan_app.data.checking.find_readable_pictures`), in an order that
            does not change between runs.
        size_px: Height and width of the crops.
        channels: 3, or 1 for the luma as Pillow's `convert("L")` computes it; it takes a third of the memory.
        batch_size: Pictures per step.
        steps: As for `build_pair_dataset`.
        seed: As for `build_pair_dataset`.
        start_step: As for `build_pair_dataset`.
        resize: As for `build_pair_dataset`.
        cache_budget_mb: As for `build_pair_dataset`.
        background: As for `build_pair_dataset`.
        input_range: As for `build_pair_dataset`.
        scales: As for `PictureReader`: at which share of its size each picture is read.
        on_progress: Called with the number of pictures read so far and the number of all pictures, while they
            are read into memory.

    Returns:
        A dataset of `{"image": uint8 [batch, size_px, size_px, channels] in [0, 255], "label": int32 [batch],
        "position": int64 [batch]}`.

    Raises:
        ValueError: If an option is out of range, or there is no picture.
    """
    _check_positive(size_px=size_px, batch_size=batch_size)
    options = {"resize": resize, "background": background, "input_range": input_range, "scales": scales}
    return build_batches(
        build_labelled_reader(pictures, size_px=size_px, channels=channels, **options),
        size_px=size_px,
        batch_size=batch_size,
        steps=steps,
        start_step=start_step,
        seed=seed,
        cache_budget_mb=cache_budget_mb,
        values={"label": pictures.labels},
        on_progress=on_progress,
    )


def load_pairs(
    pairs: Sequence[PicturePair],
    *,
    size_px: int,
    resize: str = "short_side",
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Loads pairs for evaluation: resized as for training, then the square in the centre.

    Args:
        pairs: Readable pairs.
        size_px: Height and width of the pictures.
        resize: As for `build_pair_dataset`.
        background: Colour behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Returns:
        Inputs and targets, both uint8 [pairs, size_px, size_px, 3].

    Raises:
        ValueError: If an option is not valid, or there is no pair.
    """
    reader = build_pair_reader(pairs, size_px=size_px, resize=resize, background=background, input_range=input_range)
    loaded = load_squares(reader, size_px=size_px, crops="centre")
    return loaded["input"], loaded["target"]


def load_labelled(
    pictures: LabelledPictures,
    *,
    size_px: int,
    channels: int,
    resize: str = "short_side",
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
    crops: Literal["centre", "random"] = "centre",
) -> np.ndarray:
    """Loads labelled pictures for evaluation: resized as for training, then a square.

    Args:
        pictures: Readable pictures.
        size_px: Height and width of the pictures.
        channels: As for `build_labelled_dataset`.
        resize: As for `build_pair_dataset`.
        background: Colour behind transparent pixels.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        crops: As for `load_squares`.

    Returns:
        uint8 [pictures, size_px, size_px, channels], in the order of `pictures`.

    Raises:
        ValueError: If an option is not valid, or there is no picture.
    """
    reader = build_labelled_reader(
        pictures, size_px=size_px, channels=channels, resize=resize, background=background, input_range=input_range
    )
    return load_squares(reader, size_px=size_px, crops=crops)["image"]


def _check_positive(**options: int) -> None:
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}.")
