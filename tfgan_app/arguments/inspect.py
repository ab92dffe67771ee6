"""Flags of `tfgan_app inspect`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import SOURCE_HELP, add_command, add_input_range


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    parser = add_command(commands, "inspect", summary="Summarize a data set and list its problems.")
    parser.add_argument("--data", required=True, metavar="SOURCE", help=SOURCE_HELP.partition(";")[0])
    add_input_range(parser)
    parser.add_argument("--json", metavar="FILE", help="also write the findings to a file")
