"""A `.keras` file: one archive with architecture and weights, for Python with this package installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras


def new_file(output_dir: Path, name: str) -> Path:
    """`output_dir/name.keras`, refused where it exists."""
    path = output_dir / f"{name}.keras"
    if path.exists():
        raise ValueError(f"'{path}' exists already: choose another name, or remove it first.")
    return path


def write(model: keras.Model, path: Path) -> None:
    """Writes the model, without optimizer state."""
    model.save(path, include_optimizer=False)


def load(path: Path) -> Callable:
    """Loads a file that `write` wrote, as a function in inference mode on what the model was called with."""
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda inputs: model(inputs, training=False)
