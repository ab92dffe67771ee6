"""The command line: help, usage errors, exit codes, and how fast it answers."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
import types

import pytest

import tfgan_app
from tfgan_app import cli
from tfgan_app.commands import startup

TRAIN = ["train", "--task", "translate"]
PREDICT = ["predict", "--model", "m", "--output", "o"]


def parse(*arguments):
    return cli.parse(["tfgan_app", *arguments])


def usage_error(capsys, *arguments):
    """Returns the line on stderr of a command line that is refused."""
    with pytest.raises(SystemExit) as caught:
        parse(*arguments)
    captured = capsys.readouterr()
    assert caught.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture
def command(monkeypatch):
    """Puts a function in the place of the `inspect` command, and leaves TensorFlow alone."""
    monkeypatch.setattr(startup, "load_tensorflow", lambda **_: None)

    def install(function):
        module = types.ModuleType("tfgan_app.commands.inspect")
        module.run = function
        monkeypatch.setitem(sys.modules, "tfgan_app.commands.inspect", module)

    return install


def test_train_flags():
    expected = {
        "task": "translate",
        "data": "d",
        "run_dir": "r",
        "steps": 5,
        "batch_size": 2,
        "image_size": 32,
        "preset": "p",
        "precision": "float32",
        "seed": 0,
        "strategy": "none",
        "config": "c.json",
    }
    flags = [part for name, value in expected.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    args = vars(parse("train", *flags, "--set", "a.b=1", "--set", "c.d=x=y", "--resume", "--dry-run"))
    assert {name: args[name] for name in expected} == expected
    assert args["set"] == ["a.b=1", "c.d=x=y"]
    assert args["resume"] and args["dry_run"] and not args["debug"]
    assert shlex.split(args["command_line"])[:4] == ["tfgan_app", "train", "--task", "translate"]


def test_flags_that_are_not_given_are_none():
    args = parse(*TRAIN)
    assert args.set == [] and not (args.resume or args.dry_run or args.debug)
    assert {args.data, args.steps, args.seed, args.precision, args.config, args.run_dir, args.preset} == {None}
    assert parse(*TRAIN, "--set", "a.b=1").set == ["a.b=1"]
    assert parse(*TRAIN).set == []


def test_other_commands():
    assert parse("evaluate", "--run", "r").checkpoint == "last"
    assert parse(*PREDICT).input is None
    args = parse(*PREDICT, "--class", "a b", "--class", "1", "--truncation", "0.5")
    assert (args.classes, args.truncation, args.count, args.seed) == (["a b", "1"], 0.5, None, None)
    assert parse(*PREDICT).classes == []
    args = parse("export", "--run", "r", "--format", "saved_model")
    assert (args.output, args.name, args.quantize) == ("exported_models", None, "none")
    assert parse("inspect", "--data", "d", "--json", "f").json == "f"
    args = parse("serve", "--models", "m")
    assert (args.host, args.rest_port, args.grpc_port, args.workers) == ("127.0.0.1", 8501, 8500, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["trian"], "invalid choice: 'trian'"),
        (["augment", "--run", "r"], "--output, --per-class"),
        (
            ["augment", "--run", "r", "--output", "o", "--per-class", "0"],
            "--per-class: must be an integer, at least 1.",
        ),
        (["serve"], "--models"),
        (["serve", "--models", "m", "--max-queue", "0"], "--max-queue: must be an integer, at least 1."),
        (["train"], "--task"),
        (
            ["train", "--task", "paint"],
            "'paint' is not a task. Available tasks: augment, generate, restore, translate, upscale.",
        ),
        ([*TRAIN, "--steps", "0"], "--steps: must be an integer, at least 1. Received: '0'."),
        ([*TRAIN, "--steps", "many"], "--steps: must be an integer, at least 1. Received: 'many'."),
        ([*TRAIN, "--seed", "-1"], "--seed: must be an integer, at least 0. Received: '-1'."),
        ([*TRAIN, "--precision", "fp8"], "invalid choice: 'fp8'"),
        ([*TRAIN, "--set", "steps"], "expected KEY=VALUE"),
        (["inspect", "--data", "x", "--input-range", "-1,1"], "begins with '-' needs '=', as in --flag=-x"),
        ([*TRAIN, "--step", "5"], "unrecognized arguments: --step 5"),
        ([*TRAIN, "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["export", "--run", "r", "--format", "onnx"], "'onnx' is not a format. Available formats"),
        (["predict", "--model", "m"], "--output"),
        ([*PREDICT, "--truncation", "-1"], "--truncation: must be a number of at least 0. Received: '-1'."),
        ([*PREDICT, "--truncation", "nan"], "--truncation: must be a number of at least 0. Received: 'nan'."),
        ([*PREDICT, "--count", "0"], "--count: must be an integer, at least 1. Received: '0'."),
        (["inspect"], "--data"),
    ],
)
def test_a_usage_error_is_one_line(capsys, arguments, message):
    assert message in usage_error(capsys, *arguments)


def test_the_exit_code_is_the_command_s(command):
    command(lambda args: 1)
    assert cli.run(parse("inspect", "--data", "d")) == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ValueError("`scale` must be 2.\nReceived: 5."),
            "tfgan_app: error: `scale` must be 2. Received: 5.\n",
        ),
        (
            FileNotFoundError(2, "No such file or directory", "ü.png"),
            "tfgan_app: error: No such file or directory: ü.png\n",
        ),
        (OSError("disk"), "tfgan_app: error: disk\n"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, command, error, line):
    def fail(args):
        raise error

    command(fail)
    assert cli.run(parse("inspect", "--data", "d")) == 2
    assert capsys.readouterr().err == line
    assert cli.run(parse("inspect", "--data", "d", "--debug")) == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(capsys, command):
    def interrupt(args):
        raise KeyboardInterrupt

    command(interrupt)
    assert cli.run(parse("inspect", "--data", "d")) == 130
    assert capsys.readouterr().err == "tfgan_app: interrupted\n"


def test_a_bug_keeps_its_traceback(command):
    def fail(args):
        raise AttributeError("bug")

    command(fail)
    with pytest.raises(AttributeError):
        cli.run(parse("inspect", "--data", "d"))


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--version")
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"tfgan_app {tfgan_app.__version__}\n"


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "export", "serve", "inspect", "models"])
def test_every_command_has_help(capsys, name):
    with pytest.raises(SystemExit) as caught:
        parse(name, "--help")
    assert caught.value.code == 0
    assert f"usage: tfgan_app {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [(["--help"], 0), (["train", "--help"], 0), (["serve", "--help"], 0), (["train", "--task", "paint"], 2)],
)
def test_help_and_usage_errors_answer_at_once(arguments, exit_code):
    seconds = [_cpu_seconds(["-m", "tfgan_app", *arguments], exit_code) for _ in range(3)]
    bare = min(_cpu_seconds(["-c", "import argparse, dataclasses, importlib.metadata, json, typing"]) for _ in range(3))
    # About two times a bare program; 0.15 s on a fast machine, and in proportion on a slow one.
    assert min(seconds) < max(0.5, 6 * bare)


def _cpu_seconds(arguments, exit_code=0):
    """What a Python program itself takes, however busy the machine is."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == exit_code, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_imports_no_tensorflow():
    code = (
        "import sys\n"
        "from tfgan_app import cli\n"
        "try: cli.main(['tfgan_app', 'train', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
