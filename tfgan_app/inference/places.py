"""Kind of the model at a path, by the names of its files."""

from __future__ import annotations

from pathlib import Path


def is_run(path: Path) -> bool:
    """Returns whether a path is a run directory that has trained."""
    return (path / "checkpoints").is_dir()


def find_saved_model(path: Path) -> Path | None:
    """The folder itself if it is a SavedModel, otherwise its highest version, otherwise None."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [entry.parent for entry in path.glob("*/saved_model.pb") if entry.parent.name.isdecimal()]
    return max(versions, key=lambda folder: int(folder.name), default=None)
