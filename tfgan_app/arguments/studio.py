"""Flags of `tfgan_app studio`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_command, natural, positive

_STUDIO_EPILOG = """\
Needs the extra: pip install 'tfgan_app[studio]'. The page is for this machine alone and works without a network.
It reads and writes only in the allowed folders, and shows the command of each of its jobs.
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Open a local page to enhance, translate, generate and train by hand."
    parser = add_command(commands, "studio", summary=summary, epilog=_STUDIO_EPILOG, tensorflow=False)
    parser.add_argument("--port", type=natural, default=7860, metavar="N", help="default: 7860; 0: any free")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="DIR",
        help="folder that the page may read and write; may be repeated (default: the current folder)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    bounds = parser.add_argument_group("limits on files that are dropped on the page")
    for flag, default, text in (
        ("--max-upload-mb", 512, "size of a file"),
        ("--max-uploads", 200, "number of files at a time"),
        ("--max-pixels", 100_000_000, "pixels of an image"),
    ):
        bounds.add_argument(flag, type=positive, default=default, metavar="N", help=f"{text} (default: {default})")
