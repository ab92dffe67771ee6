"""Learning rates that a user can see and change: warm-up, phases of a resumed run, what more steps would do."""

import csv
import json
import re
import shlex
import shutil

import numpy as np
import pytest
from lanes import first_quick
from small_run import train_arguments, write_pairs

from tfgan_app import cli
from tfgan_app.commands.run_directory import hinting_at_moved_data
from tfgan_app.config import default_config, replace_values
from tfgan_app.data.pairs import find_pairs
from tfgan_app.tasks.translate.config import TranslateConfig
from tfgan_app.training.optimizers import FINAL_RATE

COSINE = {"optimizer.schedule": "cosine", "optimizer.warmup_steps": 0, "optimizer.generator_learning_rate": 1e-3}


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def resume(run, *arguments):
    return app("train", "--run-dir", run, "--resume", *arguments)


def read(run, name):
    return json.loads((run / name).read_text())


def rates(run, column="generator_learning_rate"):
    """Logged rates by step."""
    rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
    return {int(row["step"]): float(row[column]) for row in rows if row[column]}


def messages(run):
    return [json.loads(line)["message"] for line in (run / "events.jsonl").read_text().splitlines()]


def assert_same_weights(a, b, step):
    with (
        np.load(a / f"checkpoints/step-{step:07d}.npz") as left,
        np.load(b / f"checkpoints/step-{step:07d}.npz") as right,
    ):
        assert set(left.files) == set(right.files)
        for name in left.files:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    assert app(*train_arguments(run, data, steps=8, settings=COSINE)) == 0
    return run


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "my run")


@pytest.mark.parametrize(
    ("settings", "steps", "expected"),
    first_quick(
        [
            ({"optimizer.warmup_steps": 200}, 120, 12),
            ({"optimizer.warmup_steps": 12}, 120, 12),
            ({"optimizer.warmup_steps": 13}, 120, 12),
            ({"optimizer.warmup_steps": 5}, 4, 0),
            ({"optimizer.warmup_steps": 200, "optimizer.schedule_steps": 1000}, 120, 100),
        ]
    ),
)
def test_a_warm_up_takes_a_tenth_of_the_schedule_at_most(data, tmp_path, capsys, settings, steps, expected):
    assert app(*train_arguments(tmp_path / "run", data, steps=steps, settings=settings), "--dry-run") == 0
    out, err = capsys.readouterr()
    assert f'"warmup_steps": {expected}\n' in out or f'"warmup_steps": {expected},' in out
    assert (f"warm-up of {settings['optimizer.warmup_steps']} steps shortened to {expected}" in err) == (
        settings["optimizer.warmup_steps"] != expected
    )


@pytest.mark.large
def test_a_shortened_warm_up_is_recorded(data, tmp_path, capsys):
    settings = COSINE | {"optimizer.warmup_steps": 200}
    assert app(*train_arguments(tmp_path / "run", data, steps=20, settings=settings)) == 0
    assert "warm-up of 200 steps shortened to 2" in capsys.readouterr().err
    assert read(tmp_path / "run", "config.json")["optimizer"]["warmup_steps"] == 2
    assert read(tmp_path / "run", "run.json")["phases"][0]["settings"]["optimizer.warmup_steps"] == 2
    assert "shortened to 2" in messages(tmp_path / "run")[0]
    assert "shortened to 2" in (tmp_path / "run" / "report.html").read_text()
    assert rates(tmp_path / "run")[2] > 0.9e-3


def test_rates_are_logged(finished):
    expected = [1e-3 * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + np.cos(np.pi * step / 8))) for step in (2, 4, 6, 8)]
    np.testing.assert_allclose(list(rates(finished).values()), expected, rtol=1e-4)
    assert list(rates(finished, "discriminator_learning_rate")) == [2, 4, 6, 8]
    assert "Generator learning rate" in (finished / "report.html").read_text()


@pytest.mark.large
def test_a_discriminator_of_several_updates_a_step_follows_the_schedule_of_the_steps(data, tmp_path):
    settings = COSINE | {"training.discriminator_steps": 2, "optimizer.discriminator_learning_rate": 1e-3}
    assert app(*train_arguments(tmp_path / "run", data, steps=4, settings=settings)) == 0
    assert rates(tmp_path / "run") == rates(tmp_path / "run", "discriminator_learning_rate")


@pytest.mark.large
def test_validations_and_the_best_step_are_shown(finished, capsys, data, tmp_path):
    assert app(*train_arguments(tmp_path / "run", data, steps=8, settings=COSINE)) == 0
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("validation at step ")]
    assert [int(line.split()[3].rstrip(":")) for line in lines] == [4, 8]
    assert "the best so far" in lines[0] and re.search(r"ssim 0\.\d+ \(copying the input 0\.\d+\)", lines[0])
    best = read(tmp_path / "run", "run.json")["best"]
    rows = csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines())
    validated = {int(row["step"]): float(row["val_ssim"]) for row in rows if row["val_ssim"]}
    assert best["step"] == max(validated, key=validated.get) and best["metric"] == "ssim"
    assert f"best.keras is of step {best['step']}: ssim" in out
    assert f"step {best['step']}, ssim" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.large
def test_the_l1_of_training_and_of_validation_are_on_one_scale(data, tmp_path):
    """A generator that starts as a copy, at a rate that leaves it one, has the same error on both."""
    still = {"optimizer.generator_learning_rate": 1e-9, "task.horizontal_flip": False, "task.max_scale": 1.0}
    settings = {**COSINE, **still, "task.max_rotation_degrees": 0.0, "data.load_scale": 1.0}
    assert app(*train_arguments(tmp_path / "run", data, steps=12, settings=settings)) == 0
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines()))
    trained = np.mean([float(row["l1"]) for row in rows])
    assert trained == pytest.approx(float(rows[-1]["val_l1"]), rel=0.35)


@pytest.mark.large
def test_train_on_says_its_rate_and_offers_a_phase(run, capsys):
    """What it prints runs as it is, and does what it says."""
    assert resume(run, "--steps", 10) == 0
    out = capsys.readouterr().out
    lines = [line.strip() for line in out.splitlines() if "--resume --steps" in line]
    assert "learning rate 2e-05, 2% of its peak" in lines[0]
    assert rates(run)[10] == pytest.approx(2e-5)
    phase, _, what = lines[1].partition("  # ")
    assert "new phase" in what
    assert app(*shlex.split(phase)[1:], "--set", "training.steps=14") == 0
    assert rates(run)[12] > 4e-4
    assert [each["step"] for each in read(run, "run.json")["phases"]] == [0, 10]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    first_quick(
        [
            (["optimizer.generator_learning_rate=5e-4"], {10: 5e-4 * 0.8565, 12: 5e-4 * 0.51, 16: 5e-4 * FINAL_RATE}),
            (["optimizer.schedule=constant"], {10: 1e-3, 12: 1e-3, 16: 1e-3}),
            (["optimizer.schedule_start=8", "optimizer.schedule_steps=4"], {10: 1e-3 * 0.51, 12: 2e-5, 16: 2e-5}),
            (["optimizer.schedule_start=0", "optimizer.schedule_steps=16"], {8: 2e-5, 12: 1e-3 * 0.1635, 16: 2e-5}),
            (["optimizer.warmup_steps=1", "optimizer.generator_learning_rate=2e-3"], {12: 2e-3 * 0.51, 16: 4e-5}),
        ]
    ),
)
def test_other_rates_begin_a_phase_that_is_recorded(run, capsys, arguments, expected):
    assert resume(run, "--steps", 16, *(f"--set={text}" for text in arguments)) == 0
    found = rates(run)
    np.testing.assert_allclose([found[step] for step in expected], list(expected.values()), rtol=1e-3)
    phases = read(run, "run.json")["phases"]
    assert [phase["step"] for phase in phases] == [0, 8]
    key, _, value = arguments[-1].partition("=")
    assert str(phases[1]["settings"][key]) == str(float(value)) if "rate" in key else value
    (line,) = [message for message in messages(run) if message.startswith("new phase: ")]
    assert key in line
    capsys.readouterr()
    assert resume(run, "--steps", 17) == 0, "going on is no phase of its own"
    assert len(read(run, "run.json")["phases"]) == 2
    assert "new phase" not in capsys.readouterr().err


@pytest.mark.large
def test_a_phase_that_was_stopped_goes_on_bit_for_bit(finished, tmp_path):
    change = ["--set", "optimizer.generator_learning_rate=5e-4", "--set", "optimizer.schedule_steps=6"]
    runs = [shutil.copytree(finished, tmp_path / name) for name in ("whole", "stopped")]
    assert resume(runs[0], "--steps", 14, *change) == 0
    assert resume(runs[1], "--steps", 11, *change) == 0
    assert resume(runs[1], "--steps", 14) == 0
    assert_same_weights(*runs, 14)


def test_a_phase_needs_steps_and_the_same_optimizer(run, capsys):
    assert resume(run, "--set", "optimizer.generator_learning_rate=5e-4") == 2
    assert "for another phase, raise `--steps`" in capsys.readouterr().err
    assert resume(run, "--steps", 16, "--set", "optimizer.muon_learning_rate=0.02") == 2
    error = capsys.readouterr().err
    assert (
        "cannot continue with another optimizer" in error and f"`--set task.init_from={shlex.quote(str(run))}`" in error
    )
    assert resume(run, "--steps", 16, "--set", "optimizer.beta_1=0.1") == 2
    assert "optimizer.beta_1 was 0.9, now 0.1" in capsys.readouterr().err
    assert read(run, "run.json") == read(run, "run.json") and len(read(run, "run.json")["phases"]) == 1


@pytest.mark.large
def test_a_run_of_an_earlier_version_has_its_phases_added(run):
    facts = read(run, "run.json")
    del facts["phases"]
    (run / "run.json").write_text(json.dumps(facts))
    assert resume(run, "--steps", 10, "--set", "optimizer.schedule=linear") == 0
    phases = read(run, "run.json")["phases"]
    assert [(phase["step"], phase["settings"]["optimizer.schedule"]) for phase in phases] == [
        (0, "cosine"),
        (8, "linear"),
    ]


@pytest.mark.large
def test_a_configuration_of_a_later_phase_makes_a_run_with_one_schedule(run, data, tmp_path, capsys):
    assert resume(run, "--steps", 12, "--set", "optimizer.generator_learning_rate=5e-4") == 0
    capsys.readouterr()
    flags = ["--task", "translate", "--run-dir", tmp_path / "new", "--config", run / "config.json", "--dry-run"]
    assert app("train", *flags, "--steps", 40) == 0
    optimizer = json.loads(capsys.readouterr().out.partition("\n}\n")[0] + "}")["optimizer"]
    assert (optimizer["schedule_start"], optimizer["schedule_steps"]) == (0, 40)
    assert app("train", *flags, "--set", "optimizer.schedule_start=3") == 2
    assert "`optimizer.schedule_start` is for `--resume`" in capsys.readouterr().err


def test_resume_knows_the_task_and_a_new_run_must_be_told(run, data, tmp_path, capsys):
    assert app("train", "--task", "generate", "--run-dir", run, "--resume", "--steps", 10) == 2
    assert (
        "`--task` must be the task of the run, translate, or be left out. Received: generate."
        in capsys.readouterr().err
    )
    with pytest.raises(SystemExit) as stopped:
        cli.parse(["tfgan_app", "train", "--data", str(data)])
    assert stopped.value.code == 2
    assert "the following arguments are required: --task" in capsys.readouterr().err


@pytest.mark.large
def test_moved_images_are_named_with_what_to_add(tmp_path, capsys):
    data = write_pairs(tmp_path / "pairs")
    run = tmp_path / "run"
    assert app(*train_arguments(run, data, steps=4, settings=COSINE)) == 0
    moved = data.rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert resume(run, "--steps", 6) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert str(data) in error and error.endswith("If it has moved, add `--data PATH`.")
    assert app("evaluate", "--run", run) == 2
    assert "If it has moved, add `--set data.source=PATH`." in capsys.readouterr().err
    assert app("evaluate", "--run", run, "--set", f"data.source={moved}") == 0
    assert resume(run, "--steps", 6, "--data", moved) == 0
    (moved / "train" / "0.png").unlink()
    capsys.readouterr()
    assert resume(run, "--steps", 8) == 2
    assert "pass their new place with `--data PATH`" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pairs", "my pairs", "it's", "a\nb", b"Mu\xf1oz".decode(errors="surrogateescape")])
def test_moved_images_are_hinted_at_whatever_their_folder_is_called(tmp_path, name):
    place = tmp_path / name
    config = replace_values(default_config("translate", TranslateConfig), {"data.source": str(place)})
    with pytest.raises(ValueError, match=r"add `--data PATH`\.$"), hinting_at_moved_data(config, data_flag="--data "):
        find_pairs(place)
    place.mkdir()
    with pytest.raises(ValueError) as there, hinting_at_moved_data(config):
        find_pairs(place)
    assert "If it has moved" not in str(there.value)
