"""`tfgan_app predict`: a model on a picture or a folder of pictures, or pictures out of a model that generates."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tfgan_app.inference import PredictionSummary, Predictor, Sampler, draw_pictures, load_predictor, predict_path

_REPORT_EVERY_SECONDS = 10.0


def run(args: argparse.Namespace) -> int:
    """Predicts `args.input` into `args.output` with the model at `args.model`, or draws pictures into it.

    Args:
        args: The parsed flags of the subcommand.

    Returns:
        0, or 1 where some pictures failed; each of them is named on stderr.

    Raises:
        ValueError: If a flag is missing or does not apply, or there is no such model or input.
    """
    model = load_predictor(args.model, checkpoint=args.checkpoint or "last")
    progress = _Progress()
    try:
        summary = (_draw if isinstance(model, Sampler) else _predict)(model, args, progress)
    finally:
        progress.end()
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    print(f"{len(summary.written)} written to {args.output}{failed}")
    return 1 if summary.failed else 0


def _predict(predictor: Predictor, args: argparse.Namespace, progress: _Progress) -> PredictionSummary:
    if not args.input:
        raise ValueError("`--input` must name a picture or a folder of pictures. Received none.")
    _refuse(args, ("tile", "count", "seed", "class", "truncation"))
    return predict_path(predictor, args.input, args.output, on_progress=progress.show, on_failure=progress.interrupt)


def _draw(sampler: Sampler, args: argparse.Namespace, progress: _Progress) -> PredictionSummary:
    _refuse(args, ("input", "tile"))
    return draw_pictures(
        sampler,
        args.output,
        count=args.count,
        seed=args.seed or 0,
        classes=args.classes,
        truncation=args.truncation,
        on_progress=progress.show,
        on_failure=progress.interrupt,
    )


def _refuse(args: argparse.Namespace, flags: Sequence[str]) -> None:
    """Raises ValueError for the first of `flags` that was given."""
    for flag in flags:
        value = args.classes if flag == "class" else getattr(args, flag)
        if value not in (None, []):
            received = ", ".join(value) if flag == "class" else value
            raise ValueError(f"`--{flag}` is not supported for this model. Received: {received}. Leave it out.")


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
