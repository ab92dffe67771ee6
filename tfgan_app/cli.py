"""Command line: parses argv, runs one command, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 finished but some inputs failed, 2 bad usage or bad input, 130 interrupted.

Help and usage errors are fast because nothing here loads TensorFlow: the module of a command is imported when the
command runs.
"""

from __future__ import annotations

import argparse
import importlib
import io
import keyword
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from absl import app

import tfgan_app
from tfgan_app.arguments import COMMANDS
from tfgan_app.arguments.parsing import Parser, error_message
from tfgan_app.commands import startup
from tfgan_app.files import printable


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits the process.

    Args:
        argv: Program name and arguments; `sys.argv` if None.
    """
    for stream in (sys.stdout, sys.stderr):
        # File names may contain characters that the terminal cannot encode.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app.run(run, argv=argv if argv is None else list(argv), flags_parser=parse)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parses the command line.

    Args:
        argv: Program name and arguments.

    Returns:
        `command`, `debug`, `tensorflow` and the flags of the command with `_` for `-`; and `command_line`, the whole
        command quoted for a shell.

    Raises:
        SystemExit: After help or the version (0), or a usage error (2).
    """
    parser = build_parser()
    args, unknown = parser.parse_known_args(list(argv[1:]))
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    args.command_line = shlex.join(["tfgan_app", *argv[1:]])
    find_problem = getattr(
        importlib.import_module(f"tfgan_app.arguments.{_module(args.command)}"), "find_problem", None
    )
    if find_problem and (problem := find_problem(args)):
        parser.error(problem)
    return args


def run(args: argparse.Namespace) -> int:
    """Runs a parsed command.

    Args:
        args: Return value of `parse`.

    Returns:
        The exit code.
    """
    try:
        if args.tensorflow:
            startup.load_tensorflow(show_chatter=args.debug)
        return importlib.import_module(f"tfgan_app.commands.{_module(args.command)}").run(args)
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
        print(f"tfgan_app: error: {printable(error_message(error))}", file=sys.stderr)
        return 2
    except Exception as error:
        # Out of memory, or an image that vanished: no bug in this program. Bugs keep their traceback.
        if args.debug or not (isinstance(error, MemoryError) or type(error).__module__.startswith("tensorflow")):
            raise
        kind = type(error).__name__
        print(
            f"tfgan_app: error: {kind}: {printable(error_message(error)[:300])} (`--debug` shows where)",
            file=sys.stderr,
        )
        return 2


def _module(command: str) -> str:
    """Returns the module name of a command; a Python keyword such as `import` gets an underscore."""
    return f"{command}_" if keyword.iskeyword(command) else command


def build_parser() -> argparse.ArgumentParser:
    """Builds the parser of the whole command line."""
    parser = Parser(
        prog="tfgan_app",
        description="Train image GANs on your own images, look at the results, measure and ship them.",
        epilog="`tfgan_app COMMAND --help` explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"tfgan_app {tfgan_app.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
