"""Folders as users have them: names that are no text, links, pipes, other files; every command gets through them."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_images import generate_arguments, write_class_folders
from small_run import ROOT, train_arguments, write_pairs

from tfgan_app import cli
from tfgan_app.commands.next_commands import next_commands
from tfgan_app.config import RunConfig
from tfgan_app.config.sections import DataConfig, OptimizerConfig, TrainingConfig
from tfgan_app.image_io import read_image
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.tasks.augment.config import AugmentConfig

SPANISH = os.fsdecode(b"Mu\xf1oz")
ODD_NAMES = (SPANISH, "esc\x1b[31m", "new\nline", "cr\rtab\t", "\u202egpj", "quote'\"", "back\\slash")


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def is_clean(text):
    """Whether a terminal shows a text as it is: no control characters, nothing undecodable."""
    text.encode()
    return all(char.isprintable() or char == "\n" for char in text.replace("\r", ""))


def add_odd_files(folder, source):
    """Puts what is no readable image beside images; returns the names that must be told."""
    for name, target in {"loop.png": "loop.png", "lost.png": "gone.png", "lost": "/nowhere", "twin": "."}.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    shutil.copy(source, folder / "photo.jpg_large")
    (folder / "clip.mp4").write_bytes(b"x")
    return ("loop.png", "lost.png", "lost'", "twin'", "pipe.png", "zero.png", "1 .jpg_large (PNG")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = write_pairs(tmp_path_factory.mktemp("odd") / f"p {SPANISH}", train=14, val=8)
    for split in ("train", "val"):
        for number, name in enumerate(ODD_NAMES):
            (folder / split / f"{number}.png").rename(folder / split / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def run_dir(pairs, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / f"run of\n{SPANISH}"
    assert app(*train_arguments(run_dir, pairs, steps=4)) == 0
    return run_dir


@pytest.mark.large
def test_a_run_named_and_fed_with_odd_names_is_whole(run_dir, pairs):
    assert json.loads((run_dir / "config.json").read_text(encoding="utf-8"))["data"]["source"] == str(pairs)
    report = (run_dir / "report.html").read_text(encoding="utf-8")
    assert r"Mu\xf1oz" in report and "\x1b" not in report
    assert list((run_dir / "logs" / "samples").iterdir())
    assert app("train", "--task", "translate", "--run-dir", run_dir, "--resume", "--steps", 5) == 0


@pytest.mark.large
def test_it_is_evaluated_and_predicts(run_dir, pairs, tmp_path, capsys):
    assert app("evaluate", "--run", run_dir, "--json", tmp_path / "e.json") == 0
    assert json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))["protocol"]["data"] == str(pairs)
    assert app("predict", "--model", run_dir, "--input", pairs / "val", "--output", tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in (pairs / "val").iterdir()}
    assert app("export", "--run", run_dir, "--format", "tflite", "--output", tmp_path / "exported") == 0
    output = capsys.readouterr()
    assert is_clean(output.out), output.out
    assert is_clean(output.err), output.err


@pytest.mark.large
def test_a_format_that_cannot_have_such_a_folder_says_so_in_a_line(run_dir, tmp_path, capsys):
    output = tmp_path / SPANISH
    assert app("export", "--run", run_dir, "--format", "saved_model", "--output", output) == 2
    assert r"TensorFlow accepts only file names in UTF-8. Received: '" in capsys.readouterr().err


def test_every_command_names_what_it_leaves_out_and_does_the_rest(pairs, tmp_path, capsys):
    folder = shutil.copytree(pairs, tmp_path / "pairs")
    told = add_odd_files(folder / "train", folder / "train" / "13.png")
    run_dir = tmp_path / "run"
    commands = {
        "inspect": ("inspect", "--data", folder, "--json", tmp_path / "found.json"),
        "train": train_arguments(run_dir, folder, steps=1),
        "evaluate": ("evaluate", "--run", run_dir, "--data", folder),
        "predict": ("predict", "--model", run_dir, "--input", folder / "train", "--output", tmp_path / "out"),
    }
    for name, arguments in commands.items():
        capsys.readouterr()
        assert app(*arguments) == 1, name
        output = capsys.readouterr()
        assert is_clean(output.out) and is_clean(output.err), name
        if name != "evaluate":  # It reads the held-out images alone.
            video = "Cannot predict the video" if name == "predict" else "1 .mp4 (videos)"
            assert all(part in output.out + output.err for part in (*told, video)), (name, output)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in (pairs / "train").iterdir()}
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert len({problem["kind"]: problem["found"] for problem in found["problems"]}["unreadable"]) == 4


@pytest.mark.large
def test_classes_with_odd_names_are_augmented(tmp_path, capsys):
    data = write_class_folders(tmp_path / "classes", train=12)
    for path in list(data.glob("train/*")):
        for split in ("train", "val"):
            (data / split / path.name).rename(data / split / f"{SPANISH}\x1b{path.name}")
    settings = {"task.per_class": 8, "task.min_confidence": 0, "task.copy_quantile": 0, "task.duplicate_share": 0}
    arguments = generate_arguments(tmp_path / "run", data, steps=2, settings={**settings, "task.classifier_steps": 2})
    arguments[arguments.index("generate")] = "augment"
    assert app(*arguments) == 0
    assert app("augment", "--run", tmp_path / "run", "--output", tmp_path / "more", "--per-class", 2) == 0
    with (tmp_path / "more" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 and all(r"Mu\xf1oz\x1b" in row["class"] for row in rows)
    assert all((tmp_path / "more" / row["file"]).is_file() for row in rows)
    assert is_clean((tmp_path / "more" / "summary.json").read_text(encoding="utf-8"))
    output = capsys.readouterr()
    assert is_clean(output.out) and is_clean(output.err)


def test_a_folder_in_which_nothing_is_taken_says_why(tmp_path, capsys):
    for number in range(3):
        (tmp_path / f"{number}.jxl").write_bytes(b"x")
    for arguments in (
        ("predict", "--model", "color:rgb_to_gray", "--input", tmp_path, "--output", tmp_path / "out"),
        ("inspect", "--data", tmp_path),
        ("train", "--task", "generate", "--data", tmp_path),
    ):
        assert app(*arguments) == 2
        assert "left alone: 3 .jxl" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--input", "--style", "--mask"])
def test_a_pipe_or_a_loop_on_its_own_is_named(tmp_path, capsys, flag):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    for name in ("pipe.png", "loop.png"):
        with pytest.raises(ValueError, match="named pipe|cannot be followed"):
            (read_image if flag == "--mask" else read_rgb)(tmp_path / name)
        if flag == "--input":
            assert app("predict", "--model", "color:rgb_to_gray", "--input", tmp_path / name, "--output", "x.png") == 1
            assert name in capsys.readouterr().err


class Task:
    predict_arguments = "--input IMAGES --output OUTPUT"


OPTIMIZER = OptimizerConfig(schedule="linear", schedule_steps=8)
CONFIG = RunConfig("augment", DataConfig(), TrainingConfig(steps=8), OPTIMIZER, AugmentConfig())


@pytest.mark.parametrize("name", ["my run", "it's", f"{SPANISH} \n", "-x", ".hidden", "a  # b"])
@pytest.mark.parametrize("finished", [False, True])
def test_printed_commands_can_be_pasted(tmp_path, name, finished):
    run = Path(name) if name.startswith("-") else tmp_path / name
    for line in next_commands(run, CONFIG, Task, finished=finished):
        assert is_clean(line) and "\n" not in line
        script = f"tfgan_app() {{ printf '%s\\0' \"$@\"; }}; {line}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        words = [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]
        args = cli.parse(["tfgan_app", *words])
        given = getattr(args, "run", None) or getattr(args, "run_dir", None) or args.model[0]
        assert Path(given) == run
        assert not getattr(args, "name", None) or not args.name.startswith((".", "-"))


@pytest.mark.large
def test_without_a_home_nothing_is_said_of_it(pairs, tmp_path):
    unset = ("HOME", "XDG_", "MPL", "KERAS", "TF_CPP")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "HOME": "/proc"}
    arguments = train_arguments(tmp_path / "run", pairs, steps=2)
    command = [sys.executable, "-m", "tfgan_app", *map(os.fsencode, arguments)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    of_the_training = (
        "step ",
        "validation at ",
        "tfgan_app: info at step 0: warm-up",
        "tfgan_app: warning at step 0: about",
    )
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith(of_the_training)]
    assert said == []
    assert (tmp_path / "run" / "report.html").is_file()
