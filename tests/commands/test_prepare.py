"""`tfgan_app prepare`, and trainings from shards: the weights of a training from the folder, bit for bit."""

import numpy as np
import pytest
from PIL import Image
from small_images import TINY_GENERATE, write_class_folders
from small_run import TINY, run_app, write_pairs

pytest.importorskip("array_record")
pytestmark = pytest.mark.large

STEPS = 6


def weights(run_dir):
    with np.load(run_dir / "checkpoints" / f"step-{STEPS:07d}.npz") as file:
        return {key: file[key] for key in file.files}


def train(task, data, run_dir, settings):
    sets = [f"--set={key}={value}" for key, value in settings.items()]
    flags = ["--data", str(data), "--run-dir", str(run_dir), "--steps", str(STEPS)]
    done = run_app(["train", "--task", task, *flags, *sets])
    assert done.returncode == 0, done.stderr


def assert_same(expected, found):
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(value, found[key], err_msg=key)


@pytest.mark.parametrize(
    ("task", "write", "settings"),
    [
        ("generate", write_class_folders, {**TINY_GENERATE, "data.cache_budget_mb": 0}),
        ("translate", write_pairs, TINY),
    ],
)
def test_the_same_weights_and_resume(task, write, settings, tmp_path):
    source = write(tmp_path / "source")
    done = run_app(["prepare", "--data", str(source), "--output", str(tmp_path / "set"), "--shards", "3"])
    assert done.returncode == 0, done.stderr
    train(task, source, tmp_path / "folder", settings)
    train(task, tmp_path / "set", tmp_path / "shards", settings)
    expected = weights(tmp_path / "folder")
    assert_same(expected, weights(tmp_path / "shards"))
    # As after a kill between the last two checkpoints.
    (tmp_path / "shards" / "checkpoints" / f"step-{STEPS:07d}.npz").unlink()
    done = run_app(["train", "--run-dir", str(tmp_path / "shards"), "--resume"])
    assert done.returncode == 0, done.stderr
    assert_same(expected, weights(tmp_path / "shards"))


def test_exit_codes(tmp_path):
    source = write_class_folders(tmp_path / "source", train=2, val=2)
    (source / "train" / "bar" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("RGB", (8, 8)).save(source / "train" / "bar" / "good.png")
    prepare = ["prepare", "--data", str(source), "--output", str(tmp_path / "set")]
    done = run_app([*prepare, "--shards", "2"])
    assert done.returncode == 1 and "bad.png" in done.stderr and "Packed" in done.stdout
    again = run_app([*prepare, "--shards", "3"])
    assert again.returncode == 2 and again.stderr.count("\n") == 1
    zero = run_app([*prepare, "--shards", "0"])
    assert zero.returncode == 2 and "at least 1" in zero.stderr
