"""The trained models that come with the package, by name; standard library only."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

INDEX_FILE = "shipped.json"
CARD_FILE = "MODEL_CARD.md"

_FOLDERS = (Path(__file__).parent / "shipped_models", Path(__file__).parents[1] / "exported_models")
"""An installed package holds the models inside, a checkout beside itself. Neither depends on the current directory."""

_MARKS_OF_A_MODEL = ("checkpoints", "saved_model.pb", "*/saved_model.pb", "model.tflite")
"""Of these a folder has one that is a run, a SavedModel, its versions, or a web page with a model."""


@dataclass(frozen=True)
class ShippedModel:
    """A row of the index.

    Attributes:
        name: What `--model` and `task.init_from` take.
        what_for: What it does, in a few words.
        task: The task that it was trained by.
        preset: The preset of the task that its recipe starts from.
        scale: Output pixels per input pixel along height and width.
        weights: Number of its weights.
        license: Of its weights, an SPDX identifier.
        files: Its files, the `.keras` file first; what a wheel holds of it beside card and recipe.
        folder: Where they lie.
        figures: Measured quality by data set and metric, and under `protocol` how it was measured.
        started_from: Name of the shipped model that its training began with; `predict --set fidelity=` goes back to it.
    """

    name: str
    what_for: str
    task: str
    preset: str
    scale: int
    weights: int
    license: str
    files: tuple[str, ...]
    folder: Path
    figures: Mapping[str, float | str] = field(default_factory=dict)
    started_from: str | None = None

    @property
    def path(self) -> Path:
        """Its `.keras` file."""
        return self.folder / self.files[0]

    @property
    def card(self) -> Path:
        """Its model card, Markdown."""
        return self.folder / self.name / CARD_FILE

    @property
    def recipe(self) -> Path:
        """The configuration that its training ended with, to be read over its task's preset."""
        return self.folder / "recipes" / f"{self.name}.json"

    @property
    def saved_model(self) -> Path | None:
        """The folder of its SavedModel's versions, which a checkout has and a wheel has not."""
        versions = self.folder / self.name
        return versions if any(versions.glob("*/saved_model.pb")) else None


@functools.cache
def shipped_models() -> Mapping[str, ShippedModel]:
    """The models that came with this installation: name -> row; empty where their folder was left out."""
    folder = next((folder for folder in _FOLDERS if (folder / INDEX_FILE).is_file()), None)
    if folder is None:
        return MappingProxyType({})
    rows = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    models = {
        name: ShippedModel(name, folder=folder, **{**row, "files": tuple(row["files"])}) for name, row in rows.items()
    }
    return MappingProxyType(models)


def shipped_model_path(name: str) -> Path:
    """The file of a shipped model.

    Args:
        name: Its name, such as `upscale_x4`, for the `.keras` file; or the name of one of its files, such as
            `upscale_x4_int8.tflite`.

    Raises:
        ValueError: If there is none of that name; lists those that there are.
    """
    for model in shipped_models().values():
        if name == model.name:
            return model.path
        if name in model.files:
            return model.folder / name
    raise ValueError(f"There is no shipped model '{name}'. {shipped_names()}")


def is_shipped(path: str | os.PathLike) -> bool:
    """Whether a path stands for a shipped model: it has the name of one, and no other model lies there."""
    name = os.fspath(path)
    known = any(name == model.name or name in model.files for model in shipped_models().values())
    return known and not _holds_a_model(Path(name))


def located(path: str | os.PathLike) -> Path:
    """The path of a model as a user gives it: a shipped model's file for its name, and any other path as it is."""
    return shipped_model_path(os.fspath(path)) if is_shipped(path) else Path(path)


def shipped_names() -> str:
    """A sentence for messages, with the names of all shipped models."""
    names = ", ".join(shipped_models())
    return f"Shipped models: {names} (`tfgan_app models` describes them)." if names else "No models are shipped here."


def _holds_a_model(path: Path) -> bool:
    """A folder of results, say, may be named as a model is."""
    return path.is_file() or any(any(path.glob(mark)) for mark in _MARKS_OF_A_MODEL)
