"""Tasks of several methods: one set of settings, a class for each method, and which of them a run is of."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgan_app.config import RunConfig

if TYPE_CHECKING:  # The presets of a task are listed without TensorFlow.
    from tfgan_app.training.task import Task

METHOD = "task.method"
STAGE = "task.stage"


@dataclass(frozen=True)
class MethodChoice:
    """A task whose setting `method` says which class trains it; called as a class of tasks is, it makes that one.

    Attributes:
        config_class: settings of all its methods.
        presets: as of a `Task`; `default`, and one by the name of each other method, which sets `task.method`.
        methods: name -> `module:Class`, imported when it is asked for.
        detect: `(data source or None) -> method`, of a run that does not name one.
    """

    config_class: type
    presets: dict[str, dict[str, Any]]
    methods: dict[str, str]
    detect: Callable[[str | None], str]

    def __call__(self, config: RunConfig, **options: Any) -> Task:
        module, _, class_name = self.methods[config.task.method].partition(":")
        return getattr(importlib.import_module(module), class_name)(config, **options)


def check_preset(task: type | MethodChoice, preset: str, given: Mapping[str, Any]) -> None:
    """Refuses a preset of another method than the one that the user has set.

    Args:
        task: row of the tasks table, loaded.
        preset: one of its presets.
        given: what the user has set, by dotted key; texts or values.

    Raises:
        ValueError: naming the presets of the method.
    """
    wanted = given.get(METHOD)
    if not isinstance(task, MethodChoice) or wanted not in task.methods:
        return  # A method that there is not is refused with the other values.
    usual = task.config_class().method
    methods = {name: values.get(METHOD, usual) for name, values in task.presets.items()}
    if methods[preset] != wanted:
        own = ", ".join(name for name, method in methods.items() if method == wanted)
        raise ValueError(f"`--preset` must be one of those of `{METHOD}={wanted}`: {own}. Received: {preset!r}.")


def preset_for(task: type | MethodChoice, given: Mapping[str, Any]) -> str:
    """The preset of a run that names none: a method or a stage that is set brings the one of its name.

    Args:
        task: row of the tasks table, loaded.
        given: what the user has set, by dotted key; texts or values.
    """
    chosen = given.get(STAGE)
    if isinstance(task, MethodChoice):
        chosen = given.get(METHOD) or task.detect(given.get("data.source"))
    return chosen if isinstance(chosen, str) and chosen in task.presets else "default"
