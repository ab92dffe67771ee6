"""Registry of the tasks; each is a class or a `MethodChoice`, imported on first use."""

from __future__ import annotations

from typing import Any

from tfgan_app.registry import PRESETS, TASKS
from tfgan_app.tasks.preset import Preset

__all__ = ["TASKS", "check_task_name", "load_presets", "load_task"]


def check_task_name(name: str) -> str:
    """Checks and returns the name of a task, without loading it.

    Raises:
        ValueError: For an unknown task.
    """
    if name in TASKS:
        return name
    raise ValueError(f"{name!r} is not a task. Available tasks: {', '.join(TASKS)}.")


def load_task(name: str) -> Any:
    """Imports the class of a task, or its `MethodChoice`.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: For an unknown task.
    """
    return TASKS[check_task_name(name)]


def load_presets(name: str) -> dict[str, Preset]:
    """The presets of a task by name, without loading the task.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: For an unknown task.
    """
    return PRESETS[check_task_name(name)]
