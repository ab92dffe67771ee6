"""Suggested next commands for a run."""

from __future__ import annotations

import os
from pathlib import Path

from tfgan_app.commands.phases import rates_text, share_of_peak
from tfgan_app.config import RunConfig
from tfgan_app.files import printable, quoted
from tfgan_app.tasks.base import Task

WORTH_A_PHASE = 0.5
"""Share of the peak learning rate below which more steps change little, so that a new phase is suggested."""


def _export_name(run: Path) -> str:
    """Returns the run's name as a valid model name for TensorFlow, without a leading dot that would hide it."""
    return printable(os.path.basename(os.path.abspath(run))).replace("\\", "_").lstrip(".-") or "model"


def next_commands(run: Path, config: RunConfig, task: Task, *, finished: bool) -> list[str]:
    """Returns shell commands; a trailing `  # comment` explains one.

    Args:
        run: The run directory.
        config: Configuration of the run.
        task: Task of the run.
        finished: Whether it has trained all its steps.
    """
    path, name = quoted(run), quoted(_export_name(run))
    commands = [
        f"tfgan_app evaluate --run {path}",
        f"tfgan_app predict --model {path} {task.predict_arguments}",
        f"tfgan_app export --run {path} --format saved_model --name {name}",
    ]
    if config.task_name == "augment":
        commands.insert(1, f"tfgan_app augment --run {path} --output OUTPUT --per-class 200")
    resume = f"tfgan_app train --run-dir {path} --resume"
    return [*commands, *_train_on(resume, config)] if finished else [resume, *commands]


def _train_on(resume: str, config: RunConfig) -> list[str]:
    """Returns commands that train a finished run on: at its final rate, or in a new phase if that rate is low."""
    steps = config.training.steps
    more = f"{resume} --steps {2 * steps}"
    commands = [f"{more}  # train on, {rates_text(config, steps)}"]
    if share_of_peak(config, steps) < WORTH_A_PHASE:
        phase = f"{more} --set optimizer.schedule_start={steps}"
        commands.append(f"{phase}  # train on in a new phase: from the peak rates down again")
    return commands
