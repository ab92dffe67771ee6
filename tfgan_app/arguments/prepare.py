"""Flags of `tfgan_app prepare`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_command, positive

_EPILOG = """\
Needs the extra: pip install 'tfgan_app[shards]'. `--data DIR` of all other commands then takes the folder. A command
that was interrupted goes on where it stopped.
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Pack the images of a folder into shards with random access, for large sets."
    parser = add_command(commands, "prepare", summary=summary, epilog=_EPILOG)
    parser.add_argument("--data", required=True, metavar="SOURCE", help="folder of images, classes or pairs")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--shards", type=positive, default=16, metavar="N", help="number of files (default: 16)")
