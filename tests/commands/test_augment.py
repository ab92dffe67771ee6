"""A whole `augment` life through the command line: train on few, resume, draw, study, predict, export."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image
from small_images import generate_arguments, write_class_folders

from tfgan_app import cli
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.tasks.augment.discriminator_scorer import DiscriminatorScorer
from tfgan_app.training.checkpoints import Checkpoints

SETTINGS = {
    "task.per_class": 8,
    "task.classifier_steps": 2,
    "task.classifier_width": 2,
    "task.min_confidence": 0,
    "task.copy_quantile": 0,
    "task.duplicate_share": 0,
}


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def arguments(run, data, *, steps=4, settings=None):
    given = generate_arguments(run, data, steps=steps, settings=SETTINGS | (settings or {}))
    given[given.index("generate")] = "augment"
    return given


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("classes"), train=12)


@pytest.fixture(scope="module")
def run_dir(data, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    assert app(*arguments(run, data)) == 0
    return run


def rows_of(folder):
    with (folder / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_trains_on_so_many_of_each_class(run_dir):
    config, task_class = RunDirectory.existing(str(run_dir)).read_config()
    training = task_class(config).data.training
    assert np.bincount(training.labels).tolist() == [8, 8]
    assert "tfgan_app augment --run" in (run_dir / "report.html").read_text()


@pytest.mark.large
def test_a_resumed_run_goes_on_with_the_same_images(run_dir, tmp_path, capsys):
    copy = shutil.copytree(run_dir, tmp_path / "copy")
    resume = ("train", "--task", "augment", "--run-dir", copy, "--resume")
    assert app(*resume, "--set", "task.per_class=7") == 2
    assert "task.per_class was 8, now 7" in capsys.readouterr().err
    assert app(*resume, "--steps", 5) == 0
    assert (copy / "checkpoints" / "step-0000005.npz").is_file()


def test_images_come_in_class_folders_with_a_manifest(run_dir, tmp_path, capsys):
    assert app("augment", "--run", run_dir, "--output", tmp_path / "out", "--per-class", 3) == 0
    said = capsys.readouterr().out
    assert "6 images written" in said
    assert "confidence below 0" in said
    rows = rows_of(tmp_path / "out")
    assert [row["class"] for row in rows] == ["bar"] * 3 + ["box"] * 3
    training = RunDirectory.existing(str(run_dir)).read_config()
    names = training[1](training[0]).data.training.names
    for row in rows:
        assert (tmp_path / "out" / row["file"]).is_file()
        assert row["nearest_training_image"] in names
        assert 0.0 <= float(row["confidence"]) <= 1.0
    dataset = keras.utils.image_dataset_from_directory(tmp_path / "out", color_mode="grayscale", verbose=False)
    assert dataset.class_names == ["bar", "box"]
    assert dataset.cardinality() == 1


def test_the_same_command_gives_the_same_files_and_predict_the_same_images(run_dir, tmp_path):
    for name in ("a", "b"):
        assert app("augment", "--run", run_dir, "--output", tmp_path / name, "--per-class", 2, "--seed", 7) == 0
    files = [sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in "ab"]
    assert len(files[0]) == 6
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert {row["seed"] for row in rows_of(tmp_path / "a")} <= {str(seed) for seed in range(7, 27)}
    file = files[0][0]
    seed = int(file.stem.removeprefix("seed-"))
    predicted = tmp_path / "one.png"
    assert app("predict", "--model", run_dir, "--output", predicted, "--seed", seed, "--class", file.parent.name) == 0
    difference = np.asarray(Image.open(file)).astype(int) - np.asarray(Image.open(predicted))
    assert np.abs(difference).max() <= 1


def test_what_stays_short_is_said_with_exit_code_1(run_dir, tmp_path, capsys):
    flags = ["--per-class", 2, "--set", "task.min_confidence=1"]
    assert app("augment", "--run", run_dir, "--output", tmp_path / "out", *flags) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "short of images: bar 0 of 2 (20 low confidence in 20 draws); box 0 of 2" in error
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["classes"]["box"]["dropped"]["low confidence"] == 20


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set", "task.latent_dim=3"], "`--set` of this command takes task.min_confidence"),
        (["--output", "taken"], "`--output` must be a new or an empty folder. Received: taken"),
    ],
)
def test_what_cannot_be_done_is_one_line(run_dir, tmp_path, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    assert app("augment", "--run", run_dir, "--output", "out", "--per-class", 1, *flags) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.large
def test_the_discriminator_comes_back_from_the_checkpoint(run_dir):
    directory = RunDirectory.existing(str(run_dir))
    config, task_class = directory.read_config()
    discriminator = task_class(config).build_networks().discriminators["discriminator"]
    images, labels = np.zeros((3, 16, 16, 1), np.uint8), np.array([0, 1, 1], np.int32)
    fresh = DiscriminatorScorer(discriminator).scores(images, labels)
    checkpoints = Checkpoints(directory.checkpoints)
    path = checkpoints.restore_discriminators({"discriminator": discriminator}, on_damaged=None)
    assert path == checkpoints.paths()[-1]
    with np.load(path) as archive:
        stored = [archive[name] for name in sorted(archive.files) if name.startswith("discriminator/")]
    for value, variable in zip(stored, discriminator.variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    scores = DiscriminatorScorer(discriminator).scores(images, labels)
    assert scores.shape == (3,)
    assert (scores != fresh).any()
    assert DiscriminatorScorer(discriminator).features(images).shape[0] == 3


def test_a_run_without_checkpoints_says_what_is_missing(run_dir, tmp_path, capsys):
    copy = shutil.copytree(run_dir, tmp_path / "copy")
    for path in (copy / "checkpoints").glob("step-*.npz"):
        path.unlink()
    assert app("augment", "--run", copy, "--output", tmp_path / "out", "--per-class", 1) == 2
    assert "Expected an intact checkpoint" in capsys.readouterr().err


@pytest.mark.large
def test_evaluate_runs_the_study_and_writes_it_into_the_report(run_dir, tmp_path, capsys):
    file = tmp_path / "found.json"
    sets = ["task.study_seeds=2", "task.study_synthetic=3", "task.study_sizes=4,8"]
    assert app("evaluate", "--run", run_dir, "--json", file, *(f"--set={text}" for text in sets)) == 0
    said = capsys.readouterr().out
    assert "8 real images (4 a class), 6 synthetic" in said
    assert "from synthetic images:" in said
    found = json.loads(file.read_text())
    assert {"fid", "floor_fid"} <= found["metrics"].keys()
    assert [size["real_images"] for size in found["study"]["sizes"]] == [8, 16]
    assert "have seen 16 real images, the classifiers 8" in said
    assert found["study"]["sizes"][1]["caveats"] == []
    assert found["study"]["protocol"]["study_seeds"] == 2
    assert {"real", "GAN only", "linear on GAN features"} <= found["study"]["sizes"][0]["arms"].keys()
    report = (run_dir / "report.html").read_text()
    for text in ("Does it help a classifier", "real + classic + GAN", "deviation over seeds", "Accuracy: 16 real"):
        assert text in report


@pytest.mark.large
def test_a_study_of_other_images_is_not_that_of_the_run(run_dir, data, tmp_path):
    copy = shutil.copytree(run_dir, tmp_path / "copy")
    (copy / "study.json").unlink(missing_ok=True)
    sets = ["--set=task.study_seeds=2", "--set=task.study_synthetic=1"]
    assert app("evaluate", "--run", copy, "--data", data, "--json", tmp_path / "found.json", *sets) == 0
    assert "study" in json.loads((tmp_path / "found.json").read_text())
    assert not (copy / "study.json").exists()


@pytest.mark.large
def test_images_that_were_added_since_the_training_are_said(run_dir, tmp_path, capsys):
    copy = shutil.copytree(run_dir, tmp_path / "copy")
    facts = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(facts | {"data_fingerprint": "another"}))
    assert app("augment", "--run", copy, "--output", tmp_path / "out", "--per-class", 1) == 0
    assert "the training images differ from those that this run was trained on" in capsys.readouterr().err


def test_a_study_of_more_than_there_is_is_refused_before_training(run_dir, data, tmp_path, capsys):
    wanted = "`task.study_sizes` must be at most the 8 training images of bar. Received: [4, 9]."
    assert app(*arguments(tmp_path / "run", data, settings={"task.study_sizes": "4,9"})) == 2
    assert wanted in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert app("evaluate", "--run", run_dir, "--set=task.study_sizes=4,9") == 2
    assert wanted in capsys.readouterr().err


def test_it_exports_as_generate_does(run_dir, tmp_path):
    assert app("export", "--run", run_dir, "--format", "keras", "--output", tmp_path) == 0
    assert (tmp_path / "augment.keras").is_file()


def test_other_runs_and_settings_are_refused(data, tmp_path, capsys):
    run = tmp_path / "generated"
    run.mkdir()
    assert app("augment", "--run", run, "--output", tmp_path / "out", "--per-class", 1) == 2
    assert app(*arguments(tmp_path / "run", data, settings={"task.conditional": "false"})) == 2
    assert "`task.conditional` must be true for `augment`" in capsys.readouterr().err
