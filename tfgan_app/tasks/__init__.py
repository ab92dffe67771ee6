"""The tasks that can be trained, by name; each is a class, or a `MethodChoice`, imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

from tfgan_app.tasks.preset import Preset

TASKS = {
    "augment": "tfgan_app.tasks.augment.task:AugmentTask",
    "generate": "tfgan_app.tasks.generate.task:GenerateTask",
    "restore": "tfgan_app.tasks.pictures.restore:RestoreTask",
    "translate": "tfgan_app.tasks.translate:TRANSLATE",
    "upscale": "tfgan_app.tasks.pictures.upscale:UpscaleTask",
}

PRESETS = {
    "augment": "tfgan_app.tasks.augment.config",
    "generate": "tfgan_app.tasks.generate.config",
    "restore": "tfgan_app.tasks.pictures.restore_config",
    "translate": "tfgan_app.tasks.translate.config",
    "upscale": "tfgan_app.tasks.pictures.upscale_config",
}
"""Where the `PRESETS` of each task are; these modules load nothing but the standard library."""


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


def load_presets(name: str) -> dict[str, Preset]:
    """The presets of a task by name, without loading the task.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: If there is no such task.
    """
    return importlib.import_module(PRESETS[check_task_name(name)]).PRESETS
