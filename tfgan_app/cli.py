"""The command line: reads argv, runs one command, and turns what goes wrong into one line and an exit code.

Exit codes: 0 done, 1 finished but some inputs failed, 2 bad usage or bad input, 130 interrupted.

Help and usage errors answer at once because nothing here loads TensorFlow: the module of a command is
imported when the command is run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import sys
import traceback
import typing
from collections.abc import Sequence
from typing import Any, NoReturn

from absl import app
from absl.flags import argparse_flags

import tfgan_app
from tfgan_app.commands import startup
from tfgan_app.config_sections import Precision, Strategy
from tfgan_app.tasks import TASKS, check_task_name

PLANNED_COMMANDS = ("augment",)

EXPORT_FORMATS = ("saved_model", "tflite", "keras", "web")

_SOURCE_HELP = "a folder of pictures, keras:NAME or tfds:NAME[:SPLIT]; without it the task's bundled sample"

_TRAIN_EPILOG = """\
Everything else is set with --set KEY=VALUE (keys are those of config.json; --dry-run prints them all):
  --set task.direction=b2a --set training.validate_every_steps=500 --set optimizer.clip_norm=none
Later wins: task defaults, --preset, --config, the flags above, --set.
"""

_PREDICT_EPILOG = """\
A model that generates takes no --input: its pictures are numbered by seed, and the same seed gives the same picture:
  --output DIR --count 100 --seed 0      seed-0000000.png to seed-0000099.png; of each class into DIR/CLASS
  --output one.png --seed 42             that one again
"""

_SERVE_EPILOG = """\
  curl localhost:8501/v1/models/NAME:predict -d '{"instances": [{"b64": "..."}]}'
A browser finds a page to try the models on at http://localhost:8501/. New versions in DIR are loaded as they appear.
"""


class _Parser(argparse_flags.ArgumentParser):
    """An argument parser that answers a usage error with one line."""

    def __init__(self, **kwargs: Any) -> None:
        # Abbreviations would turn every new flag into a change of meaning of somebody's script.
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {_one_line(message)} (see `{self.prog} --help`)\n")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits the process.

    Args:
        argv: Program name and arguments; `sys.argv` if None.
    """
    for stream in (sys.stdout, sys.stderr):
        # File names may hold what the terminal's encoding does not.
        stream.reconfigure(errors="backslashreplace")
    app.run(run, argv=argv if argv is None else list(argv), flags_parser=parse)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parses the command line.

    Args:
        argv: Program name and arguments.

    Returns:
        `command`, `debug` and the flags of the command, `-` turned into `_`.

    Raises:
        SystemExit: After help or the version (0), or a usage error (2).
    """
    parser = build_parser()
    args, unknown = parser.parse_known_args(list(argv[1:]))
    if args.command in PLANNED_COMMANDS:
        parser.error(f"`{args.command}` is not part of this version yet")
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def run(args: argparse.Namespace) -> int:
    """Runs the command that was parsed.

    Args:
        args: What `parse` returned.

    Returns:
        The exit code.
    """
    try:
        startup.load_tensorflow(show_chatter=args.debug)
        return importlib.import_module(f"tfgan_app.commands.{args.command}").run(args)
    except KeyboardInterrupt:
        print("tfgan_app: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (`| head`) has left; Python must not try to flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        if args.debug:
            traceback.print_exc()
        print(f"tfgan_app: error: {_message(error)}", file=sys.stderr)
        return 2
    except Exception as error:
        # Out of memory, a picture that vanished: not a fault of this program, whose own keep their traceback.
        if args.debug or not (isinstance(error, MemoryError) or type(error).__module__.startswith("tensorflow")):
            raise
        kind = type(error).__name__
        print(f"tfgan_app: error: {kind}: {_message(error)[:300]} (`--debug` shows where)", file=sys.stderr)
        return 2


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line."""
    parser = _Parser(
        prog="tfgan_app",
        description="Train image GANs on your own pictures, look at the results, measure and ship them.",
        epilog="`tfgan_app COMMAND --help` explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"tfgan_app {tfgan_app.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    _add_predict(commands)
    _add_export(commands)
    _add_serve(commands)
    _add_inspect(commands)
    for name in PLANNED_COMMANDS:
        commands.add_parser(name, add_help=False)
    return parser


def _add_command(commands: Any, name: str, *, summary: str, **kwargs: Any) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(name, help=summary, description=summary, formatter_class=formatter, **kwargs)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and TensorFlow's own messages")
    return parser


def _add_train(commands: Any) -> None:
    summary = "Train a task; what it learns, logs and draws goes to a run directory."
    parser = _add_command(commands, "train", summary=summary, epilog=_TRAIN_EPILOG)
    parser.add_argument("--task", required=True, type=_task, metavar=f"{{{','.join(TASKS)}}}", help="what to train")
    parser.add_argument("--data", metavar="SOURCE", help=_SOURCE_HELP)
    parser.add_argument("--run-dir", metavar="DIR", help="where to write; a new folder in runs/ by default")
    parser.add_argument("--steps", type=_positive, metavar="N", help="training steps of the whole run")
    parser.add_argument("--batch-size", type=_positive, metavar="N", help="pictures per step")
    parser.add_argument("--image-size", type=_positive, metavar="PX", help="side of the training pictures")
    parser.add_argument("--preset", metavar="NAME", help="a named set of values of the task")
    parser.add_argument("--precision", choices=typing.get_args(Precision), help="compute precision")
    parser.add_argument("--seed", type=_natural, metavar="N", help="seed of everything random")
    parser.add_argument("--strategy", choices=typing.get_args(Strategy), help="distribution over devices")
    parser.add_argument("--config", metavar="FILE", help="a config.json, or part of one")
    _add_set(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of --run-dir")
    parser.add_argument("--dry-run", action="store_true", help="print configuration, sizes and time estimate only")


def _add_evaluate(commands: Any) -> None:
    parser = _add_command(commands, "evaluate", summary="Measure a run on held-out pictures.")
    parser.add_argument("--run", required=True, metavar="DIR", help="run directory")
    parser.add_argument("--data", metavar="SOURCE", help="pictures to measure on; the run's own by default")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to a file as well")
    parser.add_argument("--compare", metavar="FILE", help="what --json wrote of another run, to be compared with")
    _add_set(parser)
    _add_checkpoint(parser)


def _add_predict(commands: Any) -> None:
    summary = "Run a model over pictures, or draw new ones with a model that generates."
    parser = _add_command(commands, "predict", summary=summary, epilog=_PREDICT_EPILOG)
    parser.add_argument(
        "--model", required=True, metavar="PATH", help="run directory, exported model folder or .keras file"
    )
    parser.add_argument("--input", metavar="PATH", help="picture, folder or video")
    parser.add_argument("--output", required=True, metavar="PATH", help="picture, folder or video to write")
    parser.add_argument("--mask", metavar="PATH", help="what to fill is light here: a picture, or a folder of them")
    parser.add_argument("--tile", type=_positive, metavar="PX", help="work in tiles of this size (default: by memory)")
    parser.add_argument("--output-format", metavar="NAME", help="png, jpg, webp, tiff... (default: as the input)")
    parser.add_argument("--quality", type=_positive, metavar="N", help="1 to 100, of JPEG and WebP (default: 95)")
    parser.add_argument("--resume", action="store_true", help="keep results that are there already")
    _add_set(parser)
    parser.add_argument(
        "--count",
        type=_positive,
        metavar="N",
        help="how many pictures to generate, of each class (default: 1 into a file, 16 into a folder)",
    )
    parser.add_argument("--seed", type=_natural, metavar="N", help="seed of the first of them (default: 0)")
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="NAME",
        help="generate this class only, by name or number; may be repeated (default: all)",
    )
    parser.add_argument(
        "--truncation",
        type=_positive_number,
        metavar="T",
        help="largest latent: 2 changes little, 0.5 trades much variety for quality (default: no limit)",
    )
    _add_checkpoint(parser)


def _add_export(commands: Any) -> None:
    parser = _add_command(commands, "export", summary="Write a trained model for use elsewhere.")
    parser.add_argument("--run", required=True, metavar="PATH", help="run directory, or a .keras file")
    parser.add_argument(
        "--format",
        required=True,
        type=_export_format,
        metavar=f"{{{','.join(EXPORT_FORMATS)}}}",
        help="file format",
    )
    parser.add_argument(
        "--quantize", choices=("none", "float16", "dynamic", "int8"), default="none", help="weight format"
    )
    parser.add_argument("--output", default="exported_models", metavar="DIR", help="default: exported_models")
    parser.add_argument("--name", metavar="NAME", help="name of the model; the task's by default")
    parser.add_argument("--license", metavar="TEXT", help="licence of the weights, to be written into the export")
    parser.add_argument(
        "--tile",
        type=_natural,
        metavar="PX",
        help="input size of tflite and web (default: by the model); 0 leaves it open, which only CPUs take",
    )
    parser.add_argument(
        "--delegates", action="store_true", help="say which operations accelerators would leave to the CPU"
    )
    _add_checkpoint(parser)


def _add_serve(commands: Any) -> None:
    summary = "Serve exported models: TensorFlow Serving's REST and gRPC, and a page to try them on."
    parser = _add_command(commands, "serve", summary=summary, epilog=_SERVE_EPILOG)
    parser.add_argument("--models", required=True, metavar="DIR", help="folder of exported models, or one of them")
    parser.add_argument("--rest-port", type=_natural, default=8501, metavar="N", help="default: 8501; 0: any free")
    parser.add_argument("--grpc-port", type=_natural, default=8500, metavar="N", help="default: 8500; 0: any free")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine)")
    parser.add_argument("--workers", type=_positive, metavar="N", help="runs of models at the same time (default: 2)")
    bounds = parser.add_argument_group("bounds, each with its own error")
    for flag, default, text in (
        ("--max-batch", 32, "pictures or seeds of one request; up to 8 of several run as one"),
        ("--max-pixels", 4_000_000, "input pixels of one request; less where memory does not allow it"),
        ("--max-body-mb", 32, "size of one request"),
        ("--max-queue", 128, "requests that wait; more are told to come later"),
    ):
        bounds.add_argument(flag, type=_positive, default=default, metavar="N", help=f"{text} (default: {default})")
    bounds.add_argument(
        "--timeout-seconds", type=_positive_number, default=60.0, metavar="S", help="for an answer (default: 60)"
    )
    life = parser.add_argument_group("life")
    life.add_argument(
        "--poll-seconds", type=_positive_number, default=2.0, metavar="S", help="between looks at DIR (default: 2)"
    )
    life.add_argument(
        "--keep-versions", type=_positive, default=1, metavar="N", help="highest versions to serve (default: 1)"
    )
    life.add_argument(
        "--grace-seconds", type=_positive_number, default=30.0, metavar="S", help="to finish at the end (default: 30)"
    )


def _add_inspect(commands: Any) -> None:
    parser = _add_command(commands, "inspect", summary="Say what is in a data set, and what is wrong with it.")
    parser.add_argument("--data", required=True, metavar="SOURCE", help=_SOURCE_HELP.partition(";")[0])
    parser.add_argument("--json", metavar="FILE", help="write the findings to a file as well")


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="KEY=VALUE",
        help="set one value; may be repeated",
    )


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        default="last",
        help="which checkpoint of a run (default: last)",
    )


def _task(name: str) -> str:
    try:
        return check_task_name(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _export_format(name: str) -> str:
    if name in EXPORT_FORMATS:
        return name
    raise argparse.ArgumentTypeError(f"{name!r} is not a format. Available formats: {', '.join(EXPORT_FORMATS)}.")


def _assignment(text: str) -> str:
    if not text.partition("=")[0].strip() or "=" not in text:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, as in training.steps=500. Received: {text!r}.")
    return text


def _positive(text: str) -> int:
    return _whole_number(text, minimum=1)


def _natural(text: str) -> int:
    return _whole_number(text, minimum=0)


def _positive_number(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number above 0. Received: {text!r}.")


def _whole_number(text: str, *, minimum: int) -> int:
    with contextlib.suppress(ValueError):
        if int(text) >= minimum:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer, at least {minimum}. Received: {text!r}.")


def _message(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
