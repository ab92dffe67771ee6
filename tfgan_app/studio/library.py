"""Models that the page offers: shipped ones, and those in the allowed folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfgan_app.inference.places import find_saved_model, is_run
from tfgan_app.keras_metadata import read_metadata
from tfgan_app.shipped import shipped_models
from tfgan_app.studio.places import Places

ENHANCING = frozenset({"upscale", "restore"})
GENERATING = frozenset({"generate", "augment"})
TRANSLATING = frozenset({"translate", "restore"})

_CONFIG = "config.json"


@dataclass(frozen=True)
class FoundModel:
    """A model that can be chosen.

    Attributes:
        value: Name or path for a command.
        label: Text of the choice.
        task: Task that trained it; None if unknown.
    """

    value: str
    label: str
    task: str | None


def find_models(places: Places) -> list[FoundModel]:
    """Returns all models: shipped ones, then runs, `.keras` files and exports in the allowed folders."""
    shipped = [FoundModel(row.name, f"{row.name} ({row.what_for})", row.task) for row in shipped_models().values()]
    own_folders = {row.folder for row in shipped_models().values()}
    found = [model for folder, names, files in places.walk() for model in _in_folder(places, folder, names, files)]
    return shipped + [model for model in found if Path(model.value).resolve().parent not in own_folders]


def choices(places: Places, tasks: frozenset[str]) -> list[tuple[str, str]]:
    """Returns (label, value) of the models for some tasks, and of those whose task is unknown."""
    return [(model.label, model.value) for model in find_models(places) if model.task in (None, *tasks)]


def runs(places: Places) -> list[str]:
    """Returns the run directories in the allowed folders, the newest first."""
    found = [folder for folder, _, files in places.walk() if _CONFIG in files and "run.json" in files]
    return [places.shown(folder) for folder in sorted(found, key=lambda path: -path.stat().st_mtime)]


def _in_folder(places: Places, folder: Path, names: list[str], files: list[str]) -> Iterator[FoundModel]:
    if is_run(folder) and _CONFIG in files:
        task = _config(folder).get("task_name")
        yield FoundModel(places.shown(folder), f"{places.shown(folder)} (run, {task})", task)
        names.clear()
    for name in files:
        if name.endswith(".keras"):
            path = folder / name
            task = read_metadata(path).facts.get("Task")
            yield FoundModel(places.shown(path), places.shown(path), task)
    for name in names:
        if find_saved_model(folder / name) and not name.isdecimal():
            path = folder / name
            yield FoundModel(places.shown(path), f"{places.shown(path)} (export)", None)


def _config(folder: Path) -> dict[str, Any]:
    try:
        values = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
