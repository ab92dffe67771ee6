"""A run from Python: trained, taken up again, looked at, measured, exported."""

from __future__ import annotations

import json
import math
import shutil
import sys
import types

import numpy as np
import pytest
from PIL import Image

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.api.settings import as_assignments

PHOTO = np.random.default_rng(0).integers(0, 256, (20, 28, 3), np.uint8)


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_training_is_the_commands(run):
    config = run.config
    assert (config.task_name, config.training.steps, config.training.batch_size, config.data.image_size) == (
        "translate",
        4,
        4,
        16,
    )
    assert (config.task.generator_width, config.task.discriminator) == (4, "patchgan_16")
    facts = json.loads((run.path / "run.json").read_text())
    assert facts["parts"][0]["command"] == "tfgan_app.train(...)" and facts["finished_step"] == 4
    assert run.step == 4 and repr(run) == f"Run('{run.path}', task='translate', step=4)"


def test_metrics_are_columns(run):
    metrics = run.metrics
    assert metrics["step"] == [2, 4] and len(metrics["generator_loss"]) == 2
    assert math.isnan(metrics["val_psnr"][0]) and metrics["val_psnr"][1] > 0


def test_evaluation_is_the_commands(run, tmp_path):
    found = run.evaluate()
    argv = ["tfgan_app", "evaluate", "--run", run.path, "--json", tmp_path / "e.json"]
    assert cli.run(cli.parse([str(each) for each in argv])) == 0
    expected = json.loads((tmp_path / "e.json").read_text())
    assert dict(found) == expected["metrics"]
    assert (found.protocol, found.caveats, found.study) == (expected["protocol"], expected["caveats"], None)


def test_prediction_of_images_and_of_files(run, tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(PHOTO).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"no image")
    summary = run.predict(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in summary.written] == ["a.png"]
    assert [path.name for path in summary.failed] == ["b.png"]
    np.testing.assert_array_equal(run.predict(PHOTO), read(tmp_path / "out" / "a.png"))
    assert run.predict(PHOTO, checkpoint="best").shape == PHOTO.shape
    assert run.info.task == "translate"
    with pytest.raises(ValueError, match="`input` must be an image"):
        run.predict()


def test_the_newest_grid_is_shown(run, monkeypatch):
    grid = run.show()
    np.testing.assert_array_equal(np.asarray(grid), read(run.path / "samples" / "step-0000004.png"))
    shown = []
    display = types.ModuleType("IPython.display")
    display.display = shown.append
    ipython = types.ModuleType("IPython")
    ipython.get_ipython, ipython.display = object, display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert shown == [run.show()]
    summary = run._repr_html_()
    assert "translate: run, step 4" in summary and "<td>psnr</td>" in summary and "data:image/png;base64," in summary


def test_a_run_goes_on(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    longer = tfgan.train(run_dir=copy, steps=6, resume=True)
    assert (longer.path, longer.step) == (copy, 6)
    before = tfgan.load(run.path).predict(PHOTO)
    assert not np.array_equal(longer.predict(PHOTO), before)


def test_an_open_run_sees_what_is_trained_on(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    opened = tfgan.Run(tmp_path / "copy")
    first = opened.load()
    assert opened.load() is first
    (opened.path / "checkpoints" / "last.keras").touch()
    assert opened.load() is not first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "paint"}, "'paint' is not a task. Available tasks: augment, generate"),
        ({"task": None}, "`task` must be one of the tasks"),
        ({"steps": 0}, "`training.steps` must be an integer, at least 1. Received: 0"),
        ({"image_size": -1}, "`data.image_size` must be an integer"),
        ({"preset": "none"}, "`--preset` must be one of"),
        ({"data": "missing"}, "missing"),
        ({"set": {"task.l1_weigth": 3}}, "task.l1_weigth"),
        ({"set": {"task.l1_weight": "much"}}, "`task.l1_weight` must be a number"),
        ({"set": ["task.l1_weight=3"]}, "`set` must be a dict"),
        ({"config": "missing.json"}, "No such file or directory: missing.json"),
        ({"resume": True, "run_dir": "nowhere"}, r"Expected a run directory \(with config.json\)"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        tfgan.train(**{"task": "translate", **options})
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_a_run_is_not_written_into(run):
    with pytest.raises(ValueError, match="which holds a run; add `--resume`"):
        tfgan.train("translate", run_dir=run.path)


def test_settings_are_python_values():
    settings = {"a": True, "b": None, "c": (1, 2.5), "d": "x,y", "e": 1e-4}
    assert as_assignments(settings) == ["a=true", "b=none", "c=1,2.5", "d=x,y", "e=0.0001"]
    assert as_assignments(None) == []


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"Expected a run directory \(with config.json\). Received: "):
        tfgan.Run(tmp_path)


def test_exports_are_checked_and_named(run, tmp_path):
    path = run.export("tflite", quantize="float16", output=tmp_path, name="mine")
    assert path == tmp_path / "mine_float16.tflite" and tfgan.load(path).info.largest_px == 16
    with pytest.raises(ValueError, match="`format` must be one of"):
        run.export("onnx", output=tmp_path)
    with pytest.raises(ValueError, match="`quantize` for the format saved_model must be one of none"):
        run.export("saved_model", quantize="int8", output=tmp_path)
