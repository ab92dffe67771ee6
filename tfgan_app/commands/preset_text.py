"""Description of a preset: its paper, and its departures from the paper."""

from __future__ import annotations

from tfgan_app.config import default_config, diff, replace_values
from tfgan_app.tasks.preset import Preset

_NOT_COMPARED = ("_every_steps", "max_val_images", "best_metric", "keep_checkpoints")
"""Suffixes of settings that do not affect the weights."""


def preset_lines(task_name: str, config_class: type, *, name: str, preset: Preset) -> list[str]:
    """Describes a preset.

    Args:
        task_name: Name of the task.
        config_class: Settings class of the task.
        name: Name of the preset.
        preset: The preset.

    Returns:
        A line about the preset, and one for each departure from its paper.
    """
    paper = f" ({preset.paper.authors}, {preset.paper.url})" if preset.paper else ""
    lines = [f"preset {name}: {preset.summary}{paper}"]
    return lines + [f"  not as in the paper: {text}" for text in departures(task_name, config_class, preset)]


def departures(task_name: str, config_class: type, preset: Preset) -> list[str]:
    """Returns the departures of a preset from its paper: settings that differ, then others."""
    if preset.exact is None:
        return list(preset.deviations)
    plain = default_config(task_name, config_class)
    changes = diff(replace_values(plain, preset), replace_values(plain, preset.exact))
    settings = [
        f"{key}={_text(ours)} (paper: {_text(theirs)})"
        for key, (ours, theirs) in changes.items()
        if not key.endswith(_NOT_COMPARED)
    ]
    return [*settings, *preset.deviations, *preset.exact.deviations]


def _text(value: object) -> str:
    return "none" if value is None else str(value).lower()
