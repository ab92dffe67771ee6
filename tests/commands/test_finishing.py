"""A run that was killed after its last step: `--resume` does what is missing, and the result is that of the others."""

import json
import re
import shutil

import numpy as np
import pytest
from lanes import first_quick
from small_run import train_arguments, write_pairs

from tfgan_app import cli
from tfgan_app.commands import training_session
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.inference import load_keras_model
from tfgan_app.training.checkpoints import Checkpoints

STEPS = 7
# None of these ends with the training, so that its end has most to do.
SETTINGS = {"training.sample_every_steps": 5, "training.validate_every_steps": 4, "training.log_every_steps": 3}


class Killed(BaseException):
    """Ends the process as a kill does: nothing after it is done."""


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def resume(run_dir, *more):
    return app("train", "--task", "translate", "--run-dir", run_dir, "--resume", *more)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def never_killed(data, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    assert app(*train_arguments(run_dir, data, steps=STEPS, settings=SETTINGS)) == 0
    return run_dir


def weights(run_dir, name):
    return load_keras_model(run_dir / "checkpoints" / f"{name}.keras").get_weights()


def facts_of_report(run_dir):
    """What a report says, without what differs by time and place."""
    text = (run_dir / "report.html").read_text()
    return re.findall(r'<div class="card metric">.*?</div>\n', text), text.count("<figure"), "finished, 7 steps" in text


def metrics(run_dir):
    header, *rows = (row.split(",") for row in (run_dir / "metrics.csv").read_text().splitlines())
    kept = [index for index, name in enumerate(header) if name not in ("seconds", "images_per_second")]
    return [[row[index] for index in kept] for row in (header, *rows)]


def assert_same(run_dir, other):
    for name in ("last", "best"):
        for left, right in zip(weights(run_dir, name), weights(other, name), strict=True):
            np.testing.assert_array_equal(left, right)
    images = [sorted(path.relative_to(run).as_posix() for path in run.rglob("*.png")) for run in (run_dir, other)]
    assert images[0] == images[1]
    for name in images[0]:
        assert (run_dir / name).read_bytes() == (other / name).read_bytes()
    assert metrics(run_dir) == metrics(other)
    assert facts_of_report(run_dir) == facts_of_report(other)
    assert RunDirectory(run_dir).is_finished(STEPS)


def kill_at(monkeypatch, target, name, *, when=lambda *args, **kwargs: True, after=False):
    """Lets the process end in, or right after, the first call for which `when` is true."""
    original = getattr(target, name)

    def killing(*args, **kwargs):
        if not when(*args, **kwargs):
            return original(*args, **kwargs)
        if after:
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(target, name, killing)


MOMENTS = {
    "before the last validation": (training_session.Validation, "validate", {"when": lambda self: self.step == STEPS}),
    "before last.keras": (
        Checkpoints,
        "save",
        {"when": lambda self, trainer: int(trainer.step.numpy()) == STEPS, "after": True},
    ),
    "before the examples": (training_session, "write_examples", {}),
    "before the end is noted": (RunDirectory, "mark_finished", {}),
}


@pytest.mark.parametrize("moment", first_quick(MOMENTS))
def test_killed_after_its_last_step_and_resumed(data, never_killed, tmp_path, monkeypatch, capsys, moment):
    target, name, options = MOMENTS[moment]
    run_dir = tmp_path / "run"
    with monkeypatch.context() as patched:
        kill_at(patched, target, name, **options)
        with pytest.raises(Killed):
            app(*train_arguments(run_dir, data, steps=STEPS, settings=SETTINGS))
    assert not RunDirectory(run_dir).is_finished(STEPS)
    assert resume(run_dir) == 0
    assert "report: " in capsys.readouterr().out
    assert_same(run_dir, never_killed)
    assert resume(run_dir) == 2


@pytest.mark.large
def test_what_is_missing_is_made_again(never_killed, tmp_path):
    run_dir = shutil.copytree(never_killed, tmp_path / "run")
    for name in ("report.html", "checkpoints/last.keras", f"samples/step-{STEPS:07d}.png"):
        (run_dir / name).unlink()
    shutil.rmtree(run_dir / "samples" / "examples")
    assert resume(run_dir) == 0
    assert_same(run_dir, never_killed)


@pytest.mark.large
def test_a_run_of_a_version_that_did_not_note_its_end(never_killed, tmp_path):
    run_dir = shutil.copytree(never_killed, tmp_path / "run")
    facts = json.loads((run_dir / "run.json").read_text())
    del facts["finished_step"]
    (run_dir / "run.json").write_text(json.dumps(facts))
    assert resume(run_dir) == 0
    assert_same(run_dir, never_killed)


def test_a_finished_run_goes_on_with_more_steps(never_killed, tmp_path, capsys):
    run_dir = shutil.copytree(never_killed, tmp_path / "run")
    assert resume(run_dir) == 2
    assert f"has finished its {STEPS} steps" in capsys.readouterr().err
    assert resume(run_dir, "--steps", STEPS + 2) == 0
    assert RunDirectory(run_dir).is_finished(STEPS + 2)
