"""What a user may do next with a run."""

from __future__ import annotations

from pathlib import Path

from tfgan_app.config import RunConfig
from tfgan_app.training.task import Task


def next_commands(run: Path, config: RunConfig, task: Task, *, finished: bool) -> list[str]:
    """Commands for a terminal; a trailing `  # what it does` explains one.

    Args:
        run: the run directory.
        config: of the run.
        task: of the run.
        finished: whether it has trained all its steps.
    """
    commands = [
        f"tfgan_app evaluate --run {run}",
        f"tfgan_app predict --model {run} {task.predict_arguments}",
        f"tfgan_app export --run {run} --format saved_model --name {run.name}",
    ]
    if config.task_name == "augment":
        commands.insert(1, f"tfgan_app augment --run {run} --output OUTPUT --per-class 200")
    resume = f"tfgan_app train --task {config.task_name} --run-dir {run} --resume"
    more = f"{resume} --steps {2 * config.training.steps}"
    return [*commands, f"{more}  # train on"] if finished else [resume, *commands]
