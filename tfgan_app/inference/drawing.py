"""Drawing of images from seeds and classes into files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfgan_app.files import atomic_path, printable
from tfgan_app.image_io import loading
from tfgan_app.image_io.grid import make_grid
from tfgan_app.inference.class_folders import class_folders, find_class
from tfgan_app.inference.folder import PredictionSummary
from tfgan_app.inference.sampler import Sampler, check_truncation

MAX_COUNT = 1_000_000
DEFAULT_COUNT = 16
MAX_IN_GRID = 4096

_MAX_SEED = 2**63 - 1
_WORKERS = 2
_CHUNK = 8
_COLUMNS = 16
"""Rows of a grid with several classes, at most."""


@dataclass(frozen=True)
class _Job:
    seed: int
    label: int | None
    target: Path


def draw_images(
    sampler: Sampler,
    output: str | os.PathLike,
    *,
    count: int | None = None,
    seed: int = 0,
    classes: Sequence[str] = (),
    truncation: float | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_failure: Callable[[Path, str], None] = lambda target, reason: None,
) -> PredictionSummary:
    """Draws the seeds `seed`, `seed + 1`... into `seed-0000000.png`..., each class into its own folder.

    An image depends only on its seed, class and truncation, so any of them can be drawn again by itself. Gray models
    write gray PNG files. Images of an earlier call are overwritten. Writing overlaps with the model.

    Args:
        sampler: A generative model from `load_predictor`.
        output: A folder; or a file with the suffix of an image, for one image or a grid of up to `MAX_IN_GRID` images.
            In a grid, each of several classes begins a row.
        count: Number of seeds (of each class); by default 1 for a file and `DEFAULT_COUNT` for a folder.
        seed: The first seed.
        classes: Classes to draw, each a name in any case or a number; by default all, as are the prompts of a model of
            text.
        truncation: Largest absolute value of the latents, or psi of styles; smaller values reduce variety.
        on_progress: Called after each image with the number done and the total.
        on_failure: Called with each file that could not be written and one line that names it and the reason.

    Returns:
        A `PredictionSummary`; `failed` are files that could not be written.

    Raises:
        ValueError: If an argument does not suit the model, or the model fails. Arguments are checked before
            anything is written.
    """
    check_truncation(truncation, sampler.info)
    labels = find_labels(sampler.class_names, classes)
    jobs = _plan(sampler, Path(output), labels=labels, count=count, seed=seed)
    if len({job.target for job in jobs}) < len(jobs):
        return _draw_grid(jobs, sampler, truncation=truncation, on_progress=on_progress, on_failure=on_failure)
    summary = PredictionSummary()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for job, writing in _run_jobs(jobs, sampler, pool, truncation=truncation):
            error = writing.exception()
            _note(summary, job.target, error, on_failure)
            on_progress(len(summary.written) + len(summary.failed), len(jobs))
    return summary


def _note(summary: PredictionSummary, target: Path, error: BaseException | None, on_failure: Callable) -> None:
    """Counts a file as written or failed.

    Raises:
        BaseException: `error`, unless it only means that a file cannot be written.
    """
    if error is None:
        summary.written.append(target)
    elif isinstance(error, OSError):
        summary.failed.append(target)
        on_failure(target, f"Cannot write the image '{printable(target)}': {error.strerror or error}")
    else:
        raise error


def _draw_grid(
    jobs: list[_Job], sampler: Sampler, *, truncation: float | None, on_progress: Callable, on_failure: Callable
) -> PredictionSummary:
    """Draws all jobs into the one file that they name."""
    by_class: dict[int | None, list[np.ndarray]] = {}
    for start in range(0, len(jobs), _CHUNK):
        chunk = jobs[start : start + _CHUNK]
        images = _drawn(chunk, sampler, truncation)
        if images[0, ..., 0].size * len(jobs) > loading.MAX_PIXELS:
            height, width = images.shape[1:3]
            raise ValueError(
                f"A grid may have at most {loading.MAX_PIXELS:,} pixels. Received: {len(jobs)} images of {width} x "
                f"{height}. Give a folder as the output."
            )
        for job, image in zip(chunk, images, strict=True):
            by_class.setdefault(job.label, []).append(image)
        on_progress(start + len(chunk), len(jobs))
    summary, error = PredictionSummary(), None
    try:
        _write(jobs[0].target, _grid_of(list(by_class.values())))
    except OSError as failure:
        error = failure
    _note(summary, jobs[0].target, error, on_failure)
    return summary


def _grid_of(classes: list[list[np.ndarray]]) -> np.ndarray:
    """A grid that is nearly square, or has separate rows for each of several classes.

    Args:
        classes: The same number of images of each class, uint8 [height, width, 1 or 3].

    Returns:
        uint8 [height, width, 1 or 3].
    """
    count, channels = len(classes[0]), classes[0][0].shape[-1]
    columns = math.ceil(math.sqrt(count)) if len(classes) == 1 else min(count, _COLUMNS)
    in_color = [[np.broadcast_to(image, (*image.shape[:2], 3)) for image in images] for images in classes]
    rows = [images[first : first + columns] for images in in_color for first in range(0, count, columns)]
    return make_grid(rows)[..., :channels]


def _drawn(jobs: list[_Job], sampler: Sampler, truncation: float | None) -> np.ndarray:
    """Draws the images of a few jobs: uint8 [len(jobs), height, width, 1 or 3]."""
    labels = None if jobs[0].label is None else [job.label for job in jobs]
    return sampler([job.seed for job in jobs], labels, truncation)


def _run_jobs(
    jobs: list[_Job], sampler: Sampler, pool: ThreadPoolExecutor, *, truncation: float | None
) -> Iterator[tuple[_Job, Future]]:
    """Yields each job in order with the writing of its file, a few images ahead."""
    waiting: list[tuple[_Job, Future]] = []
    for start in range(0, len(jobs), _CHUNK):
        chunk = jobs[start : start + _CHUNK]
        images = _drawn(chunk, sampler, truncation)
        yield from waiting
        waiting = [(job, pool.submit(_write, job.target, it)) for job, it in zip(chunk, images, strict=True)]
    yield from waiting


def _write(path: Path, image: np.ndarray) -> None:
    """Writes uint8 [height, width, 1 or 3]; a PNG as an exported model encodes it, gray for gray images."""
    if path.suffix.lower() != ".png":
        loading.write_image(path, np.broadcast_to(image, (*image.shape[:2], 3)))
        return
    import tensorflow as tf

    with atomic_path(path) as unfinished:
        unfinished.write_bytes(tf.io.encode_png(image).numpy())


def find_labels(class_names: Sequence[str], classes: Sequence[str]) -> list[int | None]:
    """Labels to draw, each once; `[None]` for a model without classes.

    Args:
        class_names: Class names of the model.
        classes: Names in any case, or numbers; empty for all.

    Raises:
        ValueError: If a class does not exist.
    """
    if classes:
        return list(dict.fromkeys(find_class(class_names, wanted) for wanted in classes))
    return list(range(len(class_names))) or [None]


def _plan(sampler: Sampler, output: Path, *, labels: list[int | None], count: int | None, seed: int) -> list[_Job]:
    is_file = not output.is_dir() and output.suffix.lower() in loading.IMAGE_SUFFIXES
    shown = printable(output)
    if is_file and output.suffix.lower() not in loading.WRITABLE_SUFFIXES:
        known = ", ".join(sorted(loading.WRITABLE_SUFFIXES))
        raise ValueError(f"The suffix of the output image must be one of {known}. Received: '{shown}'")
    if output.exists() and not (is_file or output.is_dir()):
        raise ValueError(f"The output must be a folder or an image file, such as a .png. Received the file '{shown}'.")
    count = count or (1 if is_file else DEFAULT_COUNT)
    if count > MAX_COUNT:
        raise ValueError(f"`--count` must be at most {MAX_COUNT} at a time. Received: {count}")
    if seed + count - 1 > _MAX_SEED:
        raise ValueError(f"Seeds must be at most {_MAX_SEED}. Received: {seed} and the {count - 1} after it")
    if is_file and count * len(labels) > MAX_IN_GRID:
        of_classes = f"{count} of each of {len(labels)} classes" if len(labels) > 1 else f"{count}"
        raise ValueError(
            f"A grid may have at most {MAX_IN_GRID} images. Received: {of_classes}. Give a folder, not '{shown}'."
        )
    folders = class_folders(sampler.class_names)
    jobs = []
    for label in labels:
        folder = output if label is None else output / folders[label]
        for each in range(seed, seed + count):
            jobs.append(_Job(each, label, output if is_file else folder / f"seed-{each:07d}.png"))
    return jobs
