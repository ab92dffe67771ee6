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
    web,
)
from tfgan_app.export.request import ExportRequest
from tfgan_app.keras_info import model_info


@dataclass(frozen=True)
class Exporter:
    """One export format.

    Attributes:
        destination: (output_dir, request) -> the path of the next export. Raises ValueError if it exists.
        write: (model, path, request) -> None, writes the model.
        load: path -> function, loads the export as a function on the inputs of the model. An attribute `fixed_px` of
            the function is the only height and width of images that it accepts.
        outputs_of_layers: (model, inputs, request) -> the outputs of its layers in this format, keyed by
            `layer_diff.key_of` their names. `inputs` are those that the model is called with.
        finish: path -> None, called when the export is in place, to update the files beside it.
        quantizations: Values of `quantize` that the format offers.
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
    web.new_folder,
    web.write,
    web.load,
    tflite.outputs_of_layers,
    quantizations=tflite.QUANTIZATIONS,
)

KERAS = Exporter(keras_file.new_file, keras_file.write, keras_file.load, keras_file.outputs_of_layers)
