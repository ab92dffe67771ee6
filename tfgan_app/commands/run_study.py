"""Study of a run: loads its discriminator, runs the study, prints it, and writes it into the run and its report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import keras

from tfgan_app.callbacks import STUDY_FILE, write_report
from tfgan_app.commands.next_commands import next_commands
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig
from tfgan_app.files import printable, write_text
from tfgan_app.tasks.augment.study import study_lines
from tfgan_app.tasks.base import Task
from tfgan_app.training.checkpoints import Checkpoints


def warn_of_other_images(directory: RunDirectory, task: Task, report: Callable[[str], Any]) -> None:
    """Reports training images that differ from those that the run was trained on."""
    if directory.read_facts().get("data_fingerprint") != task.fingerprint():
        report(
            "the training images differ from those that this run was trained on: copies are searched for among the "
            "current ones. Train again, or restore the original images."
        )


def run_study(
    task: Any, model: keras.Model, *, directory: RunDirectory, report: Callable[[str], Any]
) -> dict[str, Any]:
    """Runs `task.study` and prints its table.

    Args:
        task: Task of the run, with a method `study`.
        model: Inference model of the run.
        directory: The run directory.
        report: Called with a line if the images have changed.

    Returns:
        The return value of `task.study`.
    """
    warn_of_other_images(directory, task, report)
    study = task.study(model, load_discriminator(directory, task))
    print(*study_lines(study), sep="\n")
    return study


def keep_study(
    study: dict[str, Any], task: Task, *, directory: RunDirectory, config: RunConfig, metrics: dict[str, float]
) -> None:
    """Writes a study as `study.json` and into the run's report; a failed write is reported on stderr.

    Args:
        study: Return value of `run_study`.
        task: Task of the run.
        directory: The run directory.
        config: Configuration of the run.
        metrics: Return value of `task.evaluate`, for the report.
    """
    try:
        write_text(directory.path / STUDY_FILE, f"{json.dumps(study, indent=2, ensure_ascii=False)}\n")
        report = write_report(
            directory.path,
            title=f"{config.task_name}: {directory.path.name}",
            next_commands=next_commands(directory.path, config, task, finished=True),
            summary=metrics,
        )
        print(f"report: {printable(report)}")
    except OSError as error:
        print(f"tfgan_app: could not write the study into the run: {error}", file=sys.stderr)


def load_discriminator(directory: RunDirectory, task: Task) -> keras.Model:
    """Builds the only discriminator of a run in float32, with the weights of the newest intact checkpoint.

    Args:
        directory: The run directory.
        task: Task of the run, with its configuration.

    Raises:
        ValueError: If there is no intact checkpoint, or it belongs to other networks.
    """
    discriminators = task.build_networks().discriminators
    found = Checkpoints(directory.checkpoints).restore_discriminators(discriminators, on_damaged=_report_damaged)
    if found is None:
        raise ValueError(
            f"Expected an intact checkpoint (step-*.npz) in {directory.checkpoints}, which holds the discriminator. "
            "Found none; train the run on, or copy its checkpoints back."
        )
    return discriminators["discriminator"]


def _report_damaged(path, reason: str) -> None:
    print(f"tfgan_app: checkpoint {path.name} cannot be used ({reason}); trying the previous one", file=sys.stderr)
