"""Flags of `tfgan_app evaluate`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_checkpoint, add_command, add_set


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    parser = add_command(commands, "evaluate", summary="Measure a run on held-out images.")
    parser.add_argument(
        "--run",
        "--model",
        required=True,
        metavar="DIR",
        help="run directory, or a shipped model's name (`tfgan_app models`)",
    )
    parser.add_argument("--data", metavar="SOURCE", help="images to measure on (default: those of the run)")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to a file")
    parser.add_argument("--compare", metavar="FILE", help="--json file of another evaluation to compare with")
    add_set(parser)
    add_checkpoint(parser)
