"""`tfgan_app evaluate`: metrics of a run on held-out images, with their protocol."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tfgan_app.callbacks import ABOUT_FIGURES
from tfgan_app.commands.metrics_text import format_metrics
from tfgan_app.commands.run_directory import RunDirectory, hinting_at_moved_data
from tfgan_app.commands.run_study import keep_study, run_study
from tfgan_app.commands.task_report import TaskReport, report_leftovers
from tfgan_app.config import RunConfig, absolute_source, apply_overrides, load_json, replace_values, resolve_config
from tfgan_app.files import printable, write_text
from tfgan_app.inference import load_companions, load_keras_model, model_file, run_checkpoint
from tfgan_app.metrics import compare, comparison_lines
from tfgan_app.shipped import ShippedModel, is_shipped, shipped_models, shipped_names
from tfgan_app.tasks import load_task
from tfgan_app.tasks.base import Task

NO_LIMIT = 2**31 - 1

COPIES_ALLOWED = 0.01
"""Share of a run's own held-out images that may be copies of training images without a warning."""


def run(args: argparse.Namespace) -> int:
    """Measures the run or shipped model `args.run` on its held-out images or on `args.data`.

    Args:
        args: Parsed flags of the command.

    Returns:
        0, or 1 if some images could not be read; each of them is named on stderr.

    Raises:
        ValueError: If the run or the data set cannot be used, or the evaluation to compare with was measured by a
            different protocol.
    """
    other = load_json(args.compare) if args.compare else None
    report = TaskReport()

    def show(evaluation: dict[str, Any]) -> None:
        print(format_metrics(evaluation["metrics"]))
        for line in evaluation["caveats"]:
            report(f"{ABOUT_FIGURES}{line}")
        protocol = evaluation["protocol"].items()
        print(printable("protocol: " + ", ".join(f"{name} {value}" for name, value in protocol)))
        # Written before the study, which takes minutes and might fail.
        _write(args.json, evaluation)

    options = {"data": args.data, "overrides": args.set, "checkpoint": args.checkpoint or "last"}
    evaluation = evaluate(args.run, **options, report=report, on_measured=show)
    if "study" in evaluation:
        _write(args.json, evaluation)
    if other is not None:
        print(f"\nfirst: {printable(args.compare)}, second: {printable(args.run)}")
        print(*comparison_lines(compare(other, evaluation)), sep="\n")
    return report.exit_code


def evaluate(
    run: str,
    *,
    data: str | None = None,
    overrides: Sequence[str] = (),
    checkpoint: str = "last",
    report: Callable[[str], Any],
    on_measured: Callable[[dict[str, Any]], Any] = lambda evaluation: None,
) -> dict[str, Any]:
    """Measures a run or shipped model on held-out images.

    Args:
        run: Run directory, or the name of a shipped model.
        data: Images to measure on; None for those of the run.
        overrides: `KEY=VALUE` texts that override the run's configuration.
        checkpoint: `"last"` or `"best"`.
        report: Called with each line about the images.
        on_measured: Called with the evaluation before the study, for a task that has one.

    Returns:
        `metrics`, `protocol`, `caveats` and, for a task that has one, `study`, as `evaluate --json` writes them.

    Raises:
        ValueError: If the run or the data set cannot be used.
    """
    shipped = shipped_models().get(run) if is_shipped(run) else None
    if shipped is None and not Path(run).exists():
        raise ValueError(
            f"`--run` must be a run directory or a shipped model's name. Received: '{printable(run)}'. "
            f"{shipped_names()}"
        )
    directory = None if shipped else RunDirectory.existing(run)
    config, task_class = _read_recipe(shipped) if shipped else directory.read_config()
    config = apply_overrides(replace_values(config, {"data.max_val_images": NO_LIMIT}), overrides)
    measure_on = absolute_source(data)
    report_leftovers(measure_on or config.data.source, report)
    find_model = model_file if shipped else run_checkpoint
    path = find_model(run, checkpoint)
    model = load_keras_model(path)
    with hinting_at_moved_data(config):
        task = task_class(config, report=report, measure_on=measure_on)
        metrics = task.evaluate(model, **load_companions(path))
    protocol = task.protocol() | {"checkpoint": str(path)}
    caveats = task.caveats(metrics)
    if known := _count_trained_on(task, report, given=data is not None):
        protocol["training_images"] = known
    evaluation = {"metrics": metrics, "protocol": protocol, "caveats": caveats}
    on_measured(evaluation)
    if hasattr(task, "study"):
        evaluation["study"] = run_study(task, model, directory=directory, report=report)
        if data is None:
            keep_study(evaluation["study"], task, directory=directory, config=config, metrics=metrics)
    return evaluation


def _read_recipe(model: ShippedModel) -> tuple[RunConfig, Any]:
    """Returns the training configuration of a shipped model, on the bundled sample, and the class of its task."""
    task_class = load_task(model.task)
    preset = task_class.presets[model.preset]
    return resolve_config(model.task, task_class.config_class, preset=preset, config_file=model.recipe), task_class


def _count_trained_on(task: Task, report: Callable[[str], Any], *, given: bool) -> int:
    """Counts and reports the measured images that are training images of the run.

    Args:
        task: The task of the run.
        report: Called with a line.
        given: Whether the images come from `--data`; a few copies among a run's own images are not reported.
    """
    try:
        known, count = task.count_trained_on()
    except (ValueError, OSError) as error:
        report(f"cannot check whether training images are among the measured ones: {error}")
        return 0
    if known <= (0 if given else COPIES_ALLOWED * count):
        return 0
    what = "images of `--data`" if given else "held-out images"
    advice = "Leave out `--data` to measure the run's held-out images." if given else "Remove the copies."
    report(
        f"{known} of the {count} {what} are training images of this run, by their contents: figures on these are "
        f"not a test. {advice}"
    )
    return known


def _write(path: str | None, evaluation: dict[str, Any]) -> None:
    if path:
        text = json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False)
        write_text(path, f"{text}\n")
