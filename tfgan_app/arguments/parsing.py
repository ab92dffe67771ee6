"""Parser, value types and shared flags of all commands."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from typing import Any, NoReturn

from absl.flags import argparse_flags

from tfgan_app.files import printable

SOURCE_HELP = "folder of images or of `prepare`, keras:NAME or tfds:NAME[:SPLIT] (default: the task's bundled sample)"
"""Help text of `--data`."""


class Parser(argparse_flags.ArgumentParser):
    """Argument parser that reports a usage error in one line."""

    def __init__(self, **kwargs: Any) -> None:
        # With abbreviations, every new flag could change the meaning of a user's script.
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument"):
            message += "; a value that begins with '-' needs '=', as in --flag=-x"
        self.exit(2, f"{self.prog}: error: {printable(one_line(message))} (see `{self.prog} --help`)\n")

    def format_help(self) -> str:
        # Some epilogs take time to build; only readers of the help should pay for it.
        if callable(self.epilog):
            self.epilog = self.epilog()
        return super().format_help()


def add_command(
    commands: Any, name: str, *, summary: str, tensorflow: bool = True, **kwargs: Any
) -> argparse.ArgumentParser:
    """Adds a command with the flags that all commands share.

    Args:
        commands: The return value of `ArgumentParser.add_subparsers`.
        name: Name of the command; `tfgan_app.commands.NAME` runs it.
        summary: One line of help.
        tensorflow: Whether the command needs TensorFlow, which takes seconds to start.
        **kwargs: Arguments of `ArgumentParser.add_parser`; `epilog` may be a function that returns the text.
    """
    formatter = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(name, help=summary, description=summary, formatter_class=formatter, **kwargs)
    parser.set_defaults(tensorflow=tensorflow)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and TensorFlow's own messages")
    return parser


def add_set(parser: argparse.ArgumentParser) -> None:
    """Adds `--set KEY=VALUE`."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="KEY=VALUE",
        help="set one value; may be repeated",
    )


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Adds `--checkpoint`."""
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        default="last",
        help="which checkpoint of a run (default: last)",
    )


def _assignment(text: str) -> str:
    if not text.partition("=")[0].strip() or "=" not in text:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, as in training.steps=500. Received: {text!r}.")
    return text


def positive(text: str) -> int:
    """Parses an integer of at least 1; the type of a flag."""
    return _whole_number(text, minimum=1)


def natural(text: str) -> int:
    """Parses an integer of at least 0; the type of a flag."""
    return _whole_number(text, minimum=0)


def positive_number(text: str) -> float:
    """Parses a number above 0; the type of a flag."""
    with contextlib.suppress(ValueError):
        if 0.0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number above 0. Received: {text!r}.")


def natural_number(text: str) -> float:
    """Parses a number of at least 0; the type of a flag."""
    with contextlib.suppress(ValueError):
        if 0.0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number of at least 0. Received: {text!r}.")


def number_range(text: str) -> tuple[float, float]:
    """Parses two finite numbers, the lower one first; the type of a flag."""
    with contextlib.suppress(ValueError):
        low, high = (float(part) for part in text.split(","))
        if -math.inf < low < high < math.inf:
            return low, high
    raise argparse.ArgumentTypeError(f"must be LOW,HIGH, the lower number first, as in 0,4095. Received: {text!r}.")


def add_input_range(parser: argparse.ArgumentParser) -> None:
    """Adds `--input-range LOW,HIGH`."""
    parser.add_argument(
        "--input-range",
        type=number_range,
        metavar="LOW,HIGH",
        help="values of black and white in files of more than 8 bits, such as --input-range=-1,1 (default: by file)",
    )


def _whole_number(text: str, *, minimum: int) -> int:
    with contextlib.suppress(ValueError):
        if int(text) >= minimum:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer, at least {minimum}. Received: {text!r}.")


def one_line(text: str) -> str:
    """Joins the non-empty lines of a text into one line."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def error_message(error: Exception) -> str:
    """Returns the one-line message of an error for the user."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {printable(os.fsdecode(error.filename))}"
    if isinstance(error, UnicodeEncodeError):  # TensorFlow writes and reads SavedModels.
        return f"TensorFlow accepts only file names in UTF-8. Received: '{error.object}'"
    return one_line(str(error)) or type(error).__name__
