"""A `.keras` file: one archive with architecture and weights, for Python with this package installed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from tfgan_app.export.layer_diff import key_of, layer_outputs
from tfgan_app.export.request import Batch, ExportRequest
from tfgan_app.keras_metadata import KerasMetadata, write_metadata


def new_file(output_dir: Path, request: ExportRequest) -> Path:
    """Returns `output_dir/name.keras`; raises ValueError if it exists."""
    path = output_dir / f"{request.name}.keras"
    if path.exists():
        raise ValueError(f"'{path}' exists already: choose another name, or remove it first.")
    return path


def write(model: keras.Model, path: Path, request: ExportRequest) -> None:
    """Writes the model without optimizer state, with its license and the training facts of its card."""
    model.save(path, include_optimizer=False)
    write_metadata(path, KerasMetadata(request.license, request.training))


def load(path: Path) -> Callable:
    """Loads a file that `write` wrote, as a function in inference mode on the inputs of the model."""
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda inputs: model(inputs, training=False)


def outputs_of_layers(model: keras.Model, inputs: Batch, request: ExportRequest) -> dict[str, np.ndarray]:
    """Layer outputs of a model that has been saved and loaded; see `Exporter`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        write(model, path, request)
        loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
    return {key_of(name): tensor.numpy() for name, tensor in layer_outputs(loaded, inputs).items()}
