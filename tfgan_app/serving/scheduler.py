"""Scheduler of model runs in a few threads: one queue, and compatible requests run as one batch.

A worker takes the oldest request and all compatible ones in the queue. It never waits for more: while all workers are
busy the queue fills by itself, and while one is free waiting would only cost time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tfgan_app.serving.endpoints import Endpoint
from tfgan_app.serving.errors import Code, ServingError, from_tensorflow
from tfgan_app.serving.saved_models import ModelVersion

_MAX_MERGED_ROWS = 8
"""Most rows of several requests in one batch: a small generator drew 1.4 to 1.8 times as much in eights as one by
one, and no more in larger batches, each of whose sizes TensorFlow first has to prepare for."""

_MAX_MERGED_BYTES = 256 * 2**10
"""Most pixels in one batch. Larger images keep all cores busy one by one, and would only take more memory."""


@dataclass(eq=False)
class _Job:
    model: ModelVersion
    endpoint: Endpoint
    inputs: Mapping[str, np.ndarray]
    rows: int
    future: asyncio.Future
    key: tuple = field(init=False)
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        shapes = ((name, array.dtype.str, array.shape[1:]) for name, array in sorted(self.inputs.items()))
        # The version is compared by identity: a name and number may come back with other files.
        self.key = (id(self.model), self.endpoint.name, *shapes) if self.endpoint.mergeable else ()
        self.size_bytes = sum(array.nbytes for array in self.inputs.values())


class Scheduler:
    """Worker threads and their queue."""

    def __init__(
        self,
        *,
        workers: int,
        max_queue: int,
        max_batch: int,
        on_batch: Callable[[ModelVersion, int], None] = lambda model, rows: None,
    ) -> None:
        """Starts the workers.

        Args:
            workers: Number of threads.
            max_queue: Largest number of waiting requests.
            max_batch: Largest number of rows of a request, which run at once; rows of several requests are limited to
                8.
            on_batch: Called with the version and the rows of each run, from the worker's thread.
        """
        self._max_queue = max_queue
        self._max_rows = min(max_batch, _MAX_MERGED_ROWS)
        self._on_batch = on_batch
        self._queue: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"model-worker-{index}", daemon=True) for index in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Number of waiting requests."""
        return len(self._queue)

    async def run(
        self, model: ModelVersion, endpoint: Endpoint, inputs: Mapping[str, np.ndarray], *, rows: int
    ) -> dict[str, np.ndarray]:
        """Runs a signature on checked inputs.

        Args:
            model: The version, which stays loaded until it has run, even if the caller gives up earlier.
            endpoint: Its signature.
            inputs: Name -> array.
            rows: Number of rows of the inputs.

        Returns:
            Name -> array.

        Raises:
            ServingError: RESOURCE_EXHAUSTED if the queue is full, or the error of the run.
        """
        loop = asyncio.get_running_loop()
        job = _Job(model, endpoint, inputs, rows, loop.create_future())
        with self._changed:
            if self._closed:
                raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
            if len(self._queue) >= self._max_queue:
                raise ServingError(
                    Code.RESOURCE_EXHAUSTED, f"The server is overloaded: {self._max_queue} requests wait. Try later."
                )
            model.users += 1
            self._queue.append(job)
            self._changed.notify()
        return await job.future

    def close(self) -> None:
        """Ends the workers; waiting requests are not run any more."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                jobs = self._take()
            if jobs:
                self._run(jobs)
                jobs = None  # Otherwise an idle worker would keep a version loaded.

    def _take(self) -> list[_Job]:
        """The oldest request and compatible ones; abandoned requests are dropped."""
        jobs: list[_Job] = []
        left: deque[_Job] = deque()
        rows = size_bytes = 0
        while self._queue:
            job = self._queue.popleft()
            if job.future.done():
                _deliver(job, None)
                continue
            fits = rows + job.rows <= self._max_rows and size_bytes + job.size_bytes <= _MAX_MERGED_BYTES
            if not jobs or (job.key and job.key == jobs[0].key and fits):
                jobs.append(job)
                rows, size_bytes = rows + job.rows, size_bytes + job.size_bytes
            else:
                left.append(job)
            if not jobs[0].key or rows >= self._max_rows or size_bytes >= _MAX_MERGED_BYTES:
                break
        left.extend(self._queue)
        self._queue = left
        return jobs

    def _run(self, jobs: list[_Job]) -> None:
        self._on_batch(jobs[0].model, sum(job.rows for job in jobs))
        try:
            answers: list = _run_together(jobs)
        except Exception as error:  # Ops, and Python inside them, raise any type.
            if len(jobs) > 1:
                for job in jobs:
                    self._run([job])
                return
            answers = [from_tensorflow(error)]
        for job, answer in zip(jobs, answers, strict=True):
            _deliver(job, answer)


def _run_together(jobs: list[_Job]) -> list[dict[str, np.ndarray]]:
    if len(jobs) == 1:
        return [jobs[0].endpoint.run(jobs[0].inputs)]
    names = jobs[0].inputs
    outputs = jobs[0].endpoint.run({name: np.concatenate([job.inputs[name] for job in jobs]) for name in names})
    total, ends = sum(job.rows for job in jobs), np.cumsum([job.rows for job in jobs])
    if any(len(array) != total for array in outputs.values()):
        raise ValueError("the outputs of the signature do not have the rows of its inputs")
    slices = [slice(end - job.rows, end) for job, end in zip(jobs, ends, strict=True)]
    return [{name: array[part] for name, array in outputs.items()} for part in slices]


def _deliver(job: _Job, answer: dict[str, np.ndarray] | ServingError | None) -> None:
    def set_result() -> None:
        job.model.users -= 1
        if job.future.done():  # The caller gave up.
            return
        if isinstance(answer, ServingError):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)

    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        job.future.get_loop().call_soon_threadsafe(set_result)
