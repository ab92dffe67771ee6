"""Batches of images through a model: one thread reads ahead, one runs the model, a few encode."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tfgan_app.files import printable
from tfgan_app.image_io import DecodedImage, check_size, loading, open_image_writer, read_image
from tfgan_app.image_io.value_range import InputRange
from tfgan_app.inference.bounded_queue import Abandoned, BoundedQueue
from tfgan_app.inference.folder_plan import Job
from tfgan_app.inference.image_pipeline import RowPredictor, predict_image, with_remarks
from tfgan_app.inference.pages import predict_pages

if TYPE_CHECKING:
    from tfgan_app.inference.finishing import FinishedPredictor

EXPECTED = (ValueError, OSError, MemoryError)
"""Errors that a user can cause; they cost one input, not the others."""

_LOOKAHEAD = 4
_LOOKAHEAD_PIXELS = 2**25
"""Limit on the pixels of images read ahead or waiting to be encoded; a single image may exceed it."""


class PixelProgress:
    """Counts input pixels, and estimates those of images that are not yet read."""

    def __init__(self, images: int, on_pixels: Callable[[int, int], None]):
        """Takes the number of images, and a callback for the pixels done and the total."""
        self._images, self._on_pixels = images, on_pixels
        self._read = self._read_pixels = 0
        self._done = 0.0

    def begin(self, pixels: int) -> None:
        """Adds an image that has been read."""
        self._read += 1
        self._read_pixels += pixels

    def advance(self, pixels: float) -> None:
        """Counts finished pixels."""
        self._done += pixels
        self._on_pixels(round(self._done), round(self._read_pixels * self._images / self._read))


@dataclass(frozen=True)
class Batch:
    """Three stages: one thread reads ahead, the caller's runs the model, and a few encode."""

    predictor: RowPredictor
    progress: PixelProgress
    quality: int | None
    tile_px: int | None
    max_pixels: int
    max_output_pixels: int
    input_range: InputRange | None

    def run(
        self, jobs: Sequence[Job], readers: ThreadPoolExecutor, writers: ThreadPoolExecutor
    ) -> Iterator[tuple[Job, Exception | Sequence[str]]]:
        """Yields each job in order with its notes or its error."""
        writings: deque[tuple[Job, Future, int]] = deque()
        for job, reading, pixels in self._read_ahead(jobs, readers):
            writings.append((job, self._predict(job, reading, writers), self._result_pixels(pixels)))
            while len(writings) > _LOOKAHEAD or (len(writings) > 1 and _held(writings) > _LOOKAHEAD_PIXELS):
                done, writing, _ = writings.popleft()
                yield done, _outcome(writing)
        for job, writing, _ in writings:
            yield job, _outcome(writing)

    def bound(self, job: Job) -> RowPredictor:
        """The predictor of one input, with its regions to keep."""
        if job.keep is None:
            return self.predictor
        # `predict_path` finishes every predictor that has regions to keep.
        return cast("FinishedPredictor", self.predictor).keeping(job.keep, max_pixels=self.max_pixels)

    def _result_pixels(self, pixels: int) -> int:
        """Estimated pixels of a result; only the number of its input's pixels is known."""
        side = math.isqrt(pixels) + 1
        return math.prod(self.predictor.output_size(side, side))

    def _read_ahead(self, jobs: Sequence[Job], readers: ThreadPoolExecutor) -> Iterator[tuple[Job, Future, int]]:
        """Yields each job with its reading and its pixels, a bounded number of pixels ahead."""
        waiting: deque[tuple[Job, Future, int]] = deque()
        unread = deque(jobs)
        try:
            while unread or waiting:
                while unread and len(waiting) < _LOOKAHEAD:
                    pixels = _pixels_of(unread[0].source)
                    if waiting and _held(waiting) + pixels > _LOOKAHEAD_PIXELS:
                        break
                    job = unread.popleft()
                    waiting.append((job, readers.submit(self._read, job), pixels))
                yield waiting.popleft()
        finally:
            for _, reading, _ in waiting:
                reading.cancel()

    def run_pages(self, jobs: Mapping[Job, list[int]]) -> Iterator[tuple[Job, Exception | Sequence[str]]]:
        """Yields each job of several pages with its notes or its error."""
        for job, pages in jobs.items():
            read = partial(self._read_page, job)
            try:
                yield job, predict_pages(self.bound(job), job.target, pages, read=read, tile_px=self.tile_px)
            except EXPECTED as error:
                yield job, error

    def _read_page(self, job: Job, page: int) -> tuple[DecodedImage, np.ndarray | None]:
        image = self._read(job, page=page)
        return image, None if job.mask is None else _read_mask(job.mask, max_pixels=self.max_pixels)

    def _read(self, job: Job, *, page: int | None = None) -> DecodedImage:
        image = read_image(job.source, page=page, max_pixels=self.max_pixels, input_range=self.input_range)
        height, width = self.predictor.output_size(*image.pixels.shape[:2])
        if height * width > self.max_output_pixels:
            raise ValueError(
                f"Cannot predict the image '{printable(job.source)}': its result would be {width} x {height} pixels; "
                f"accepted are at most {self.max_output_pixels} pixels: scale it down or crop it"
            )
        check_size(job.target, height=height, width=width)
        return image

    def _predict(self, job: Job, reading: Future, writers: ThreadPoolExecutor) -> Future:
        """Runs the model in this thread and hands its rows to a thread that writes them."""
        handover = BoundedQueue()
        writing: Future | None = None
        try:
            image = reading.result()
            height, width = image.pixels.shape[:2]
            self.progress.begin(height * width)
            mask = None if job.mask is None else _read_mask(job.mask, max_pixels=self.max_pixels)
            predictor = self.bound(job)
            channels, strips = predict_image(predictor, image, mask=mask, tile_px=self.tile_px)
            image = with_remarks(image, predictor, job.target, tile_px=self.tile_px)
            writing = writers.submit(self._write, job, image, channels, handover)
            for strip in strips:
                handover.put(strip)
                self.progress.advance(len(strip) * height * width / predictor.output_size(height, width)[0])
            handover.complete()
        except Abandoned:  # Writing has failed and reports the error.
            return writing
        except BaseException as error:
            handover.abandon()
            if not isinstance(error, EXPECTED):
                raise
            failed: Future = Future()
            failed.set_exception(error)
            return failed
        return writing

    def _write(self, job: Job, image: DecodedImage, channels: int, strips: BoundedQueue) -> Sequence[str]:
        """Writes the strips of an image as they arrive; returns the notes."""
        height, width = self.predictor.output_size(*image.pixels.shape[:2])
        kind: dict[str, Any] = {"channels": channels, "dtype": image.pixels.dtype, "metadata": image.metadata}
        try:
            with open_image_writer(job.target, height=height, width=width, quality=self.quality, **kind) as writer:
                for strip in strips:
                    writer.write(strip)
            return [*image.notes, *writer.notes]
        except BaseException:
            strips.abandon()
            raise


def _read_mask(path: Path, *, max_pixels: int) -> np.ndarray:
    """Bool [height, width]: True where an image is light."""
    pixels = read_image(path, max_pixels=max_pixels).pixels
    return pixels.mean(axis=-1) > np.iinfo(pixels.dtype).max / 2


def _pixels_of(source: Path) -> int:
    """Number of pixels by the file's header; the read-ahead limit for a file without a readable header."""
    try:
        header = loading.image_header(source)
    except ValueError:
        return _LOOKAHEAD_PIXELS
    return header.width * header.height


def _held(images: Iterable[tuple[Job, Future, int]]) -> int:
    """Number of pixels in all of them."""
    return sum(pixels for _, _, pixels in images)


def _outcome(writing: Future) -> Exception | Sequence[str]:
    """Notes of a written image, or its error; raises errors that no user can cause."""
    error = writing.exception()
    if error is None:
        return writing.result()
    if isinstance(error, EXPECTED):
        return error
    raise error
