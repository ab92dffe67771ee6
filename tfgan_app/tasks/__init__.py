"""The tasks that can be trained, by name; each is a class, or a `MethodChoice`, imported when it is asked for."""

from __future__ import annotations

from typing import Any

from tfgan_app.registry import PRESETS, TASKS
from tfgan_app.tasks.preset import Preset

__all__ = ["TASKS", "check_task_name", "load_presets", "load_task"]


def check_task_name(name: str) -> str:
    """Returns the name of a task, without loading it.

    Raises:
        ValueError: If there is no such task.
    """
    if name in TASKS:
        return name
    raise ValueError(f"{name!r} is not a task. Available tasks: {', '.join(TASKS)}.")


def load_task(name: str) -> Any:
    """Imports the class of a task, or what chooses among its classes.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: If there is no such task.
    """
    return TASKS[check_task_name(name)]


def load_presets(name: str) -> dict[str, Preset]:
    """The presets of a task by name, without loading the task.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: If there is no such task.
    """
    return PRESETS[check_task_name(name)]
