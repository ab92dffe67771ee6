"""Several replicas train like one device, and end with the same weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_run import free_ports

from tfgan_app.training.devices import build_strategy, resolve_precision

SUPPORT = Path(__file__).parents[1] / "support"


def start(strategy, output, *, training="pairs", **environment):
    paths = os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])])
    return subprocess.Popen(
        [sys.executable, str(SUPPORT / "distributed_worker.py"), training, strategy, str(output)],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, replicas):
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr[-3000:]
    assert f"{replicas} replicas" in stdout


def assert_close(a, b, **tolerance):
    with np.load(a) as left, np.load(b) as right:
        assert set(left.files) == set(right.files)
        for name in left.files:
            np.testing.assert_allclose(left[name], right[name], err_msg=name, **tolerance)


@pytest.fixture(scope="module", params=["pairs", "noise"])
def training(request):
    return request.param


@pytest.fixture(scope="module")
def single(tmp_path_factory, training):
    output = tmp_path_factory.mktemp("single") / "weights.npz"
    finish(start("none", output, training=training), 1)
    return output


@pytest.mark.large
def test_two_mirrored_devices_train_what_one_does(single, training, tmp_path):
    output = tmp_path / "mirrored.npz"
    finish(start("mirrored", output, training=training), 2)
    assert_close(single, output, atol=2e-5)


@pytest.mark.large
def test_two_worker_processes_end_with_identical_weights_and_train_what_one_does(single, training, tmp_path):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    outputs = [tmp_path / f"worker{index}.npz" for index in range(2)]
    workers = [
        start(
            "multi_worker",
            output,
            training=training,
            TF_CONFIG=json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}),
        )
        for index, output in enumerate(outputs)
    ]
    for worker in workers:
        finish(worker, 2)
    assert_close(*outputs, rtol=0, atol=0)
    assert_close(single, outputs[0], atol=2e-5)


def test_multi_worker_without_a_cluster_is_one_clear_line(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="expects TF_CONFIG to be set"):
        build_strategy("multi_worker")
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(ValueError, match=r"TF_CONFIG is not valid: expected JSON with cluster\.worker"):
        build_strategy("auto")


def test_auto_precision_is_one_that_the_machine_gains_from(monkeypatch):
    from tfgan_app.training import devices

    monkeypatch.setattr(devices.tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(devices, "_cpu_flags", lambda: {"avx2", "avx512_bf16"})
    assert resolve_precision("auto") == "mixed_bfloat16"
    monkeypatch.setattr(devices, "_cpu_flags", lambda: {"avx2"})
    assert resolve_precision("auto") == "float32"
    assert resolve_precision("mixed_float16") == "mixed_float16"
    for capability, expected in (((8, 0), "mixed_float16"), ((6, 1), "float32")):
        monkeypatch.setattr(devices.tf.config, "list_physical_devices", lambda kind: ["gpu"])
        details = {"compute_capability": capability}
        monkeypatch.setattr(devices.tf.config.experimental, "get_device_details", lambda gpu, d=details: d)
        assert resolve_precision("auto") == expected
