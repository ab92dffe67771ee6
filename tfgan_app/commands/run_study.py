"""The study of a task that has one: run, shown, and kept beside the run's report."""

from __future__ import annotations

import json
import sys
from typing import Any

import keras

from tfgan_app.callbacks import STUDY_FILE, write_report
from tfgan_app.commands.next_commands import next_commands
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.run_discriminator import load_discriminator
from tfgan_app.config import RunConfig
from tfgan_app.files import atomic_path
from tfgan_app.tasks.augment.study import study_lines
from tfgan_app.training.task import Task


def run_study(
    task: Task, model: keras.Model, *, directory: RunDirectory, config: RunConfig, metrics: dict[str, float]
) -> dict[str, Any]:
    """Runs `task.study`, prints its table, and writes it as `study.json` and into the run's report.

    Args:
        task: of the run.
        model: its inference model.
        directory: of the run; where it cannot be written, that is said, and the study is given all the same.
        config: of the run.
        metrics: what `task.evaluate` gave, for the report.

    Returns:
        What `task.study` returned.
    """
    study = task.study(model, load_discriminator(directory, task))
    print(*study_lines(study), sep="\n")
    try:
        with atomic_path(directory.path / STUDY_FILE) as unfinished:
            unfinished.write_text(f"{json.dumps(study, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
        report = write_report(
            directory.path,
            title=f"{config.task_name}: {directory.path.name}",
            next_commands=next_commands(directory.path, config, task, finished=True),
            summary=metrics,
        )
        print(f"report: {report}")
    except OSError as error:
        print(f"tfgan_app: could not write the study into the run: {error}", file=sys.stderr)
    return study
