import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from tfgan_app.callbacks.metrics_file import read_metrics
from tfgan_app.callbacks.scalars import ScalarLog


def test_a_row_is_the_mean_of_its_own_window(tmp_path, tiny_model):
    tiny_model.run([ScalarLog(tmp_path, 2, 4)], steps=5)
    rows = read_metrics(tmp_path)
    assert [(row["step"], row["generator_loss"]) for row in rows] == [(2, 1.5), (4, 3.5), (5, 5.0)]
    assert all(row["images_per_second"] > 0 for row in rows)
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)


def test_other_callbacks_share_the_row(tmp_path, tiny_model):
    log = ScalarLog(tmp_path, 2, 4)
    tiny_model.at_step[3] = lambda: log.write(2, {"val_psnr": 20.0})
    tiny_model.run([log], steps=4)
    rows = read_metrics(tmp_path)
    assert rows[0]["val_psnr"] == 20.0
    assert "val_psnr" not in rows[1]
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert header.startswith("step,seconds,images_per_second,")


def test_a_resumed_run_drops_rows_past_its_step_and_goes_on(tmp_path, tiny_model):
    tiny_model.run([ScalarLog(tmp_path, 2, 4)], steps=6)
    with open(tmp_path / "metrics.csv", "a") as file:
        file.write("8,1")
    tiny_model.run([ScalarLog(tmp_path, 2, 4)], steps=8, initial_step=4)
    rows = read_metrics(tmp_path)
    assert [(row["step"], row["generator_loss"]) for row in rows] == [(2, 1.5), (4, 3.5), (6, 5.5), (8, 7.5)]
    assert rows[-1]["seconds"] >= rows[1]["seconds"]


def test_the_same_log_rewinds_after_a_rollback(tmp_path, tiny_model):
    log = ScalarLog(tmp_path, 2, 4)
    tiny_model.run([log], steps=6)
    tiny_model.run([log], steps=4, initial_step=2)
    assert [row["step"] for row in read_metrics(tmp_path)] == [2, 4]


def test_scalars_go_to_tensorboard(tmp_path, tiny_model):
    log = ScalarLog(tmp_path, 1, 4)
    tiny_model.at_step[2] = lambda: log.write(1, {"val_psnr": 20.0})
    tiny_model.run([log], steps=2)
    tags = set()
    for path in (tmp_path / "logs").rglob("events.*"):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            tags |= {value.tag for value in event_pb2.Event.FromString(record).summary.value}
    assert {"generator_loss", "val_psnr", "images_per_second"} <= tags


def test_a_disk_that_is_full_is_said_once_and_training_goes_on(tmp_path, tiny_model):
    (tmp_path / "file").write_text("")  # No folder can be made under a file, whoever runs the test.
    said = []
    record = lambda *event: said.append(event)  # noqa: E731
    assert tiny_model.run([ScalarLog(tmp_path / "file" / "run", 1, 4, record=record)], steps=4) == 4
    assert [kind for _, kind, _ in said] == ["warning", "warning"]
    assert "metrics.csv" in said[0][2]


def test_the_interval_is_checked(tmp_path):
    with pytest.raises(ValueError, match="every_steps"):
        ScalarLog(tmp_path, 0, 4)


@pytest.mark.large
def test_a_run_killed_while_it_writes_leaves_a_file_that_is_mended(tmp_path):
    script = textwrap.dedent("""
        import sys
        from tfgan_app.callbacks.metrics_file import MetricsFile
        metrics = MetricsFile(sys.argv[1])
        step = 0
        while True:
            step += 1
            metrics.write(step, {"loss": step, f"column_{step % 50}": 1.0})
            if step == 200:
                print("going", flush=True)
    """)
    path = tmp_path / "metrics.csv"
    root = pathlib.Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(root)},
    )
    with process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    steps = [row["step"] for row in read_metrics(tmp_path)]
    assert len(steps) >= 200
    assert steps == list(range(1, len(steps) + 1))
    with open(path, "a") as file:
        file.write("999,")
    log = ScalarLog(tmp_path, 1, 1)
    log.write(len(steps) + 1, {"loss": 1.0})
    assert [row["step"] for row in read_metrics(tmp_path)] == [*steps, len(steps) + 1]
