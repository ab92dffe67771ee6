"""`tfgan_app augment`: selects synthetic training images of each class and writes them with a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.run_study import load_discriminator, warn_of_other_images
from tfgan_app.commands.task_report import TaskReport, report_leftovers
from tfgan_app.config import RunConfig, apply_overrides
from tfgan_app.files import printable
from tfgan_app.inference import load_keras_model, run_checkpoint
from tfgan_app.tasks.augment.config import DRAWING_SETTINGS
from tfgan_app.tasks.augment.selection import Selection
from tfgan_app.tasks.augment.writing import check_new_folder, write_selection

MAX_IMAGES = 1_000_000


def run(args: argparse.Namespace) -> int:
    """Writes `args.per_class` images of each class of the run `args.run` into `args.output`.

    Args:
        args: Parsed flags of the command.

    Returns:
        0, or 1 if a class is short of images (one line on stderr names it and the reason) or a training image could
        not be read.

    Raises:
        ValueError: If the run, the folder or a setting cannot be used. Nothing is written before these are checked.
    """
    directory = RunDirectory.existing(args.run)
    config, task_class = directory.read_config()
    if config.task_name != "augment":
        raise ValueError(f"`--run` must be a run of `--task augment`. Received: {args.run}, of {config.task_name}.")
    if args.per_class > MAX_IMAGES:
        raise ValueError(f"`--per-class` must be at most {MAX_IMAGES}. Received: {args.per_class}.")
    output = Path(args.output)
    check_new_folder(output)
    config = _overridden(config, args.set)
    report = TaskReport()
    report_leftovers(config.data.source, report)
    task = task_class(config, report=report)
    warn_of_other_images(directory, task, report)
    checkpoint = run_checkpoint(directory.path, args.checkpoint or "last")
    selection = task.select(
        load_keras_model(checkpoint),
        load_discriminator(directory, task),
        per_class=args.per_class,
        first_seed=args.seed,
        batch_size=args.batch_size,
        on_progress=lambda done, total: report(f"{done:,} of {total:,} images"),
    )
    names, training = task.data.class_names, task.data.training
    write_selection(output, selection, class_names=names, training_names=training.names, checkpoint=str(checkpoint))
    print(f"{len(selection.kept)} images written to {printable(output)}")
    print(_thresholds(selection))
    return _report_short(selection, names) or report.exit_code


def _overridden(config: RunConfig, overrides: list[str]) -> RunConfig:
    for assignment in overrides:
        key = assignment.partition("=")[0].strip()
        if key not in DRAWING_SETTINGS:
            raise ValueError(f"`--set` of this command takes {', '.join(DRAWING_SETTINGS)}. Received: {key}.")
    return apply_overrides(config, overrides)


def _thresholds(selection: Selection) -> str:
    limits = selection.thresholds
    totals = {
        reason: sum(count.dropped[reason] for count in selection.counts) for reason in selection.counts[0].dropped
    }
    dropped = ", ".join(f"{number} {reason}" for reason, number in totals.items())
    drawn = sum(count.drawn for count in selection.counts)
    return (
        f"{drawn} drawn; dropped: {dropped} (confidence below {limits.confidence:g}; "
        f"distance at most {min(limits.distances):.3g} to {max(limits.distances):.3g}, by class, "
        f"and {limits.duplicate_share:g} of it between drawn images)"
    )


def _report_short(selection: Selection, names: tuple[str, ...]) -> int:
    short = []
    for name, count in zip(names, selection.counts, strict=True):
        if count.is_short:
            why = ", ".join(f"{number} {reason}" for reason, number in count.dropped.items() if number)
            short.append(f"{name} {count.kept} of {count.wanted} ({why} in {count.drawn} draws)")
    if short:
        print(f"tfgan_app: short of images: {'; '.join(short)}", file=sys.stderr)
    return 1 if short else 0
