"""The tasks that can be trained, by name; each is a module of this package, imported when it is asked for."""

from __future__ import annotations

import importlib

TASKS = {
    "generate": "tfgan_app.tasks.generate:GenerateTask",
    "restore": "tfgan_app.tasks.restore:RestoreTask",
    "translate": "tfgan_app.tasks.translate:TranslateTask",
    "upscale": "tfgan_app.tasks.upscale:UpscaleTask",
}

# Names that the command line keeps for tasks of later versions.
PLANNED_TASKS = ("augment",)


def check_task_name(name: str) -> str:
    """Returns the name of a task, without loading it.

    Raises:
        ValueError: If there is no such task, or none yet.
    """
    if name in TASKS:
        return name
    reason = "is not part of this version yet" if name in PLANNED_TASKS else "is not a task"
    raise ValueError(f"{name!r} {reason}. Available tasks: {', '.join(TASKS)}.")


def load_task(name: str) -> type:
    """Imports the class of a task.

    Args:
        name: Row of `TASKS`.

    Raises:
        ValueError: If there is no such task, or none yet.
    """
    module, _, class_name = TASKS[check_task_name(name)].partition(":")
    return getattr(importlib.import_module(module), class_name)
