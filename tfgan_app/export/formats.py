"""The export formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfgan_app.export import (
    generative_saved_model,
    keras_file,
    saved_model,
    serving_files,
    style_saved_model,
    tflite,
    web_export,
)
from tfgan_app.export.request import ExportRequest
from tfgan_app.keras_info import model_info


@dataclass(frozen=True)
class Exporter:
    """One export format.

    Attributes:
        destination: (output_dir, request) -> the path that the next export goes to. Raises ValueError where it is
            taken.
        write: (model, path, request) -> None, writes the model.
        load: path -> function, loads what was written as a function on the inputs of the model. Where it has an
            attribute `fixed_px`, it takes images of that height and width alone as they are.
        outputs_of_layers: (model, inputs, request) -> for inputs as the model is called with, what its layers give in
            this format, by `blame.key_of` their names.
        finish: path -> None, called when the export is in its place, for what lies beside it.
        quantizations: The values of `quantize` that the format offers.
    """

    destination: Callable[[Path, ExportRequest], Path]
    write: Callable[[keras.Model, Path, ExportRequest], None]
    load: Callable[[Path], Callable]
    outputs_of_layers: Callable[[keras.Model, Any, ExportRequest], Mapping[str, np.ndarray]]
    finish: Callable[[Path], None] = lambda path: None
    quantizations: tuple[str, ...] = ("none",)


_SAVED_MODELS = {"noise": generative_saved_model, "style": style_saved_model}


def _write_saved_model(model: keras.Model, path: Path, request: ExportRequest) -> None:
    _SAVED_MODELS.get(model_info(model).kind, saved_model).write(model, path)
    serving_files.write_warmup(path, request)


SAVED_MODEL = Exporter(
    saved_model.next_version,
    _write_saved_model,
    saved_model.load,
    saved_model.outputs_of_layers,
    finish=serving_files.write_configuration,
)

TFLITE = Exporter(
    tflite.new_file, tflite.write, tflite.load, tflite.outputs_of_layers, quantizations=tflite.QUANTIZATIONS
)

WEB = Exporter(
    web_export.new_folder,
    web_export.write,
    web_export.load,
    tflite.outputs_of_layers,
    quantizations=tflite.QUANTIZATIONS,
)

KERAS = Exporter(keras_file.new_file, keras_file.write, keras_file.load, keras_file.outputs_of_layers)
