"""`tfgan_app predict`: a model on a picture or a folder of pictures."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tfgan_app.inference import load_predictor, predict_path

_REPORT_EVERY_SECONDS = 10.0


def run(args: argparse.Namespace) -> int:
    """Predicts `args.input` into `args.output` with the model at `args.model`.

    Args:
        args: The parsed flags of the subcommand.

    Returns:
        0, or 1 where some pictures failed; each of them is named on stderr.

    Raises:
        ValueError: If a flag is missing or does not apply, or there is no such model or input.
    """
    _check_flags(args)
    predictor = load_predictor(args.model, checkpoint=args.checkpoint or "last")
    progress = _Progress()
    summary = predict_path(predictor, args.input, args.output, on_progress=progress.show, on_failure=progress.interrupt)
    progress.end()
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    print(f"{len(summary.written)} written to {args.output}{failed}")
    return 1 if summary.failed else 0


def _check_flags(args: argparse.Namespace) -> None:
    if not args.input:
        raise ValueError("`--input` must name a picture or a folder of pictures. Received none.")
    for flag, value in (("--tile", args.tile), ("--count", args.count)):
        if value is not None:
            raise ValueError(f"`{flag}` is not supported for this model. Received: {value}. Leave it out.")


class _Progress:
    """Says how far the work is: on one line of a terminal, else every few seconds."""

    def __init__(self):
        self._start = self._shown = time.monotonic()
        self._line = ""

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        rate = done / max(now - self._start, 1e-6)
        line = f"{done}/{total} pictures, {rate:.1f}/s"
        if sys.stderr.isatty():
            print(f"\r{line:<{len(self._line)}}", end="", file=sys.stderr, flush=True)
            self._line = line
        elif now - self._shown >= _REPORT_EVERY_SECONDS:
            print(line, file=sys.stderr, flush=True)
            self._shown = now

    def interrupt(self, source: Path, reason: str) -> None:
        """Prints a failure on a line of its own; `reason` names its source."""
        self.end()
        print(reason, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._line:
            print(file=sys.stderr)
            self._line = ""
