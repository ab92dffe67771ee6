"""`tfgan_app prepare`: packs the images of a folder into shards with random access."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tfgan_app.data.preparing import prepare
from tfgan_app.files import printable, quoted
from tfgan_app.tasks.progress import progress_reporter


def run(args: argparse.Namespace) -> int:
    """Prepares `args.data` in `args.output`.

    Args:
        args: Parsed flags of the command.

    Returns:
        0, or 1 if some files cannot be read; each of them is named on stderr.

    Raises:
        ValueError: If the source has no images, or the output holds something else.
    """

    def report(line: str) -> None:
        print(f"tfgan_app: {printable(line)}", file=sys.stderr)

    on_progress = progress_reporter(report, "packed")
    done = prepare(Path(args.data), Path(args.output), shards=args.shards, on_progress=on_progress)
    for problem in done.problems:
        report(f"left out: {problem}")
    kept = f" ({done.kept_shards} were there)" if done.kept_shards else ""
    print(f"Packed {done.records:,} images into {done.shards} shards{kept}: {printable(args.output)}")
    print(f"Next: tfgan_app train --task TASK --data {quoted(Path(args.output))}")
    return 1 if done.problems else 0
