"""`tfgan_app evaluate`: metrics of a run on held-out pictures, with the protocol they were measured by."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfgan_app.callbacks import ABOUT_FIGURES
from tfgan_app.commands.leftovers import report_leftovers
from tfgan_app.commands.metrics_text import format_metrics
from tfgan_app.commands.run_directory import RunDirectory, hinting_at_moved_data
from tfgan_app.commands.run_study import keep_study, run_study
from tfgan_app.commands.shipped_recipe import read_recipe
from tfgan_app.commands.task_report import TaskReport
from tfgan_app.config import absolute_source, apply_overrides, load_json, replace_values
from tfgan_app.files import printable, write_text
from tfgan_app.inference import load_companions, load_keras_model, model_file, run_checkpoint
from tfgan_app.inference.shipped import is_shipped, shipped_models, shipped_names
from tfgan_app.metrics import compare, comparison_lines
from tfgan_app.tasks.base import Task

NO_LIMIT = 2**31 - 1

COPIES_ALLOWED = 0.01
"""Share of a run's own held-out pictures that may be copies of training pictures without a word."""


def run(args: argparse.Namespace) -> int:
    """Measures the run or shipped model `args.run` on its held-out pictures, or on those of `args.data`.

    Args:
        args: the parsed flags of the subcommand.

    Returns:
        0, or 1 where some pictures could not be read; each of them is named on stderr.

    Raises:
        ValueError: for a run or data set that cannot be used, or an evaluation to compare with that was measured
            in another way.
    """
    other = load_json(args.compare) if args.compare else None
    shipped = shipped_models().get(args.run) if is_shipped(args.run) else None
    if shipped is None and not Path(args.run).exists():
        raise ValueError(
            f"`--run` must be a run directory or a shipped model's name. Received: '{printable(args.run)}'. "
            f"{shipped_names()}"
        )
    directory = None if shipped else RunDirectory.existing(args.run)
    config, task_class = read_recipe(shipped) if shipped else directory.read_config()
    config = apply_overrides(replace_values(config, {"data.max_val_pictures": NO_LIMIT}), args.set)
    report = TaskReport()
    measure_on = absolute_source(args.data)
    report_leftovers(measure_on or config.data.source, report)
    find_model = model_file if shipped else run_checkpoint
    checkpoint = find_model(args.run, args.checkpoint or "last")
    model = load_keras_model(checkpoint)
    with hinting_at_moved_data(config):
        task = task_class(config, report=report, measure_on=absolute_source(args.data))
        metrics = task.evaluate(model, **load_companions(checkpoint))
    protocol = task.protocol() | {"checkpoint": str(checkpoint)}
    caveats = task.caveats(metrics)
    if known := _count_trained_on(task, report, given=args.data is not None):
        protocol["training_pictures"] = known
    print(format_metrics(metrics))
    for line in caveats:
        report(f"{ABOUT_FIGURES}{line}")
    print(printable("protocol: " + ", ".join(f"{name} {value}" for name, value in protocol.items())))
    evaluation = {"metrics": metrics, "protocol": protocol, "caveats": caveats}
    # Already now: a study takes minutes, and its failure should not cost these figures.
    _write(args.json, evaluation)
    if task.has_study:
        evaluation["study"] = run_study(task, model, directory=directory, report=report)
        _write(args.json, evaluation)
        if args.data is None:
            keep_study(evaluation["study"], task, directory=directory, config=config, metrics=metrics)
    if other is not None:
        print(f"\nfirst: {printable(args.compare)}, second: {printable(args.run)}")
        print(*comparison_lines(compare(other, evaluation)), sep="\n")
    return report.exit_code


def _count_trained_on(task: Task, report: Callable[[str], Any], *, given: bool) -> int:
    """How many pictures that were measured the run was trained on; says so.

    Args:
        task: of the run.
        report: called with a line.
        given: whether the pictures are those of `--data`; a few copies among a run's own are not worth a word.
    """
    try:
        known, count = task.count_trained_on()
    except (ValueError, OSError) as error:
        report(f"whether training pictures are among those that are measured is not known: {error}")
        return 0
    if known <= (0 if given else COPIES_ALLOWED * count):
        return 0
    what = "pictures of `--data`" if given else "held-out pictures"
    advice = "Leave out `--data` to measure the run's held-out pictures." if given else "Remove the copies."
    report(
        f"{known} of the {count} {what} are training pictures of this run, by their contents: figures on these are no "
        f"test. {advice}"
    )
    return known


def _write(path: str | None, evaluation: dict[str, Any]) -> None:
    if path:
        text = json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False)
        write_text(path, f"{text}\n")
