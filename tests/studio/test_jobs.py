"""The studio's jobs: processes with progress, cancel and resume."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from tfgan_app.studio.jobs import JobQueue
from tfgan_app.studio.progress import Progress, error_of, read_progress

PROGRAM = """
import os, signal, sys, time
kind, *rest = sys.argv[1:]
if kind == "print":
    print(*rest, sep="\\n")
elif kind == "fail":
    print("a line"); print("tfgan_app: error: `--data` must be a folder. Received: 'x'.", file=sys.stderr); sys.exit(2)
elif kind == "crash":
    raise RuntimeError("a bug")
elif kind == "some":
    print("3 written to out, 1 failed"); sys.exit(1)
elif kind == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif kind == "wait":
    print("step 5/10  50%  ETA 0:07")
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("saved"); sys.exit(130)
elif kind == "serve":
    print("http://127.0.0.1:8501/")
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(0)
elif kind == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("step 1/10  10%  ETA 0:07")
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def interrupts():
    """Children ignore interrupts if this process does, as in a shell's background; the page's server heeds them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def queue(tmp_path):
    started = JobQueue(tmp_path, program=(sys.executable, "-S", "-c", PROGRAM))
    yield started
    for job in started.jobs:
        if job.process is not None and job.process.poll() is None:
            job.process.kill()
            job.ended.wait(20)


def ended(job):
    assert job.ended.wait(60)
    return job


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "state", "message"),
    [
        (["print", "step 3/10  30%  ETA 0:07", "10 written to out"], "done", "10 written to out"),
        (["fail"], "failed", "`--data` must be a folder. Received: 'x'."),
        (["some"], "partly", "3 written to out, 1 failed"),
        (["crash"], "failed", "RuntimeError: a bug"),
        (["kill"], "failed", "it printed nothing"),
    ],
)
def test_each_end_has_one_message(queue, arguments, state, message):
    job = ended(queue.add("A job", arguments))
    assert (job.state, job.message) == (state, message)
    assert job.command == f"tfgan_app {' '.join(arguments)}" or len(arguments) > 1
    assert ended(queue.add("The next", ["print", "fine"])).state == "done"


def test_progress_is_read_while_a_job_runs_and_cancel_lets_it_save(queue):
    job = queue.add("A training", ["wait"], lane="training", resume=["print", "resumed"])
    wait_until(lambda: job.progress)
    assert job.progress == Progress(0.5, "0:07")
    assert job.message == ""
    queue.cancel(job.number)
    assert ended(job).state == "canceled"
    assert "saved" in job.lines
    again = ended(queue.continue_job(job.number))
    assert (again.state, again.message, again.arguments) == ("done", "resumed", ("print", "resumed"))
    with pytest.raises(ValueError, match="has ended already"):
        queue.cancel(job.number)
    with pytest.raises(ValueError, match="only a stopped or failed job"):
        queue.continue_job(again.number)


@pytest.mark.parametrize(("lane", "state"), [("server", "canceled"), ("training", "done")])
def test_a_server_that_ends_well_was_stopped_and_a_training_was_done(queue, lane, state):
    job = queue.add("a title", ["serve"], lane=lane)
    wait_until(lambda: job.lines)
    queue.cancel(job.number)
    assert ended(job).state == state


def test_a_second_cancel_ends_what_does_not_listen(queue):
    job = queue.add("A deaf job", ["deaf"])
    wait_until(lambda: job.progress)
    queue.cancel(job.number)
    assert job.state == "stopping"
    queue.cancel(job.number)
    assert ended(job).state == "canceled"


def test_jobs_of_a_lane_wait_for_each_other_and_lanes_do_not(queue):
    first, second = (queue.add("Images", ["wait"]) for _ in range(2))
    training = queue.add("Training", ["wait"], lane="training")
    wait_until(lambda: first.progress and training.progress)
    assert second.state == "waiting"
    third = queue.add("Images", ["print", "late"])
    queue.cancel(second.number)
    assert second.state == "canceled"
    queue.cancel(first.number)
    assert ended(third).state == "done"
    assert training.state == "running"
    queue.close()
    assert training.state == "canceled"


def test_a_program_that_is_missing_is_a_message(tmp_path):
    job = ended(JobQueue(tmp_path, program=(os.fspath(tmp_path / "nothing"),)).add("A job", []))
    assert job.state == "failed"
    assert "cannot be started" in job.message


def test_unknown_jobs_are_refused(queue):
    for action in (queue.cancel, queue.continue_job):
        with pytest.raises(ValueError, match="Choose a job first"):
            action(None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("3/10 images, 1.2/s", Progress(0.3)),
        ("3/10 images, 45%, 0:12 left", Progress(0.45, "0:12")),
        ("45%, 1:00:12 left", Progress(0.45, "1:00:12")),
        ("45%", Progress(0.45)),
        ("120/240 frames, 0:05 left", Progress(0.5, "0:05")),
        ("step 120/2000 6%  G 51.8  D 0.699  81.9 images/s  ETA 3:12", Progress(0.06, "3:12")),
        ("step 1/6 17%  G 51.8", Progress(0.17)),
        ("validation at step 3: psnr 8.192, 95% interval", None),
        ("parity: 3/4 within 1%", None),
        ("10 written to out", None),
        ("", None),
    ],
)
def test_progress_lines(line, expected):
    assert read_progress(line) == expected


def test_the_error_line_counts_more_than_what_follows():
    lines = ["x", "tfgan_app predict: error: argument --tile: bad (see `tfgan_app predict --help`)", "y"]
    assert error_of(lines) == "argument --tile: bad"
    assert error_of(["x", "last", " "]) == "last"
