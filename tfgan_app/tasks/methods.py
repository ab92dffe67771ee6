"""Tasks with several methods: a table of classes, and the choice of a run's method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgan_app.config import RunConfig
from tfgan_app.config.methods import METHOD, MethodSection
from tfgan_app.tasks.preset import Preset

if TYPE_CHECKING:  # Presets are listed without TensorFlow.
    from tfgan_app.tasks.base import Task

STAGE = "task.stage"


@dataclass(frozen=True)
class MethodChoice:
    """A task with a class for each value of its setting `method`; calling it makes the task of a configuration.

    Attributes:
        config_class: Base class of the settings; its `sections` are those of the methods.
        presets: Presets as in `Task`: `default`, and one by the name of each other method, which sets `task.method`.
        methods: Method -> class, or a function that refuses the training; a lazy table.
        detect: `(data source or None) -> method`, for a run that names none.
    """

    config_class: type[MethodSection]
    presets: Mapping[str, Preset]
    methods: Mapping[str, Callable[..., Task]]
    detect: Callable[[str | None], str]

    def __post_init__(self) -> None:
        if set(self.methods) != set(self.config_class.sections):
            raise ValueError(
                f"Expected a class and a configuration for each method. Received: {', '.join(self.methods)} and "
                f"{', '.join(self.config_class.sections)}."
            )

    def __call__(self, config: RunConfig, **options: Any) -> Task:
        """Makes the task of a configuration.

        Raises:
            ValueError: If the method needs no training, or its task refuses the configuration.
        """
        return self.methods[config.task.method](config, **options)

    def presets_of(self, method: str) -> list[str]:
        """Returns the names of a method's presets."""
        first = next(iter(self.config_class.sections))
        return [name for name, values in self.presets.items() if values.get(METHOD, first) == method]


def check_preset(task: type[Task] | MethodChoice, preset: str, given: Mapping[str, Any]) -> None:
    """Checks that a preset belongs to the method that the user has set.

    Args:
        task: Row of the tasks table, loaded.
        preset: One of its presets.
        given: Values set by the user, by dotted key; texts or values.

    Raises:
        ValueError: If the method has other presets; lists them.
    """
    wanted = given.get(METHOD)
    if not isinstance(task, MethodChoice) or wanted not in task.methods:
        return  # An unknown method is refused with the other values.
    if preset not in (own := task.presets_of(wanted)):
        names = ", ".join(own)
        raise ValueError(f"`--preset` must be one of those of `{METHOD}={wanted}`: {names}. Received: {preset!r}.")


def preset_for(task: type[Task] | MethodChoice, given: Mapping[str, Any]) -> str:
    """Returns the preset of a run that names none: the one named like its method or stage, or `default`.

    Args:
        task: Row of the tasks table, loaded.
        given: Values set by the user, by dotted key; texts or values.
    """
    chosen = given.get(STAGE)
    if isinstance(task, MethodChoice):
        chosen = given.get(METHOD) or task.detect(given.get("data.source"))
    return chosen if isinstance(chosen, str) and chosen in task.presets else "default"
