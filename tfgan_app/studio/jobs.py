"""Jobs of the page: commands of this package as child processes, in queues, with progress, cancel and resume."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tfgan_app.durations import PROGRESS_SECONDS
from tfgan_app.studio.progress import Progress, error_of, read_progress

State = Literal["waiting", "running", "stopping", "done", "partly", "failed", "canceled"]
Lane = Literal["quick", "images", "training", "server"]

OPEN_STATES = frozenset({"waiting", "running", "stopping"})
_LOG_LINES = 400
_GRACE_SECONDS = 120.0
"""Time for a training to finish its step and to save after an interrupt, before it is terminated."""

_LAST_SECONDS = 10.0
_EXIT_SOME_FAILED = 1
_AT_ONCE = {"quick": 2, "images": 1, "training": 1, "server": 4}
"""Jobs of each lane that run at the same time; further ones wait."""


@dataclass
class Job:
    """A command and its outcome.

    Attributes:
        number: Number for the user, from 1.
        title: Purpose in a few words.
        arguments: Arguments of `tfgan_app`.
        lane: Queue that it waits in.
        output: File or folder that it writes, if the page shows its content.
        details: Number of last lines of its output that are its result.
        link: Address of a server that it runs.
        resume: Arguments that continue it after a stop; empty if it only starts anew.
        state: State of the job.
        progress: Progress, once the command has printed it.
        lines: Last lines that the command printed.
        exit_code: Exit code of the process; None before its end.
        started: Time of the start by `time.monotonic`.
        seconds: Duration, once it has ended.
    """

    number: int
    title: str
    arguments: tuple[str, ...]
    lane: Lane
    output: Path | None = None
    resume: tuple[str, ...] = ()
    details: int = 0
    link: str = ""
    state: State = "waiting"
    progress: Progress | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    exit_code: int | None = None
    started: float | None = None
    seconds: float | None = None
    process: subprocess.Popen | None = field(default=None, repr=False)
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def command(self) -> str:
        """The command, quoted for a shell."""
        return shlex.join(["tfgan_app", *self.arguments])

    @property
    def message(self) -> str:
        """Outcome in one line; empty before the end."""
        if self.state in OPEN_STATES:
            return ""
        if self.state == "canceled":
            return "Stopped. Resume continues it." if self.resume else "Stopped."
        if self.state == "failed":
            return error_of(list(self.lines))
        return self.results[-1].strip() if self.results else "Done."

    @property
    def results(self) -> list[str]:
        """Lines that it has printed, without those of progress."""
        return [line for line in list(self.lines) if line.strip() and read_progress(line) is None]


class JobQueue:
    """Runs jobs in order, a few at a time; a job that crashes ends alone.

    Args:
        folder: Working folder of the commands, where their relative paths start.
        program: Beginning of each command.
    """

    def __init__(self, folder: Path, *, program: Sequence[str] = (sys.executable, "-m", "tfgan_app")):
        self._folder = folder
        self._program = tuple(program)
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()

    @property
    def jobs(self) -> list[Job]:
        """All jobs, newest first."""
        with self._lock:
            return [*self._jobs.values()][::-1]

    def find(self, number: int | None) -> Job:
        """Returns a job by its number.

        Raises:
            ValueError: If there is none.
        """
        job = self._jobs.get(number or 0)
        if job is None:
            raise ValueError("Choose a job first.")
        return job

    def add(
        self,
        title: str,
        arguments: Sequence[str],
        *,
        lane: Lane = "images",
        resume: Sequence[str] = (),
        **options: Any,
    ) -> Job:
        """Adds a job to its queue, and starts it if it is its turn; the arguments are those of `Job`."""
        with self._lock:
            job = Job(next(self._numbers), title, tuple(arguments), lane, resume=tuple(resume), **options)
            self._jobs[job.number] = job
        self._start_next()
        return job

    def cancel(self, number: int | None) -> Job:
        """Stops a job: a waiting one at once, a running one by an interrupt, so that it saves; again: at once.

        Raises:
            ValueError: If it has ended already, or there is none.
        """
        job = self.find(number)
        with self._lock:
            state = job.state
            if state not in OPEN_STATES:
                raise ValueError(f"Job {job.number} has ended already: {job.state}.")
            job.state = "canceled" if state == "waiting" else "stopping"
        if state == "waiting":
            job.ended.set()
        elif state == "running":
            _interrupt(job)
            threading.Thread(target=_end_after, args=(job, _GRACE_SECONDS), daemon=True).start()
        else:
            _end_after(job, 0.0)
        return job

    def continue_job(self, number: int | None) -> Job:
        """Adds a job that continues one that was stopped or has failed.

        Raises:
            ValueError: If it is still open, is done, or cannot be continued.
        """
        job = self.find(number)
        if job.state in (*OPEN_STATES, "done"):
            raise ValueError(f"Job {job.number} is {job.state}: only a stopped or failed job can be resumed.")
        if not job.resume:
            raise ValueError(f"Job {job.number} has nothing to continue: start it again.")
        return self.add(
            job.title,
            job.resume,
            resume=job.resume,
            lane=job.lane,
            output=job.output,
            details=job.details,
            link=job.link,
        )

    def close(self) -> None:
        """Stops all jobs and waits for them: trainings save a checkpoint first."""
        opened = [job for job in self.jobs if job.state in OPEN_STATES]
        for job in opened:
            with contextlib.suppress(ValueError):  # It has ended meanwhile.
                self.cancel(job.number)
        for job in opened:
            job.ended.wait(_GRACE_SECONDS + _LAST_SECONDS)

    def _start_next(self) -> None:
        starting = []
        with self._lock:
            for lane, most in _AT_ONCE.items():
                jobs = [job for job in self._jobs.values() if job.lane == lane]
                free = most - sum(job.state in ("running", "stopping") for job in jobs)
                starting += [job for job in jobs if job.state == "waiting"][: max(free, 0)]
            for job in starting:
                job.state, job.started = "running", time.monotonic()
                self._open(job)
        for job in starting:
            threading.Thread(target=self._follow, args=(job,), daemon=True).start()

    def _open(self, job: Job) -> None:
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", PROGRESS_SECONDS: "1"}
        try:
            job.process = subprocess.Popen(
                [*self._program, *job.arguments],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # Ctrl-C in the terminal of the page goes to the page, which then stops its jobs in order.
                start_new_session=True,
            )
        except OSError as error:  # No memory, no more processes.
            job.lines.append(f"tfgan_app: error: the command cannot be started: {error}")

    def _follow(self, job: Job) -> None:
        """Reads what a command prints until it ends."""
        if job.process is not None and job.process.stdout is not None:
            for line in job.process.stdout:
                job.lines.append(line.rstrip("\n"))
                job.progress = read_progress(line) or job.progress
            job.exit_code = job.process.wait()
            job.process.stdout.close()
        with self._lock:
            job.seconds = time.monotonic() - (job.started or 0.0)
            job.state = _end_state(job)
        job.ended.set()
        self._start_next()


def _end_state(job: Job) -> State:
    if job.state == "stopping" and (job.exit_code != 0 or job.lane == "server"):  # A server has no other end.
        return "canceled"
    if job.exit_code == 0:
        return "done"
    return "partly" if job.exit_code == _EXIT_SOME_FAILED and not _crashed(job) else "failed"


def _crashed(job: Job) -> bool:
    """Returns whether a process ended by an exception, whose exit code is 1 too."""
    return any(line.startswith("Traceback (most recent call last)") for line in job.lines)


def _interrupt(job: Job) -> None:
    _signal(job, signal.SIGINT if os.name == "posix" else signal.SIGTERM)


def _end_after(job: Job, seconds: float) -> None:
    """Terminates a process that has not ended in time, and kills it if it does not end then either."""
    for wait, number in ((seconds, signal.SIGTERM), (_LAST_SECONDS, getattr(signal, "SIGKILL", signal.SIGTERM))):
        if job.ended.wait(wait):
            return
        _signal(job, number)


def _signal(job: Job, number: int) -> None:
    if job.process is not None and job.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            job.process.send_signal(number)


def wait_for(job: Job, *, on_progress: Callable[[Progress], None] = lambda progress: None) -> Job:
    """Waits until a job has ended, and reports its progress meanwhile.

    Args:
        job: The job.
        on_progress: Called a few times a second, once there is progress.
    """
    while not job.ended.wait(0.25):
        if job.progress:
            on_progress(job.progress)
    return job
