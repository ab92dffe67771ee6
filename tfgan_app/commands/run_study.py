"""The study of a task that has one: run, shown, and kept beside the run's report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import keras

from tfgan_app.callbacks import STUDY_FILE, write_report
from tfgan_app.commands.next_commands import next_commands
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.run_discriminator import load_discriminator
from tfgan_app.config import RunConfig
from tfgan_app.files import printable, write_text
from tfgan_app.tasks.augment.study import study_lines
from tfgan_app.tasks.base import Task


def warn_of_other_images(directory: RunDirectory, task: Task, report: Callable[[str], Any]) -> None:
    """Reports when the training images are not those that the run was trained on."""
    if directory.read_facts().get("data_fingerprint") != task.fingerprint():
        report(
            "the training images are not those that this run was trained on: copies are looked for among those that "
            "are there now. Train anew, or bring the others back."
        )


def run_study(
    task: Task, model: keras.Model, *, directory: RunDirectory, report: Callable[[str], Any]
) -> dict[str, Any]:
    """Runs `task.study` and prints its table.

    Args:
        task: of the run.
        model: its inference model.
        directory: of the run.
        report: called with a line when images are not what they were.

    Returns:
        What `task.study` returned.
    """
    warn_of_other_images(directory, task, report)
    study = task.study(model, load_discriminator(directory, task))
    print(*study_lines(study), sep="\n")
    return study


def keep_study(
    study: dict[str, Any], task: Task, *, directory: RunDirectory, config: RunConfig, metrics: dict[str, float]
) -> None:
    """Writes a study as `study.json` and into the run's report; where it cannot be written, that is said.

    Args:
        study: what `run_study` returned.
        task: of the run.
        directory: of the run.
        config: of the run.
        metrics: what `task.evaluate` gave, for the report.
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
