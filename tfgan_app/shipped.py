"""Shipped models (trained models that come with the package) by name; standard library only."""

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
"""Folders of the shipped models: inside an installed package, or beside the package in a checkout."""

_MARKS_OF_A_MODEL = ("checkpoints", "saved_model.pb", "*/saved_model.pb", "model.tflite")
"""Contents that mark a folder as a model: a run, a SavedModel, its versions, or a web page with a model."""


@dataclass(frozen=True)
class ShippedModel:
    """A shipped model: one row of the index.

    Attributes:
        name: Name for `--model` and `task.init_from`.
        what_for: Its purpose in a few words.
        task: The task that trained it.
        preset: The task's preset that its recipe starts from.
        scale: Output pixels per input pixel along height and width.
        weights: Number of weights.
        license: License of the weights, an SPDX identifier.
        files: Its files in a wheel beside card and recipe, the `.keras` file first.
        folder: Folder of the files.
        figures: Measured quality by data set and metric, and under `protocol` how it was measured.
        started_from: Name of the shipped model that its training started from; `predict --set fidelity=` blends back
            to it.
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
        """The `.keras` file."""
        return self.folder / self.files[0]

    @property
    def card(self) -> Path:
        """The model card, a Markdown file."""
        return self.folder / self.name / CARD_FILE

    @property
    def recipe(self) -> Path:
        """The configuration at the end of its training, to be read over its task's preset."""
        return self.folder / "recipes" / f"{self.name}.json"

    @property
    def saved_model(self) -> Path | None:
        """The folder of its SavedModel's versions, which only a checkout contains; else None."""
        versions = self.folder / self.name
        return versions if any(versions.glob("*/saved_model.pb")) else None


@functools.cache
def shipped_models() -> Mapping[str, ShippedModel]:
    """Returns the models of this installation, name -> row; empty if it comes without their folder."""
    folder = next((folder for folder in _FOLDERS if (folder / INDEX_FILE).is_file()), None)
    if folder is None:
        return MappingProxyType({})
    rows = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    models = {
        name: ShippedModel(name, folder=folder, **{**row, "files": tuple(row["files"])}) for name, row in rows.items()
    }
    return MappingProxyType(models)


def shipped_model_path(name: str) -> Path:
    """Returns a file of a shipped model.

    Args:
        name: Name of the model, such as `upscale_x4`, for the `.keras` file; or the name of one of its files, such as
            `upscale_x4_int8.tflite`.

    Raises:
        ValueError: If no model or file has that name; lists the valid names.
    """
    for model in shipped_models().values():
        if name == model.name:
            return model.path
        if name in model.files:
            return model.folder / name
    raise ValueError(f"There is no shipped model '{name}'. {shipped_names()}")


def is_shipped(path: str | os.PathLike) -> bool:
    """Returns whether a path means a shipped model: it has the name of one, and no other model is at that path."""
    name = os.fspath(path)
    known = any(name == model.name or name in model.files for model in shipped_models().values())
    return known and not _holds_a_model(Path(name))


def located(path: str | os.PathLike) -> Path:
    """Returns the path of a model given by a user: the file for a shipped model's name, any other path unchanged."""
    return shipped_model_path(os.fspath(path)) if is_shipped(path) else Path(path)


def shipped_names() -> str:
    """Returns a sentence for messages with the names of all shipped models."""
    names = ", ".join(shipped_models())
    return f"Shipped models: {names} (`tfgan_app models` describes them)." if names else "No models are shipped here."


def _holds_a_model(path: Path) -> bool:
    """Returns whether a model is at a path; another folder, such as one of results, may have a model's name."""
    return path.is_file() or any(any(path.glob(mark)) for mark in _MARKS_OF_A_MODEL)
