"""Training batches from records: seekable order, random square crops, from memory or disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfgan_app.data.memory import FlatMemory, RowMemory
from tfgan_app.data.ordering import random_below, shuffled_indices
from tfgan_app.data.reading import ImageReader
from tfgan_app.data.specs import Schedule

_CROP_TOP, _CROP_LEFT = 0, 1

Place = Literal["center", "random"]


def build_batches(
    reader: ImageReader,
    schedule: Schedule,
    *,
    cache_budget_mb: int,
    values: Mapping[str, np.ndarray] | None = None,
    stride_px: int = 1,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the batches of a schedule.

    The records and crops of a step depend only on the seed and the step: starting at step k gives the same batches as
    skipping k steps. Every epoch is a new permutation; a batch may span two epochs. Images are kept in memory as bytes
    if all of them fit into the budget at their reading size, else they are decoded for each step. Both ways give
    bit-identical batches.

    Args:
        reader: Reader of the records; no side is shorter than the crops.
        schedule: Schedule of the batches.
        cache_budget_mb: Images are kept in memory if they need at most this much.
        values: Further values of the records, [records, ...] by name, added to the batches.
        stride_px: Crops start at multiples of this.
        on_progress: Called with the number of records read and the total, while images are read into memory.

    Returns:
        A dataset of the columns of `reader`, each [batch, size_px, size_px, channels] of its dtype, the `values`
        of the same records, and `"position": int64 [batch]`. The position counts images since the start of training:
        `step * batch_size + i`.
    """
    size_px, first, last = reader.crops.size_px, schedule.start_step, schedule.steps
    draw = _build_draw(reader, values or {}, stride_px=stride_px, schedule=schedule)
    draws = tf.data.Dataset.range(first, last).map(draw)
    in_memory = _cached_bytes(reader) <= cache_budget_mb * 2**20
    if in_memory and (reader.shapes.min(axis=1) == size_px).all():
        memory = RowMemory(reader, size_px=size_px, on_progress=on_progress)
        dataset = draws.map(_batch_from_rows(memory), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    else:
        read = FlatMemory(reader, on_progress=on_progress).read if in_memory else reader.read
        parallelism = tf.data.AUTOTUNE if in_memory else reader.parallelism
        crop = _crop_of(read, shape=[size_px, size_px, reader.channels])
        dataset = draws.unbatch().map(crop, num_parallel_calls=parallelism, deterministic=True)
        dataset = dataset.batch(schedule.batch_size, drop_remainder=True)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(last - first))
    options = tf.data.Options()
    # Graph optimizations would copy the in-memory images that the graph refers to.
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


def load_squares(reader: ImageReader, *, place: Place = "center") -> dict[str, np.ndarray]:
    """Loads a square of every record.

    Args:
        reader: Reader of the records; no side is shorter than the square.
        place: Position of the square: `"center"`, or `"random"` along the longer side, which is always the same for
            the same index.

    Returns:
        The columns by name, each [records, size_px, size_px, channels] of the reader's dtype.
    """
    size_px = reader.crops.size_px
    room = reader.shapes - size_px
    corners = room // 2 if place == "center" else np.random.default_rng(0).integers(0, room + 1)
    shape = (len(corners), size_px, size_px, reader.channels)
    loaded = {name: np.empty(shape, reader.dtype.as_numpy_dtype) for name in reader.names}
    for i, record in enumerate(reader.records()):
        top, left = corners[i]
        for name, image in record.items():
            loaded[name][i] = image[top : top + size_px, left : left + size_px]
    reader.raise_if_damaged()
    return loaded


_Draw = dict[str, Any]
"""`index`, `top` and `left` of records, int64 [batch] or scalars, and the further values under `given`."""


def _build_draw(
    reader: ImageReader, values: Mapping[str, np.ndarray], *, stride_px: int, schedule: Schedule
) -> Callable[[tf.Tensor], _Draw]:
    """Returns a function from a step to the random draws for its batch."""
    count, batch_size, seed = len(reader.shapes), schedule.batch_size, schedule.seed
    redirect = reader.build_redirect(values.get("label"))
    with tf.device("CPU:0"):
        choices = tf.constant((reader.shapes - reader.crops.size_px) // stride_px + 1)
        constants = {name: tf.constant(value) for name, value in values.items()}

    def draw(step: tf.Tensor) -> _Draw:
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        indices = shuffled_indices(positions, count=count, seed=seed)
        if redirect is not None:
            indices = redirect(indices)
        limits = tf.gather(choices, indices)
        given = {name: tf.gather(constant, indices) for name, constant in constants.items()}
        return {
            "index": indices,
            "top": stride_px * random_below(limits[:, 0], positions=positions, seed=seed, stream=_CROP_TOP),
            "left": stride_px * random_below(limits[:, 1], positions=positions, seed=seed, stream=_CROP_LEFT),
            "given": given | {"position": positions},
        }

    return draw


def _batch_from_rows(memory: RowMemory) -> Callable[[_Draw], dict[str, tf.Tensor]]:
    """Returns a function from the draws for a batch to the batch."""

    def batch(draw: _Draw) -> dict[str, tf.Tensor]:
        crops = memory.read_crops(draw["index"], tops=draw["top"], lefts=draw["left"])
        return crops | draw["given"]

    return batch


def _crop_of(
    read: Callable[[tf.Tensor], dict[str, tf.Tensor]], *, shape: list[int]
) -> Callable[[_Draw], dict[str, tf.Tensor]]:
    """Returns a function from the draw for one record to its crops."""

    def crop(draw: _Draw) -> dict[str, tf.Tensor]:
        begin = tf.stack([draw["top"], draw["left"], 0])
        crops = {
            name: tf.ensure_shape(tf.slice(image, begin, shape), shape) for name, image in read(draw["index"]).items()
        }
        return crops | draw["given"]

    return crop


def _cached_bytes(reader: ImageReader) -> int:
    """Returns the number of bytes of all images at their reading size."""
    return int(reader.shapes.prod(axis=1).sum()) * reader.channels * len(reader.names) * reader.dtype.size
