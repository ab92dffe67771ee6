"""The tf.data pipeline over picture pairs: seekable order, random square crops, memory or disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.data.memory import FlatMemory, RowMemory
from tfgan_app.data.ordering import random_below, shuffled_indices
from tfgan_app.data.pairs import PicturePair
from tfgan_app.data.reading import PairReader

_CROP_TOP, _CROP_LEFT = 0, 1


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
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of the steps `start_step` to `steps - 1`.

    Which pictures a step sees, and where they are cropped, depends on `seed` and the step alone: starting at
    step k gives the batches that skipping k steps would give. Every epoch is a fresh permutation; batches may
    straddle two epochs. Pictures are kept in memory as bytes when all of them fit into the budget at the size
    they are read, else they are decoded for each step. Both give the same batches, bit for bit.

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
        on_progress: Called with the number of pairs read so far and the number of all pairs, while pictures
            are read into memory.

    Returns:
        A dataset of `{"input": uint8 [batch, load_size_px, load_size_px, 3] in [0, 255], "target": the same,
        "position": int64 [batch]}`. The position counts pictures since the start of training: `step *
        batch_size + i`.

    Raises:
        ValueError: If an option is out of range, or there is no pair.
    """
    for name, value in (("load_size_px", load_size_px), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}.")
    if not 0 <= start_step <= steps:
        raise ValueError(f"`start_step` must be between 0 and steps={steps}. Received: {start_step}.")
    reader = PairReader(pairs, size_px=load_size_px, resize=resize, background=background)
    draw = _build_draw(reader.shapes, size_px=load_size_px, batch_size=batch_size, seed=seed)
    draws = tf.data.Dataset.range(start_step, steps).map(draw)
    in_memory = _cached_bytes(reader.shapes) <= cache_budget_mb * 2**20
    if in_memory and resize != "none":
        memory = RowMemory(reader, size_px=load_size_px, on_progress=on_progress)
        dataset = draws.map(_batch_from_rows(memory), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    else:
        read = FlatMemory(reader, on_progress=on_progress).read if in_memory else reader.read
        parallelism = tf.data.AUTOTUNE if in_memory else reader.parallelism
        crop = _crop_of(read, size_px=load_size_px)
        dataset = draws.unbatch().map(crop, num_parallel_calls=parallelism, deterministic=True)
        dataset = dataset.batch(batch_size, drop_remainder=True)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps - start_step))
    options = tf.data.Options()
    # They rewrite the graph, and on the way copy the pictures in memory that the graph refers to.
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


def load_pairs(
    pairs: Sequence[PicturePair],
    *,
    size_px: int,
    resize: str = "short_side",
    background: tuple[int, int, int] = (255, 255, 255),
) -> tuple[np.ndarray, np.ndarray]:
    """Loads pairs for evaluation: resized as for training, then the square in the centre.

    Args:
        pairs: Readable pairs.
        size_px: Height and width of the pictures.
        resize: As for `build_pair_dataset`.
        background: Colour behind transparent pixels.

    Returns:
        Inputs and targets, both uint8 [pairs, size_px, size_px, 3].

    Raises:
        ValueError: If an option is not valid, or there is no pair.
    """
    reader = PairReader(pairs, size_px=size_px, resize=resize, background=background)
    corners = (reader.shapes - size_px) // 2
    loaded = np.empty((2, len(pairs), size_px, size_px, 3), np.uint8)
    for i, pair in enumerate(reader.dataset().as_numpy_iterator()):
        top, left = corners[i]
        for column, picture in enumerate(pair):
            loaded[column, i] = picture[top : top + size_px, left : left + size_px]
    return loaded[0], loaded[1]


_Draw = dict[str, tf.Tensor]
"""`position`, `index`, `top` and `left` of pictures: int64, [batch] or scalars."""


def _build_draw(shapes: np.ndarray, *, size_px: int, batch_size: int, seed: int) -> Callable[[tf.Tensor], _Draw]:
    """A function from a step to the draws for its batch."""
    with tf.device("CPU:0"):
        choices = tf.constant(shapes - size_px + 1)

    def draw(step: tf.Tensor) -> _Draw:
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        indices = shuffled_indices(positions, count=len(shapes), seed=seed)
        limits = tf.gather(choices, indices)
        return {
            "position": positions,
            "index": indices,
            "top": random_below(limits[:, 0], positions=positions, seed=seed, stream=_CROP_TOP),
            "left": random_below(limits[:, 1], positions=positions, seed=seed, stream=_CROP_LEFT),
        }

    return draw


def _batch_from_rows(memory: RowMemory) -> Callable[[_Draw], dict[str, tf.Tensor]]:
    """A function from the draws for a batch to the batch."""

    def batch(draw: _Draw) -> dict[str, tf.Tensor]:
        inputs, targets = memory.read_crops(draw["index"], tops=draw["top"], lefts=draw["left"])
        return {"input": inputs, "target": targets, "position": draw["position"]}

    return batch


def _crop_of(
    read: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]], *, size_px: int
) -> Callable[[_Draw], dict[str, tf.Tensor]]:
    """A function from the draw for one pair to its crops."""

    def crop(draw: _Draw) -> dict[str, tf.Tensor]:
        begin = tf.stack([draw["top"], draw["left"], 0])
        crops = [
            tf.ensure_shape(tf.slice(picture, begin, [size_px, size_px, 3]), [size_px, size_px, 3])
            for picture in read(draw["index"])
        ]
        return {"input": crops[0], "target": crops[1], "position": draw["position"]}

    return crop


def _cached_bytes(shapes: np.ndarray) -> int:
    """Bytes of all inputs and targets as they are read."""
    return int(shapes.prod(axis=1).sum()) * 3 * 2
