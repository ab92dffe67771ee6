"""A training that was stopped in any way and resumed is the training that was never stopped, bit for bit."""

import random
import signal
import time

import numpy as np
import pytest
from small_run import run_app, start_app, train_arguments, write_pairs

pytestmark = pytest.mark.large

STEPS = 80  # Long after the last kill, so that a test that is kept waiting still finds a training to kill.
SETTINGS = {"task.max_rotation_degrees": 10, "task.color_jitter": 0.1, "optimizer.schedule": "cosine"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def never_stopped(data, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    done = run_app(train_arguments(run_dir, data, steps=STEPS, settings=SETTINGS))
    assert done.returncode == 0, done.stderr
    return run_dir


def wait_for_step(process, run_dir, step):
    """Waits until the log tells of a step, so that the process is in the middle of training."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        metrics = run_dir / "metrics.csv"
        if metrics.exists() and any(
            line.split(",")[0].isdigit() and int(line.split(",")[0]) >= step
            for line in metrics.read_text().splitlines()[1:]
        ):
            return
        time.sleep(0.005)


def resume(run_dir):
    done = run_app(["train", "--task", "translate", "--run-dir", str(run_dir), "--resume"])
    assert done.returncode == 0, done.stderr
    return done


def assert_same_weights(a, b):
    name = f"checkpoints/step-{STEPS:07d}.npz"
    with np.load(a / name) as left, np.load(b / name) as right:
        assert set(left.files) == set(right.files)
        for key in left.files:
            np.testing.assert_array_equal(left[key], right[key], err_msg=key)


def test_killed_at_random_moments_and_resumed(data, never_stopped, tmp_path):
    rng, run_dir = random.Random(7), tmp_path / "run"
    arguments = train_arguments(run_dir, data, steps=STEPS, settings=SETTINGS)
    for step in (0, 8, 24):
        with start_app(arguments) as process:
            wait_for_step(process, run_dir, step)
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
        assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"
        arguments = ["train", "--task", "translate", "--run-dir", str(run_dir), "--resume"]
    resume(run_dir)
    assert_same_weights(run_dir, never_stopped)
    steps = [line.split(",")[0] for line in (run_dir / "metrics.csv").read_text().splitlines()[1:]]
    assert steps == [line.split(",")[0] for line in (never_stopped / "metrics.csv").read_text().splitlines()[1:]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_where_it_stopped_and_says_how_to_go_on(data, never_stopped, tmp_path, number):
    run_dir = tmp_path / "run"
    with start_app(train_arguments(run_dir, data, steps=STEPS, settings=SETTINGS)) as process:
        wait_for_step(process, run_dir, 6)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=600)
    assert process.returncode == 128 + number, stderr
    assert "Traceback" not in stderr
    assert (run_dir / "report.html").exists()
    assert "--resume" in (run_dir / "report.html").read_text()
    assert "resumed at step" in resume(run_dir).stderr
    assert_same_weights(run_dir, never_stopped)
