"""`train` and `evaluate` of images that are not paired, from the images to the figures."""

import json

import pytest
from small_unpaired import TINY_UNPAIRED, write_unpaired

from tfgan_app import cli
from tfgan_app.inference import load_keras_model

SETTINGS = {**TINY_UNPAIRED, "training.sample_every_steps": 2, "training.validate_every_steps": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_unpaired(tmp_path_factory.mktemp("sets"), pairs=True)


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def train(data, run_dir, **settings):
    overrides = [f"--set={key}={value}" for key, value in (SETTINGS | settings).items()]
    return run("train", "--task", "translate", "--data", data, "--run-dir", run_dir, "--steps", 2, *overrides)


def test_the_way_back_is_kept_measured_and_usable(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", **{"task.method": "cyclegan"}) == 0
    assert run("evaluate", "--run", tmp_path / "run", "--json", tmp_path / "metrics.json") == 0
    capsys.readouterr()
    found = json.loads((tmp_path / "metrics.json").read_text())
    expected = {"fid", "kid", "copy_fid", "floor_fid", "psnr", "change", "inverse_fid", "cycle_psnr"}
    assert expected <= found["metrics"].keys()
    assert found["protocol"]["true_pairs"] == 6
    header = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"cycle", "change", "val_fid", "val_inverse_fid"} <= set(header)
    models = [tmp_path / "run" / "checkpoints" / f"{name}.keras" for name in ("last", "last-inverse")]
    weights = [load_keras_model(path).get_weights() for path in models]
    assert any((a != b).any() for a, b in zip(*weights, strict=True))
    report = (tmp_path / "run" / "report.html").read_text()
    assert "The way back" in report


def test_the_method_is_found_by_the_images(tmp_path, capsys):
    data = write_unpaired(tmp_path / "sets")
    assert train(data, tmp_path / "run", **{"task.nce_patches": 8}) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["task"]["method"] == "cut"
    assert config["training"]["best_metric"] == "fid"
    assert "fid" in capsys.readouterr().out


def test_a_setting_of_another_method_is_2_and_named(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", **{"task.method": "cut", "task.cycle_weight": 3}) == 2
    assert "`task.cycle_weight` is for `task.method` cyclegan" in capsys.readouterr().err
