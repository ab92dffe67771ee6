"""Shipped models by name."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "exported_models"


def shipped_names() -> str:
    """A sentence for messages, with the names of all shipped models."""
    names = ", ".join(sorted(path.stem for path in _FOLDER.glob("*.keras")))
    return f"Shipped models: {names}." if names else "No models are shipped here."


def shipped_model_path(name: str) -> Path:
    """The `.keras` file of a shipped model.

    Args:
        name: Such as `upscale_x4`.

    Raises:
        ValueError: If there is none of that name; lists those that there are.
    """
    path = _FOLDER / f"{name}.keras"
    if Path(name).name != name or not path.is_file():
        raise ValueError(f"There is no shipped model '{name}'. {shipped_names()}")
    return path


def located(path: str | os.PathLike) -> Path:
    """The path of a model as a user gives it: a shipped model's file for its name, and any other path as it is."""
    path = Path(path)
    return path if path.exists() or path.name != str(path) or path.suffix else shipped_model_path(path.name)
