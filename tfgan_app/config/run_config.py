"""The configuration of a run: frozen dataclasses, typed dotted overrides and a JSON round trip.

A run is described by one `RunConfig` of four sections: `data`, `training`, `optimizer` and `task`. The first three are
those of `tfgan_app.config.sections`; the fourth is a frozen dataclass that the task's own module provides. Every value
has a dotted key (`training.steps`, `task.direction`), and every way of setting one ends in the same check against the
field's annotation and bounds, so that a wrong value is found before anything is built.

Only the command line, the commands and the tasks read this module; everything below them takes plain keyword
arguments. It uses nothing but the standard library, so that the command line answers without TensorFlow.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tfgan_app.config.methods import METHOD, first_section, is_own, other_sections, with_method
from tfgan_app.config.sections import DataConfig, OptimizerConfig, TrainingConfig
from tfgan_app.config.typed_fields import FieldSpec, OnResume, field_specs, find_spec
from tfgan_app.shipped import is_shipped

# Named flags of the command line, and the value that each one sets.
FLAG_FIELDS = {
    "data": "data.source",
    "image_size": "data.image_size",
    "steps": "training.steps",
    "batch_size": "training.batch_size",
    "precision": "training.precision",
    "seed": "training.seed",
    "strategy": "training.strategy",
}

SECTIONS = ("data", "training", "optimizer", "task")


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that decides what a run does; checked when made.

    Attributes:
        task_name: Row of the tasks table.
        data: Where images come from.
        training: Length, batch, precision and intervals.
        optimizer: Optimizers of both players.
        task: The task's own frozen dataclass.

    Raises:
        ValueError: If a value is not of its field's type, not one of its choices or out of its range.
    """

    task_name: str
    data: DataConfig
    training: TrainingConfig
    optimizer: OptimizerConfig
    task: Any

    def __post_init__(self) -> None:
        for name in SECTIONS:
            section = getattr(self, name)
            checked = {
                key.partition(".")[2]: spec.check(getattr(section, key.partition(".")[2]))
                for key, spec in field_specs(name, type(section)).items()
            }
            # Frozen, but values arrive from JSON as well: lists become tuples and integers floats.
            object.__setattr__(self, name, dataclasses.replace(section, **checked))


def default_config(task_name: str, task_config: type) -> RunConfig:
    """Returns the configuration of a task before anyone has set anything.

    Args:
        task_name: Row of the tasks table.
        task_config: The task's frozen dataclass; every field has a default.
    """
    section = first_section(task_config)()
    return RunConfig(task_name, DataConfig(), TrainingConfig(), optimizer=OptimizerConfig(), task=section)


def resolve_config(
    task_name: str,
    task_config: type,
    *,
    preset: Mapping[str, Any] | None = None,
    config_file: str | Path | None = None,
    flags: Mapping[str, Any] | None = None,
    overrides: Iterable[str] = (),
) -> RunConfig:
    """Builds the configuration of a run; what comes later in the argument list wins.

    Args:
        task_name: Row of the tasks table.
        task_config: The task's frozen dataclass.
        preset: Dotted keys and values that the task keeps under a name.
        config_file: JSON file: the `config.json` of a run, or any part of one.
        flags: Parsed command line. Names in `FLAG_FIELDS` that are not None are used, others are ignored.
        overrides: `KEY=VALUE` texts.

    Returns:
        The checked configuration. Paths are absolute, so that a run can be taken up from anywhere.

    Raises:
        ValueError: If a key is unknown or a value does not fit it.
        OSError: If the file cannot be read.
    """
    given = {FLAG_FIELDS[name]: value for name, value in (flags or {}).items() if name in FLAG_FIELDS}
    layers = [
        preset or {},
        {} if config_file is None else read_values(config_file, task_name),
        {key: value for key, value in given.items() if value is not None},
    ]
    config, overrides = default_config(task_name, task_config), list(overrides)
    # The method of the last layer holds for all of them: values of another method are none of this run's.
    method = [{METHOD: layer[METHOD]} for layer in layers if METHOD in layer][-1:]
    config = apply_overrides(replace_values(config, *method) if method else config, _of_method(overrides))
    for layer in layers:
        config = replace_values(config, {key: value for key, value in layer.items() if key != METHOD})
    config = apply_overrides(config, overrides)
    return replace_values(config, _absolute_paths(config))


def apply_overrides(config: RunConfig, overrides: Iterable[str]) -> RunConfig:
    """Returns the configuration with `KEY=VALUE` texts applied in order, each read by the type of its field.

    `none` stands for None, `true`/`false` for booleans, and tuples are separated by commas.

    Args:
        config: Configuration to start from; it is left as it is.
        overrides: For example `["task.direction=b2a", "training.steps=500"]`.

    Raises:
        ValueError: If a text is no assignment, its key is unknown, or its value does not fit the field.
    """
    overrides = list(overrides)
    of_method = _of_method(overrides)
    for assignment in [*of_method[-1:], *(text for text in overrides if text not in of_method)]:
        key, separator, text = assignment.partition("=")
        key = key.strip()
        if not separator:
            raise ValueError(f"`--set` expects KEY=VALUE, as in training.steps=500. Received: {assignment!r}.")
        config = replace_values(config, {key: _spec(config, key).parse(text.strip())})
    return config


def _of_method(overrides: Iterable[str]) -> list[str]:
    """Returns the overrides that set the method; the last one decides on the other keys."""
    return [text for text in overrides if text.partition("=")[0].strip() == METHOD]


def replace_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Returns the configuration with the values of some dotted keys replaced.

    Args:
        config: Configuration to start from; it is left as it is.
        values: Dotted keys and Python (or JSON) values.

    Raises:
        ValueError: If a key is unknown or a value does not fit its field.
    """
    changes: dict[str, dict[str, Any]] = {}
    config = dataclasses.replace(config, task=with_method(config.task, values.get(METHOD)))
    for key, value in values.items():
        _spec(config, key)  # an unknown key ends here
        section, name = key.split(".")
        if section != "task" or is_own(config.task, name, value):
            changes.setdefault(section, {})[name] = value
    return dataclasses.replace(
        config,
        **{name: dataclasses.replace(getattr(config, name), **change) for name, change in changes.items()},
    )


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Returns the configuration as plain dicts, lists, numbers and texts, ready for JSON."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def to_json(config: RunConfig) -> str:
    """Returns the configuration as indented JSON text that ends in a newline."""
    return json.dumps(to_dict(config), indent=2, ensure_ascii=False) + "\n"


def from_dict(values: Mapping[str, Any], task_config: type) -> RunConfig:
    """Returns the configuration that `to_dict` was given; a key that is missing keeps its default.

    Args:
        values: What `to_dict` returned.
        task_config: The task's frozen dataclass.

    Raises:
        ValueError: If the task's name is missing, a key is unknown or a value does not fit its field.
    """
    task_name = values.get("task_name")
    if not isinstance(task_name, str):
        raise ValueError(f"`task_name` must be the name of a task. Received: {task_name!r}.")
    return replace_values(default_config(task_name, task_config), dict(_flatten(values)))


def load_json(path: str | Path) -> dict[str, Any]:
    """Reads a JSON object from a file.

    Raises:
        ValueError: If the file does not hold one.
        OSError: If the file cannot be read.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be a JSON file. Received: {error}.") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a JSON object. Received: {type(values).__name__}.")
    return values


def diff(a: RunConfig, b: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Returns the dotted keys that both have and whose values differ, each with the value in `a` and in `b`."""
    left, right = ({"task_name": config.task_name, **dict(_flatten(to_dict(config)))} for config in (a, b))
    return {key: (value, right[key]) for key, value in left.items() if key in right and value != right[key]}


def read_values(path: str | Path, task_name: str) -> dict[str, Any]:
    """Reads the dotted values of a configuration file.

    Args:
        path: JSON file: the `config.json` of a run, or any part of one.
        task_name: the task that it must be for, if it says so.

    Raises:
        ValueError: If the file does not hold a JSON object, or is for another task.
        OSError: If the file cannot be read.
    """
    values = load_json(path)
    if values.get("task_name", task_name) != task_name:
        raise ValueError(f"{path} must be for task {task_name!r}. Received: task_name={values['task_name']!r}.")
    return dict(_flatten(values))


def _flatten(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yields dotted keys and values of a nested dict; the task's name is no value and left out."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        elif name != "task_name":
            yield name, value


def resume_rule(config: RunConfig, key: str) -> OnResume:
    """Returns whether a resumed run may change the value of a dotted key; the task itself it may not."""
    specs = _specs(config)
    return specs[key].on_resume if key in specs else "fixed"


def _absolute_paths(config: RunConfig) -> dict[str, str | None]:
    """The values of those settings that are paths, made to mean the same in every working directory."""
    return {
        key: absolute_model(value) if spec.is_model else absolute_source(value)
        for key, (spec, value) in _path_values(config).items()
    }


def _path_values(config: RunConfig) -> dict[str, tuple[FieldSpec, str | None]]:
    """Returns the settings that are paths, by dotted key, each with its value."""
    specs = {key: spec for key, spec in _specs(config).items() if spec.is_path}
    return {
        key: (spec, getattr(getattr(config, key.partition(".")[0]), key.partition(".")[2]))
        for key, spec in specs.items()
    }


def local_paths(config: RunConfig) -> dict[str, str]:
    """Returns the settings that name a place on this machine: dotted key -> path."""
    values = {key: value for key, (_, value) in _path_values(config).items()}
    return {key: value for key, value in values.items() if value and Path(value).is_absolute()}


def absolute_source(source: str | None) -> str | None:
    """A source that means the same in every working directory: a path becomes absolute, a name stays as it is."""
    if source is None or source.startswith(("keras:", "tfds:")) or is_shipped(source):
        return source
    # Not `Path.expanduser`, which raises where there is no such home.
    return str(Path(os.path.expanduser(source)).absolute())


def absolute_model(source: str | None) -> str | None:
    """A model that means the same in every working directory: a path becomes absolute, a mere name stays one."""
    is_name = source is not None and Path(source).name == source and not Path(source).suffix
    return source if is_name and not Path(source).exists() else absolute_source(source)


def _specs(config: RunConfig) -> dict[str, FieldSpec]:
    """Returns what every value of a configuration must be, by dotted key."""
    specs: dict[str, FieldSpec] = {}
    for section in SECTIONS:
        specs.update(field_specs(section, type(getattr(config, section))))
    return specs


def _spec(config: RunConfig, key: str) -> FieldSpec:
    """Returns what the value of a dotted key must be, that of another method included.

    Raises:
        ValueError: If there is no such key, with the nearest one and the valid ones.
    """
    specs: dict[str, FieldSpec] = {}
    for kind in other_sections(config.task):
        specs.update(field_specs("task", kind))
    return find_spec(specs | _specs(config), key)
