"""Configuration of a run: frozen dataclasses, typed dotted overrides and a JSON round trip.

A `RunConfig` has four sections: `data`, `training`, `optimizer` and `task`. The first three are in
`tfgan_app.config.sections`; the fourth is a frozen dataclass from the task's own module. Every value has a dotted key
(`training.steps`, `task.direction`). Every way of setting a value runs the same check of type and bounds, so that a
wrong value is found before anything is built.

Only the command line, the commands and the tasks use this module; all layers below take plain keyword arguments. It
uses only the standard library, so the command line answers without TensorFlow.
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

# Named flags of the command line, and the dotted key that each one sets.
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
    """Complete configuration of a run; checked when it is created.

    Attributes:
        task_name: Row of the tasks table.
        data: Data source and image sizes.
        training: Length, batch size, precision and intervals.
        optimizer: Optimizers of the generator and the discriminator.
        task: The task's own frozen dataclass.

    Raises:
        ValueError: If a value has the wrong type, is not one of the choices, or is out of range.
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
            # The dataclass is frozen, but values from JSON need conversion: lists to tuples, integers to floats.
            object.__setattr__(self, name, dataclasses.replace(section, **checked))


def default_config(task_name: str, task_config: type) -> RunConfig:
    """Returns the default configuration of a task.

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
    """Builds the configuration of a run; later arguments override earlier ones.

    Args:
        task_name: Row of the tasks table.
        task_config: The task's frozen dataclass.
        preset: Dotted keys and values of a preset of the task.
        config_file: JSON file: the `config.json` of a run, or any part of one.
        flags: Parsed command line. Names in `FLAG_FIELDS` that are not None are used; others are ignored.
        overrides: `KEY=VALUE` texts.

    Returns:
        The checked configuration. Paths are absolute, so that a run can be resumed from any folder.

    Raises:
        ValueError: If a key is unknown or a value is invalid.
        OSError: If the file cannot be read.
    """
    given = {FLAG_FIELDS[name]: value for name, value in (flags or {}).items() if name in FLAG_FIELDS}
    layers = [
        preset or {},
        {} if config_file is None else read_values(config_file, task_name),
        {key: value for key, value in given.items() if value is not None},
    ]
    config, overrides = default_config(task_name, task_config), list(overrides)
    # The method in the last layer is valid for all layers: values of another method do not belong to this run.
    method = [{METHOD: layer[METHOD]} for layer in layers if METHOD in layer][-1:]
    config = apply_overrides(replace_values(config, *method) if method else config, _of_method(overrides))
    for layer in layers:
        config = replace_values(config, {key: value for key, value in layer.items() if key != METHOD})
    config = apply_overrides(config, overrides)
    return replace_values(config, _absolute_paths(config))


def apply_overrides(config: RunConfig, overrides: Iterable[str]) -> RunConfig:
    """Returns the configuration with `KEY=VALUE` texts applied in order, each parsed by the type of its field.

    `none` means None, `true` and `false` are booleans, and tuple items are separated by commas.

    Args:
        config: Configuration to start from; it is not modified.
        overrides: For example `["task.direction=b2a", "training.steps=500"]`.

    Raises:
        ValueError: If a text is not an assignment, its key is unknown, or its value is invalid.
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
    """Returns the overrides that set the method; the last one decides which other keys are valid."""
    return [text for text in overrides if text.partition("=")[0].strip() == METHOD]


def replace_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Returns the configuration with the values of some dotted keys replaced.

    Args:
        config: Configuration to start from; it is not modified.
        values: Dotted keys and Python (or JSON) values.

    Raises:
        ValueError: If a key is unknown or a value is invalid.
    """
    changes: dict[str, dict[str, Any]] = {}
    config = dataclasses.replace(config, task=with_method(config.task, values.get(METHOD)))
    for key, value in values.items():
        _spec(config, key)  # Raises for an unknown key.
        section, name = key.split(".")
        if section != "task" or is_own(config.task, name, value):
            changes.setdefault(section, {})[name] = value
    return dataclasses.replace(
        config,
        **{name: dataclasses.replace(getattr(config, name), **change) for name, change in changes.items()},
    )


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Returns the configuration as plain dicts, lists, numbers and strings for JSON."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def to_json(config: RunConfig) -> str:
    """Returns the configuration as indented JSON text with a final newline."""
    return json.dumps(to_dict(config), indent=2, ensure_ascii=False) + "\n"


def from_dict(values: Mapping[str, Any], task_config: type) -> RunConfig:
    """Returns the configuration from the output of `to_dict`; a missing key gets its default.

    Args:
        values: Output of `to_dict`.
        task_config: The task's frozen dataclass.

    Raises:
        ValueError: If the task's name is missing, a key is unknown or a value is invalid.
    """
    task_name = values.get("task_name")
    if not isinstance(task_name, str):
        raise ValueError(f"`task_name` must be the name of a task. Received: {task_name!r}.")
    return replace_values(default_config(task_name, task_config), dict(_flatten(values)))


def load_json(path: str | Path) -> dict[str, Any]:
    """Reads a JSON object from a file.

    Raises:
        ValueError: If the file does not contain a JSON object.
        OSError: If the file cannot be read.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be a JSON file. Received: {error}.") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} must contain a JSON object. Received: {type(values).__name__}.")
    return values


def diff(a: RunConfig, b: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Returns the shared dotted keys whose values differ, each with the value in `a` and in `b`."""
    left, right = ({"task_name": config.task_name, **dict(_flatten(to_dict(config)))} for config in (a, b))
    return {key: (value, right[key]) for key, value in left.items() if key in right and value != right[key]}


def read_values(path: str | Path, task_name: str) -> dict[str, Any]:
    """Reads the dotted values of a configuration file.

    Args:
        path: JSON file: the `config.json` of a run, or any part of one.
        task_name: The expected task; a file that names a task must name this one.

    Raises:
        ValueError: If the file does not contain a JSON object, or is for another task.
        OSError: If the file cannot be read.
    """
    values = load_json(path)
    if values.get("task_name", task_name) != task_name:
        raise ValueError(f"{path} must be for task {task_name!r}. Received: task_name={values['task_name']!r}.")
    return dict(_flatten(values))


def _flatten(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yields dotted keys and values of a nested dict without the task's name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        elif name != "task_name":
            yield name, value


def resume_rule(config: RunConfig, key: str) -> OnResume:
    """Returns the rule for changing a dotted key in a resumed run; the task itself is fixed."""
    specs = _specs(config)
    return specs[key].on_resume if key in specs else "fixed"


def _absolute_paths(config: RunConfig) -> dict[str, str | None]:
    """Returns the values of path settings, valid in any working directory."""
    return {
        key: absolute_model(value) if spec.is_model else absolute_source(value)
        for key, (spec, value) in _path_values(config).items()
    }


def _path_values(config: RunConfig) -> dict[str, tuple[FieldSpec, str | None]]:
    """Returns the path settings by dotted key, each with its value."""
    specs = {key: spec for key, spec in _specs(config).items() if spec.is_path}
    return {
        key: (spec, getattr(getattr(config, key.partition(".")[0]), key.partition(".")[2]))
        for key, spec in specs.items()
    }


def local_paths(config: RunConfig) -> dict[str, str]:
    """Returns the settings that are paths on this machine: dotted key -> path."""
    values = {key: value for key, (_, value) in _path_values(config).items()}
    return {key: value for key, value in values.items() if value and Path(value).is_absolute()}


def absolute_source(source: str | None) -> str | None:
    """Returns a data source that is valid in any working directory: a path becomes absolute, a name is unchanged."""
    if source is None or source.startswith(("keras:", "tfds:")) or is_shipped(source):
        return source
    # Not `Path.expanduser`, which raises if the home directory does not exist.
    return str(Path(os.path.expanduser(source)).absolute())


def absolute_model(source: str | None) -> str | None:
    """Returns a model that is valid in any working directory: a path becomes absolute, a name is unchanged."""
    is_name = source is not None and Path(source).name == source and not Path(source).suffix
    return source if is_name and not Path(source).exists() else absolute_source(source)


def _specs(config: RunConfig) -> dict[str, FieldSpec]:
    """Returns the field specifications of a configuration by dotted key."""
    specs: dict[str, FieldSpec] = {}
    for section in SECTIONS:
        specs.update(field_specs(section, type(getattr(config, section))))
    return specs


def _spec(config: RunConfig, key: str) -> FieldSpec:
    """Returns the field specification of a dotted key, including keys of other methods.

    Raises:
        ValueError: If there is no such key; names the nearest key and the valid ones.
    """
    specs: dict[str, FieldSpec] = {}
    for kind in other_sections(config.task):
        specs.update(field_specs("task", kind))
    return find_spec(specs | _specs(config), key)
