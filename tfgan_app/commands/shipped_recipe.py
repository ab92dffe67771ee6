"""Training configuration of a shipped model."""

from __future__ import annotations

from tfgan_app.config import RunConfig, resolve_config
from tfgan_app.inference.shipped import ShippedModel
from tfgan_app.tasks import load_task


def read_recipe(model: ShippedModel) -> tuple[RunConfig, type]:
    """Returns the training configuration of a shipped model, on the bundled sample, and the class of its task."""
    task_class = load_task(model.task)
    preset = task_class.presets[model.preset]
    return resolve_config(model.task, task_class.config_class, preset=preset, config_file=model.recipe), task_class
