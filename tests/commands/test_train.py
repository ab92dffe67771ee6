"""`tfgan_app train` and `evaluate` as a user meets them, in process."""

import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from small_run import train_arguments, write_pairs

from tfgan_app import cli
from tfgan_app.commands import training_session
from tfgan_app.inference import load_keras_model
from tfgan_app.tasks.translate.paired import PairedTranslation
from tfgan_app.training.task import GeneratorOutputs


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    assert app(*train_arguments(run_dir, data, steps=8)) == 0
    return run_dir


@pytest.fixture
def run_copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def test_a_run_leaves_everything_that_is_promised(finished):
    assert {path.name for path in finished.iterdir()} == {
        "checkpoints",
        "config.json",
        "events.jsonl",
        "logs",
        "metrics.csv",
        "report.html",
        "run.json",
        "samples",
    }
    names = {path.name for path in (finished / "checkpoints").iterdir()}
    assert {"last.keras", "best.keras", "step-0000008.npz"} <= names
    assert {path.name for path in (finished / "samples").iterdir()} == {
        "step-0000004.png",
        "step-0000008.png",
        "examples",
    }
    assert {path.name for path in (finished / "samples" / "examples").iterdir()} == {
        "1-best_held-out_images.png",
        "2-worst_held-out_images.png",
    }
    header, *rows = (finished / "metrics.csv").read_text().splitlines()
    assert {"step", "generator_loss", "l1", "val_psnr", "val_copy_psnr"} <= set(header.split(","))
    assert [row.split(",")[0] for row in rows] == ["2", "4", "6", "8"]


@pytest.mark.large
def test_a_run_in_mixed_precision_saves_a_float32_model(data, tmp_path):
    assert app(*train_arguments(tmp_path / "run", data, steps=2), "--precision", "mixed_bfloat16") == 0
    model = load_keras_model(tmp_path / "run" / "checkpoints" / "last.keras")
    assert {layer.compute_dtype for layer in model.get_layer("generator").layers} == {"float32"}


def test_evaluate_prints_the_baseline_and_writes_json_with_the_protocol(finished, tmp_path, capsys):
    assert app("evaluate", "--run", finished, "--json", tmp_path / "e.json") == 0
    assert re.search(r"psnr +[\d.]+ +\(copying the input: [\d.]+\)", capsys.readouterr().out)
    written = json.loads((tmp_path / "e.json").read_text())
    assert {"psnr", "ssim", "l1", "copy_psnr", "copy_ssim", "copy_l1"} <= written["metrics"].keys()
    assert written["protocol"]["images"] == 4
    assert written["protocol"]["size_px"] == 16
    assert app("evaluate", "--run", finished, "--checkpoint", "best") == 0


def test_evaluate_names_unreadable_images_and_goes_on(finished, data, tmp_path, capsys):
    broken = shutil.copytree(data, tmp_path / "broken")
    (broken / "val" / "1.png").write_bytes((data / "val" / "1.png").read_bytes()[:60])
    assert app("evaluate", "--run", finished, "--data", broken) == 1
    assert "1.png" in capsys.readouterr().err


@pytest.mark.large
def test_training_leaves_out_unreadable_images_by_name(data, tmp_path, capsys):
    broken = shutil.copytree(data, tmp_path / "broken")
    (broken / "train" / "3.png").write_bytes(b"")
    assert app(*train_arguments(tmp_path / "run", broken, steps=2)) == 1
    assert "left out: " in (error := capsys.readouterr().err)
    assert "3.png" in error
    assert (tmp_path / "run" / "checkpoints" / "step-0000002.npz").exists()


def test_dry_run_says_sizes_and_time_and_writes_nothing(data, tmp_path, capsys):
    assert app(*train_arguments(tmp_path / "run", data, steps=1000), "--dry-run") == 0
    out = capsys.readouterr().out
    assert re.search(r"generator generator: [\d,]+ parameters", out)
    assert re.search(r"images/s, \d+ ms a step; 1000 steps take about [\d.]+ minutes", out)
    assert '"image_size": 16' in out
    assert not (tmp_path / "run").exists()


def test_dry_run_says_what_a_preset_is_and_where_it_is_not_the_paper_s(data, tmp_path, capsys):
    assert app(*train_arguments(tmp_path / "run", data, steps=1), "--preset", "pix2pix", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "preset pix2pix: " in out and "https://arxiv.org/abs/1611.07004" in out
    assert "  not as in the paper: dropout is off when images are made" in out


@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.large
def test_a_dry_run_of_a_short_run_is_timed_alike(data, tmp_path, capsys, steps):
    assert app(*train_arguments(tmp_path / "run", data, steps=steps), "--dry-run") == 0
    assert f"{steps} steps take about" in capsys.readouterr().out


def test_an_existing_run_is_not_overwritten(finished, data, capsys):
    assert app(*train_arguments(finished, data, steps=8)) == 2
    assert "add `--resume`" in capsys.readouterr().err


def test_resume_refuses_by_name_what_would_change_the_run(run_copy, capsys):
    resume = ("train", "--task", "translate", "--run-dir", run_copy, "--resume")
    assert app(*resume, "--steps", 16, "--set", "task.l1_weight=5", "--batch-size", 2) == 2
    error = capsys.readouterr().err
    assert "training.batch_size was 4, now 2" in error
    assert "task.l1_weight was 100.0, now 5.0" in error
    assert app(*resume) == 2
    assert "has finished its 8 steps" in capsys.readouterr().err


def test_resume_refuses_a_changed_data_set(run_copy, data, tmp_path, capsys):
    config = json.loads((run_copy / "config.json").read_text())
    config["data"]["source"] = str(write_pairs(tmp_path / "pairs", train=13))
    (run_copy / "config.json").write_text(json.dumps(config))
    assert app("train", "--task", "translate", "--run-dir", run_copy, "--resume", "--steps", 16) == 2
    assert "have changed since" in capsys.readouterr().err


@pytest.mark.large
def test_more_steps_are_what_a_run_of_that_length_would_have_done(data, tmp_path):
    """With a falling rate, too: the schedule's length is that of the run as it was started."""
    settings = {"optimizer.schedule": "cosine"}
    assert app(*train_arguments(tmp_path / "run", data, steps=6, settings=settings)) == 0
    assert app("train", "--task", "translate", "--run-dir", tmp_path / "run", "--resume", "--steps", 9) == 0
    settings["optimizer.schedule_steps"] = 6
    assert app(*train_arguments(tmp_path / "whole", data, steps=9, settings=settings)) == 0
    states = [np.load(tmp_path / name / "checkpoints" / "step-0000009.npz") for name in ("run", "whole")]
    with states[0] as resumed, states[1] as whole:
        for name in whole.files:
            np.testing.assert_array_equal(resumed[name], whole[name], err_msg=name)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.large
def test_every_kind_of_state_is_resumed(data, tmp_path, precision):
    """Moving statistics, dropout, spectral vectors, accumulated gradients and loss scales."""
    settings = {
        "data.image_size": 32,
        "task.generator": "unet",
        "task.generator_depth": 5,
        "task.generator_normalization": "batch",
        "task.discriminator_normalization": "batch",
        "task.spectral_norm": True,
        "training.accumulate_steps": 2,
        "training.precision": precision,
        "optimizer.schedule_steps": 6,
    }
    for name, steps in (("whole", 6), ("run", 3)):
        assert app(*train_arguments(tmp_path / name, data, steps=steps, settings=settings)) == 0
    assert app("train", "--task", "translate", "--run-dir", tmp_path / "run", "--resume", "--steps", 6) == 0
    states = [np.load(tmp_path / name / "checkpoints" / "step-0000006.npz") for name in ("run", "whole")]
    with states[0] as resumed, states[1] as whole:
        for name in whole.files:
            np.testing.assert_array_equal(resumed[name], whole[name], err_msg=name)


@pytest.mark.large
def test_a_run_stopped_before_its_first_checkpoint_is_resumed_from_its_start(run_copy):
    for path in (run_copy / "checkpoints").iterdir():
        path.unlink()
    assert app("train", "--task", "translate", "--run-dir", run_copy, "--resume") == 0
    assert (run_copy / "checkpoints" / "step-0000008.npz").exists()


@pytest.mark.large
def test_a_data_set_may_have_moved(run_copy, data, tmp_path):
    moved = shutil.copytree(data, tmp_path / "moved")
    resume = ("train", "--task", "translate", "--run-dir", run_copy, "--resume", "--steps", 9)
    assert app(*resume, "--data", moved) == 0


def test_resume_uses_the_checkpoint_before_a_damaged_one(run_copy, capsys):
    newest = run_copy / "checkpoints" / "step-0000008.npz"
    newest.write_bytes(newest.read_bytes()[:1000])
    assert app("train", "--task", "translate", "--run-dir", run_copy, "--resume") == 0
    assert "resumed at step 6" in capsys.readouterr().err
    with np.load(run_copy / "checkpoints" / "step-0000008.npz") as state:
        assert len(state.files) > 10


@pytest.mark.large
def test_a_full_disk_costs_a_checkpoint_and_not_the_run(data, tmp_path, capsys, monkeypatch):
    save = training_session.Checkpoints.save

    def fill_the_disk_once(self, trainer):
        if int(trainer.step.numpy()) == 3:
            raise OSError(28, "No space left on device")
        return save(self, trainer)

    monkeypatch.setattr(training_session.Checkpoints, "save", fill_the_disk_once)
    assert app(*train_arguments(tmp_path / "run", data, steps=6)) == 0
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "run" / "checkpoints" / "step-0000006.npz").exists()


def sick_at(monkeypatch, condition):
    """Makes the losses NaN where a condition of the batch's positions holds."""
    forward = PairedTranslation.forward

    def sick(self, networks, batch, training):
        synthesis = forward(self, networks, batch, training)
        poison = tf.where(condition(batch["position"]), float("nan"), 0.0)
        return GeneratorOutputs(synthesis.adversarial, {name: x + poison for name, x in synthesis.auxiliary.items()})

    augment = PairedTranslation.augment
    monkeypatch.setattr(
        PairedTranslation, "augment", lambda self, b, d: augment(self, b, d) | {"position": b["position"]}
    )
    monkeypatch.setattr(PairedTranslation, "forward", sick)


@pytest.mark.large
def test_a_nonfinite_loss_rolls_back_and_goes_on_with_another_seed(data, tmp_path, capsys, monkeypatch):
    sick = {"times": 0}

    def once(position):
        def look(at_step):
            sick["times"] += bool(at_step)
            return at_step and sick["times"] == 1

        return tf.ensure_shape(tf.py_function(look, [position[0] == 5 * 4], tf.bool), [])

    sick_at(monkeypatch, once)
    run_dir = tmp_path / "run"
    assert app(*train_arguments(run_dir, data, steps=8)) == 0
    events = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    (rollback,) = [event for event in events if event["kind"] == "rollback"]
    assert "Went back to step 3" in rollback["message"]
    with np.load(run_dir / "checkpoints" / "step-0000008.npz") as state:
        assert state["trainer/0001"] != 0
        assert all(np.isfinite(state[name]).all() for name in state.files)


@pytest.mark.large
def test_losses_that_stay_nonfinite_stop_the_run_with_one_line(data, tmp_path, capsys, monkeypatch):
    seeds = []
    build = PairedTranslation.build_dataset
    monkeypatch.setattr(
        PairedTranslation, "build_dataset", lambda self, **kw: seeds.append(kw["seed"]) or build(self, **kw)
    )
    sick_at(monkeypatch, lambda position: position[0] >= 4 * 4)
    assert app(*train_arguments(tmp_path / "run", data, steps=8)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "after 3 rollbacks" in error
    assert "Lower the learning rates" in error
    assert (tmp_path / "run" / "report.html").exists()
    assert len(set(seeds)) == len(seeds) == 4


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "task.generatr=unet"], "task.generator"),
        (["--preset", "nothing"], "`--preset` must be one of: "),
        (["--set", "task.generator=resnet_6", "--set", "task.generator_depth=3"], "has no depth to set"),
        (["--set", "task.discriminator=patchgan_286"], "at least 96"),
        (["--resume"], "Expected a run directory"),
    ],
)
def test_bad_settings_are_said_before_the_first_step(data, tmp_path, capsys, arguments, expected):
    run_dir = tmp_path / "run"
    assert app(*train_arguments(run_dir, data, steps=4), *arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert expected in error[-1]
    assert not run_dir.exists()


def test_a_set_without_held_out_pairs_is_said_before_the_first_step(tmp_path, capsys):
    single = write_pairs(tmp_path / "single", train=1, val=0)
    assert app(*train_arguments(tmp_path / "run", single, steps=2)) == 2
    assert "Expected pairs to evaluate on" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.large
def test_a_full_disk_at_the_report_does_not_spoil_the_run(data, tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_session, "write_report", full)
    assert app(*train_arguments(tmp_path / "run", data, steps=2)) == 0
    assert "could not write the report" in capsys.readouterr().err


def test_other_errors_are_one_line_too(data, tmp_path, capsys, monkeypatch):
    def fail(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(PairedTranslation, "build_dataset", fail)
    assert app(*train_arguments(tmp_path / "run", data, steps=2)) == 2
    assert "ResourceExhaustedError: OOM when allocating" in capsys.readouterr().err.splitlines()[-1]


def test_what_was_trained_is_predicted_with_and_exported(finished, data, tmp_path):
    """From the run and from its export, the same bytes."""
    assert app("export", "--run", finished, "--format", "saved_model", "--output", tmp_path / "exported") == 0
    for model, name in ((finished, "run"), (tmp_path / "exported" / "translate", "export")):
        assert app("predict", "--model", model, "--input", data / "val", "--output", tmp_path / name) == 0
    for path in (data / "val").iterdir():
        outputs = [(tmp_path / name / path.name).read_bytes() for name in ("run", "export")]
        assert outputs[0] == outputs[1]


def test_a_folder_without_pairs_is_one_line_with_the_layouts(tmp_path, capsys):
    assert app(*train_arguments(tmp_path / "run", tmp_path, steps=4)) == 2
    assert "side-by-side" in capsys.readouterr().err
