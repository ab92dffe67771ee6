"""Predicts a picture or a whole tree of pictures into files of the same relative names."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfgan_app import images

MAX_PREDICTION_PIXELS = 2**24
"""Pictures are predicted whole; at 17 megapixels one full-size feature map of 64 channels takes 4 GB."""

_WORKERS = 2
_LOOKAHEAD = 4


@dataclass
class PredictionSummary:
    """What became of the pictures.

    Attributes:
        written: The files that were written, in the order of their inputs.
        failed: The inputs that could not be read, predicted or written.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    source: Path
    target: Path


def predict_path(
    predictor: Callable[[np.ndarray], np.ndarray],
    input: str | os.PathLike,
    output: str | os.PathLike,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_failure: Callable[[Path, str], None] = lambda source, reason: None,
    max_pixels: int = MAX_PREDICTION_PIXELS,
) -> PredictionSummary:
    """Predicts one picture, or each picture in a folder tree; reading and writing overlap the model.

    A folder's results have the relative names of their inputs. A suffix that cannot be written becomes
    `.png`; where that name is taken already, `.png` is appended (`a.gif` beside `a.png` becomes `a.gif.png`).
    Results of an earlier prediction are overwritten, inputs never.

    Args:
        predictor: uint8 [batch, height, width, 3] -> uint8 [batch, height, width, 3].
        input: A picture file, or a folder. Where the output folder lies inside it, that part is left out.
        output: For a picture: a file name with a suffix of a picture, or a folder. For a folder: a folder.
        on_progress: Called after each picture with the number done and the number of all.
        on_failure: Called with each input that failed and one line that names it and says why.
        max_pixels: Pictures with more pixels than this fail.

    Returns:
        A `PredictionSummary`.

    Raises:
        ValueError: If there is no picture at `input`, or a result would overwrite an input.
    """
    jobs = _plan(Path(input), Path(output))
    summary = PredictionSummary()

    def finish(job: _Job, error: Exception | None) -> None:
        if error is None:
            summary.written.append(job.target)
        else:
            summary.failed.append(job.source)
            on_failure(job.source, _reason(job, error))
        on_progress(len(summary.written) + len(summary.failed), len(jobs))

    with ThreadPoolExecutor(_WORKERS) as pool:
        for job, error in _run_jobs(jobs, predictor, pool, max_pixels=max_pixels):
            finish(job, error)
    return summary


def _run_jobs(
    jobs: list[_Job], predictor: Callable, pool: ThreadPoolExecutor, *, max_pixels: int
) -> Iterator[tuple[_Job, Exception | None]]:
    """Yields each job in order with what went wrong, holding no more than a few pictures in memory."""

    def read(source: Path) -> np.ndarray:
        return images.read_rgb(source, max_pixels=max_pixels)

    readings: deque[Future] = deque(pool.submit(read, job.source) for job in jobs[:_LOOKAHEAD])
    writings: deque[tuple[_Job, Future]] = deque()
    for position, job in enumerate(jobs):
        reading = readings.popleft()
        if position + _LOOKAHEAD < len(jobs):
            readings.append(pool.submit(read, jobs[position + _LOOKAHEAD].source))
        writings.append((job, _predict_one(job, reading, predictor, pool)))
        if len(writings) > _LOOKAHEAD:
            done, writing = writings.popleft()
            yield done, _error_of(writing)
    for job, writing in writings:
        yield job, _error_of(writing)


def _predict_one(job: _Job, reading: Future, predictor: Callable, pool: ThreadPoolExecutor) -> Future:
    """Runs the model in this thread and hands its result to the pool to be written."""
    try:
        result = predictor(reading.result()[None])[0]
    except (ValueError, OSError, MemoryError) as error:
        failed: Future = Future()
        failed.set_exception(error)
        return failed
    return pool.submit(images.write_picture, job.target, result)


def _error_of(writing: Future) -> Exception | None:
    error = writing.exception()
    if error is None or isinstance(error, (ValueError, OSError, MemoryError)):
        return error
    raise error


def _reason(job: _Job, error: Exception) -> str:
    """One line that names the input, whichever of reading, predicting or writing failed."""
    text = str(error) or type(error).__name__
    return text if str(job.source) in text else f"Cannot predict the picture '{job.source}': {text}"


def _plan(source: Path, target: Path) -> list[_Job]:
    """Pairs each input with its result and refuses what would overwrite an input."""
    if source.is_dir():
        jobs = _plan_folder(source, target)
    elif source.is_file():
        jobs = [_Job(source, _file_target(source, target))]
    else:
        raise ValueError(f"The input must be a picture or a folder of pictures. There is none at '{source}'.")
    inputs = {job.source.resolve() for job in jobs}
    for job in jobs:
        if job.target.resolve() in inputs:
            raise ValueError(f"The output would overwrite the input '{job.target}': choose another output.")
    return jobs


def _file_target(source: Path, target: Path) -> Path:
    if target.is_dir() or target.suffix.lower() not in images.PICTURE_SUFFIXES:
        return target / _writable_name(source)
    if target.suffix.lower() not in images.WRITABLE_SUFFIXES:
        known = ", ".join(sorted(images.WRITABLE_SUFFIXES))
        raise ValueError(f"The output's suffix must be one of {known}. Received: '{target}'")
    return target


def _plan_folder(source: Path, target: Path) -> list[_Job]:
    if target.exists() and not target.is_dir():
        raise ValueError(f"The output for a folder must be a folder. Received the file '{target}'.")
    inside = target.resolve()
    found = images.find_pictures(source)
    if inside != source.resolve():  # Results of an earlier prediction, where they lie among the inputs.
        found = [path for path in found if inside not in path.resolve().parents]
    if not found:
        raise ValueError(f"The input must hold pictures. Found none in '{source}'.")
    kept = {path for path in found if path.suffix.lower() in images.WRITABLE_SUFFIXES}
    # Compared in lower case: many file systems do not tell `A.png` from `a.png`.
    taken = {str(path.relative_to(source)).lower() for path in kept}
    jobs = []
    for path in found:
        name = path.relative_to(source)
        if path not in kept:
            name = _free_name(name, taken)
            taken.add(str(name).lower())
        jobs.append(_Job(path, target / name))
    return jobs


def _writable_name(path: Path) -> Path:
    return Path(path.name if path.suffix.lower() in images.WRITABLE_SUFFIXES else f"{path.stem}.png")


def _free_name(name: Path, taken: set[str]) -> Path:
    """A `.png` name for a file whose suffix cannot be written: `a.png`, `a.gif.png`, `a.gif.2.png`..."""
    free, count = name.with_suffix(".png"), 1
    while str(free).lower() in taken:
        free = name.with_name(f"{name.name}.png" if count == 1 else f"{name.name}.{count}.png")
        count += 1
    return free
