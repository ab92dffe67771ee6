"""Figures that a user can trust: what they cannot carry is said, and where images were trained on."""

import json
import shutil

import pytest
from lanes import first_quick
from small_images import generate_arguments, write_class_folders
from small_photos import image_arguments, write_photos
from small_run import train_arguments, write_pairs
from small_unpaired import TINY_UNPAIRED, write_unpaired

from tfgan_app import cli
from tfgan_app.tasks.generate import evaluation


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def unpaired_arguments(run, data, *, steps):
    overrides = [f"--set={key}={value}" for key, value in TINY_UNPAIRED.items()]
    return ["train", "--task", "translate", "--run-dir", run, "--data", data, "--steps", steps, *overrides]


def upscale_arguments(run, data, *, steps):
    # Muon, which the preset has, needs kernels of 16 channels.
    settings = {"training.best_metric": "psnr_y", "task.generator_width": 16}
    return image_arguments("upscale", run, data, steps=steps, settings=settings)


CASES = {
    "paired": (write_pairs, train_arguments, "val", "they are means of 4 held-out images"),
    "unpaired": (write_unpaired, unpaired_arguments, None, "features are those of a random network"),
    "upscale": (write_photos, upscale_arguments, "val", "they are means of 2 held-out images"),
}


@pytest.fixture(scope="module", params=first_quick(CASES))
def case(request, tmp_path_factory):
    write, arguments, held_out, caveat = CASES[request.param]
    root = tmp_path_factory.mktemp(request.param)
    data, run = write(root / "data"), root / "run"
    assert app(*arguments(run, data, steps=2)) == 0
    return data, run, held_out, caveat


def messages(run):
    return [json.loads(line)["message"] for line in (run / "events.jsonl").read_text().splitlines()]


def test_what_figures_cannot_carry_is_said_once_in_console_report_and_json(case, tmp_path, capsys):
    _, run, _, caveat = case
    assert sum(caveat in message for message in messages(run)) == 1
    report = (run / "report.html").read_text()
    assert report.index("caution") < report.index(caveat) < report.index("<nav")
    assert "95 % interval: " in report or "unpaired" in str(run)
    assert app("evaluate", "--run", run, "--json", tmp_path / "e.json") == 0
    assert f"about the figures: {caveat}" in capsys.readouterr().err
    written = json.loads((tmp_path / "e.json").read_text())
    assert any(caveat in line for line in written["caveats"])
    assert app("train", "--run-dir", run, "--resume", "--steps", 4) == 0
    assert sum(caveat in message for message in messages(run)) == 1


def test_images_that_were_trained_on_are_found_by_contents(case, tmp_path, capsys):
    """Under other names and in other folders, too."""
    data, run, _, _ = case
    copied = shutil.copytree(data, tmp_path / "copy")
    for path in sorted(copied.rglob("*.png")):
        path.rename(path.with_name(f"x{path.name}"))
    for child in list(copied.iterdir()):  # The training images alone, where a task would take the others.
        if child.name.startswith("val"):
            shutil.rmtree(child)
    assert app("evaluate", "--run", run, "--data", copied, "--json", tmp_path / "e.json") == 0
    assert "are training images of this run, by their contents" in capsys.readouterr().err
    known = json.loads((tmp_path / "e.json").read_text())["protocol"]["training_images"]
    assert known == sum(1 for path in data.rglob("*.png") if "train" in str(path.relative_to(data)))


def test_held_out_images_are_not_said_to_be_trained_on(case, tmp_path, capsys):
    data, run, held_out, _ = case
    other = shutil.copytree(data / held_out, tmp_path / "other") if held_out else data
    assert app("evaluate", "--run", run, "--data", other, "--json", tmp_path / "e.json") == 0
    assert "training images of this run" not in capsys.readouterr().err
    assert "training_images" not in json.loads((tmp_path / "e.json").read_text())["protocol"]


@pytest.mark.large
def test_other_images_are_measured_although_the_training_images_are_gone(tmp_path, capsys):
    data = write_photos(tmp_path / "data")
    assert app(*upscale_arguments(tmp_path / "run", data, steps=2)) == 0
    shutil.copytree(data / "val", tmp_path / "other")
    shutil.rmtree(data)
    capsys.readouterr()
    assert app("evaluate", "--run", tmp_path / "run", "--data", tmp_path / "other") == 0
    assert "cannot check whether training images are among the measured ones" in capsys.readouterr().err


@pytest.mark.large
def test_copies_of_training_images_among_the_held_out_ones_are_said(tmp_path, capsys):
    data = write_photos(tmp_path / "data")
    shutil.copy(data / "train" / "0.png", data / "val" / "copy.png")
    assert app(*upscale_arguments(tmp_path / "run", data, steps=2)) == 0
    assert app("evaluate", "--run", tmp_path / "run") == 0
    assert "1 of the 3 held-out images are training images of this run" in capsys.readouterr().err


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A run whose features are those of a classifier of its classes."""
    root = tmp_path_factory.mktemp("generate")
    data = write_class_folders(root / "data", train=24, val=8)
    settings = {"task.features": "classifier"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        patch.setattr(evaluation, "MAX_CLASSIFIER_STEPS", 3)
        assert app(*generate_arguments(root / "run", data, steps=2, settings=settings)) == 0
        yield data, root / "run"


@pytest.mark.large
def test_features_are_the_same_whatever_is_measured(generated, tmp_path, capsys):
    """A smaller or larger set leaves the classifier as it was, or the figures would not compare."""
    data, run = generated
    few = tmp_path / "few"
    for path in sorted((data / "val").rglob("*.png")):
        if int(path.stem) < 4:
            (few / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, few / path.parent.name)
    digests, shown = [], []
    for number, flags in enumerate([[], ["--data", few], ["--data", data / "train"], ["--data", data]]):
        assert app("evaluate", "--run", run, "--json", tmp_path / f"{number}.json", *flags) == 0
        protocol = json.loads((tmp_path / f"{number}.json").read_text())["protocol"]
        digests.append(protocol["features_digest"])
        shown.append(protocol.get("training_images"))
    assert len(set(digests)) == 1
    assert shown == [None, None, 48, None]
    assert "a classifier of 32 images" in capsys.readouterr().err


@pytest.mark.large
def test_set_figures_have_intervals(generated, tmp_path, capsys):
    _, run = generated
    assert app("evaluate", "--run", run, "--json", tmp_path / "e.json") == 0
    metrics = json.loads((tmp_path / "e.json").read_text())["metrics"]
    for name in ("fid", "kid", "precision", "recall", "density", "coverage"):
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
    out = capsys.readouterr().out
    assert "[" in next(line for line in out.splitlines() if line.strip().startswith("precision "))
    assert "precision_low" not in out
    report = (run / "report.html").read_text()
    assert report.count("95 % interval: ") == 6
    assert "fid low" not in report.lower()
