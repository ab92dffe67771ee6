"""What a user may do next with a run."""

from __future__ import annotations

import os
from pathlib import Path

from tfgan_app.config import RunConfig
from tfgan_app.files import printable, quoted
from tfgan_app.training.task import Task


def _export_name(run: Path) -> str:
    """The run's name as that of a model: TensorFlow takes no others, and a dot would hide it."""
    return printable(os.path.basename(os.path.abspath(run))).replace("\\", "_").lstrip(".-") or "model"


def next_commands(run: Path, config: RunConfig, task: Task, *, finished: bool) -> list[str]:
    """Commands for a terminal; a trailing `  # what it does` explains one.

    Args:
        run: the run directory.
        config: of the run.
        task: of the run.
        finished: whether it has trained all its steps.
    """
    path, name = quoted(run), quoted(_export_name(run))
    commands = [
        f"tfgan_app evaluate --run {path}",
        f"tfgan_app predict --model {path} {task.predict_arguments}",
        f"tfgan_app export --run {path} --format saved_model --name {name}",
    ]
    if config.task_name == "augment":
        commands.insert(1, f"tfgan_app augment --run {path} --output OUTPUT --per-class 200")
    resume = f"tfgan_app train --task {config.task_name} --run-dir {path} --resume"
    more = f"{resume} --steps {2 * config.training.steps}"
    return [*commands, f"{more}  # train on"] if finished else [resume, *commands]
