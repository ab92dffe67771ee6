"""A whole `generate` life through the command line: train, look, measure, compare, draw, export, resume."""

import json

import numpy as np
import pytest
from PIL import Image
from small_images import generate_arguments, write_class_folders

from tfgan_app import cli


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("classes"))


@pytest.fixture(scope="module")
def run_dir(data, tmp_path_factory):
    """A finished conditional run of 8 steps with ADA."""
    run = tmp_path_factory.mktemp("runs") / "run"
    settings = {
        "task.conditional": True,
        "task.augmentation": "ada",
        "task.r1_weight": 0.1,
        "task.penalty_every_steps": 2,
        "training.best_metric": "fid",
    }
    assert app(*generate_arguments(run, data, steps=8, settings=settings)) == 0
    return run


def test_run_directory_holds_what_a_user_looks_at(run_dir):
    for name in (
        "config.json",
        "report.html",
        "samples/step-0000008.png",
        "checkpoints/last.keras",
        "checkpoints/best.keras",
    ):
        assert (run_dir / name).is_file(), name
    header = set((run_dir / "metrics.csv").read_text().splitlines()[0].split(","))
    health = {"real_logits", "fake_logits", "augment_probability", "diversity", "penalty", "generator_gradient_norm"}
    measured = {f"{prefix}{name}" for prefix in ("val_", "val_floor_") for name in ("fid", "kid", "recall", "coverage")}
    assert health | measured <= header
    report = (run_dir / "report.html").read_text()
    for caption in (
        "Interpolation between seeds",
        "Truncation",
        "Averaged weights",
        "Each drawn image and its nearest training images",
    ):
        assert caption in report
    assert "real images" in report


def test_evaluate_compares_runs_of_one_protocol_and_refuses_others(run_dir, data, tmp_path, capsys):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert app("evaluate", "--run", run_dir, "--json", first) == 0
    written = json.loads(first.read_text())
    assert {"fid", "kid_low", "density", "floor_fid"} <= written["metrics"].keys()
    assert {"features", "features_digest", "split_digest", "generated_images"} <= written["protocol"].keys()
    capsys.readouterr()
    assert app("evaluate", "--run", run_dir, "--compare", first, "--json", second) == 0
    assert "equal" in capsys.readouterr().out
    written["protocol"]["generated_images"] = 50_000
    first.write_text(json.dumps(written))
    assert app("evaluate", "--run", run_dir, "--compare", first) == 2
    assert "generated_images: 50000 and 16" in capsys.readouterr().err


@pytest.mark.large
def test_evaluate_measures_on_other_images(run_dir, data, tmp_path, capsys):
    other = write_class_folders(tmp_path / "other", train=8, val=0)
    assert app("evaluate", "--run", run_dir, "--data", other / "train", "--json", tmp_path / "other.json") == 0
    protocol = json.loads((tmp_path / "other.json").read_text())["protocol"]
    assert (protocol["data"], protocol["split"], protocol["real_images"]) == (
        str(other / "train"),
        "other images",
        16,
    )


def test_an_unknown_best_metric_is_said_before_the_first_step(data, tmp_path, capsys):
    settings = {"training.best_metric": "ssim"}
    assert app(*generate_arguments(tmp_path / "run", data, steps=2, settings=settings)) == 2
    assert "metrics of generate: fid, kid" in capsys.readouterr().err


def test_predict_draws_classes_by_name(run_dir, tmp_path):
    assert app("predict", "--model", run_dir, "--output", tmp_path / "out", "--count", 3, "--class", "box") == 0
    files = sorted((tmp_path / "out").rglob("*.png"))
    assert len(files) == 3
    with Image.open(files[0]) as image:
        assert (image.mode, image.size) == ("L", (16, 16))


def test_export_draws_what_the_run_draws(run_dir, tmp_path):
    assert app("export", "--run", run_dir, "--format", "saved_model", "--output", tmp_path / "models") == 0
    for model, output in ((run_dir, "a"), (tmp_path / "models" / "generate", "b")):
        assert app("predict", "--model", model, "--output", tmp_path / output, "--count", 2, "--seed", 5) == 0
    drawn = [sorted((tmp_path / name).rglob("*.png")) for name in "ab"]
    assert [path.relative_to(tmp_path / "a") for path in drawn[0]] == [p.relative_to(tmp_path / "b") for p in drawn[1]]
    assert len(drawn[0]) == 4
    for left, right in zip(*drawn, strict=True):
        difference = np.asarray(Image.open(left)).astype(int) - np.asarray(Image.open(right))
        assert np.abs(difference).max() <= 1


@pytest.mark.large
def test_a_stopped_run_resumes_to_the_weights_of_one_never_stopped(run_dir, data, tmp_path):
    run = tmp_path / "run"
    settings = {
        "task.conditional": True,
        "task.augmentation": "ada",
        "task.r1_weight": 0.1,
        "task.penalty_every_steps": 2,
        "training.best_metric": "fid",
        "optimizer.schedule_steps": 8,
    }
    assert app(*generate_arguments(run, data, steps=5, settings=settings)) == 0
    assert app("train", "--task", "generate", "--run-dir", run, "--resume", "--steps", 8) == 0
    with (
        np.load(run_dir / "checkpoints/step-0000008.npz") as whole,
        np.load(run / "checkpoints/step-0000008.npz") as resumed,
    ):
        assert set(whole.files) == set(resumed.files)
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], resumed[name], err_msg=name)


@pytest.mark.large
def test_a_damaged_image_is_left_out_and_named(data, tmp_path, capsys):
    folder = write_class_folders(tmp_path / "data")
    (folder / "train" / "bar" / "bad.png").write_bytes(b"no image")
    assert app(*generate_arguments(tmp_path / "run", folder, steps=2)) == 1
    assert "bad.png" in capsys.readouterr().err
    assert (tmp_path / "run" / "report.html").is_file()


def test_inspect_tells_classes(data, capsys):
    assert app("inspect", "--data", data) == 0
    assert "bar" in capsys.readouterr().out
