"""`tfgan_app train --strategy multi_worker`: two processes on loopback, one run directory."""

import json

import numpy as np
import pytest
from small_run import free_ports, start_app, train_arguments, write_pairs

pytestmark = pytest.mark.large


def train_on_two_workers(arguments):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    cluster = {"worker": addresses}
    workers = [
        start_app(arguments, TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
        for index in range(2)
    ]
    for worker in workers:
        _, stderr = worker.communicate(timeout=900)
        assert worker.returncode == 0, stderr[-3000:]


def test_two_workers_train_log_validate_checkpoint_and_resume_what_one_does(tmp_path):
    data = write_pairs(tmp_path / "pairs")
    single, run_dir = tmp_path / "single", tmp_path / "run"
    settings = {"optimizer.schedule_steps": 9}
    with start_app(train_arguments(single, data, steps=9, settings=settings)) as process:
        _, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    train_on_two_workers([*train_arguments(run_dir, data, steps=6, settings=settings), "--strategy", "multi_worker"])
    resume = ["train", "--task", "translate", "--run-dir", str(run_dir), "--resume", "--steps", "9"]
    train_on_two_workers(resume)
    steps = [[line.split(",")[0] for line in (d / "metrics.csv").read_text().splitlines()] for d in (single, run_dir)]
    assert steps[1][:4] == ["step", "2", "4", "6"]
    assert steps[1][-1] == steps[0][-1] == "9"
    assert (run_dir / "report.html").exists()
    states = [np.load(d / "checkpoints" / "step-0000009.npz") for d in (single, run_dir)]
    with states[0] as one, states[1] as two:
        for name in one.files:
            np.testing.assert_allclose(one[name], two[name], atol=2e-5, err_msg=name)
