"""The tasks that can be trained, by name; each is a class, or a `MethodChoice`, imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

TASKS = {
    "augment": "tfgan_app.tasks.augment.task:AugmentTask",
    "generate": "tfgan_app.tasks.generate.task:GenerateTask",
    "restore": "tfgan_app.tasks.pictures.restore:RestoreTask",
    "translate": "tfgan_app.tasks.translate:TRANSLATE",
    "upscale": "tfgan_app.tasks.pictures.upscale:UpscaleTask",
}


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
    module, _, class_name = TASKS[check_task_name(name)].partition(":")
    return getattr(importlib.import_module(module), class_name)
