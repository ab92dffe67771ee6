"""Export in any format: write beside the destination, check parity, move into place."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.export import layer_diff, manifest, serving_files
from tfgan_app.export.formats import Exporter
from tfgan_app.export.model_card import CARD_FILE, card_text, write_card_beside
from tfgan_app.export.parity import LIMITS, Parity, ParityError, check_parity, samples_for
from tfgan_app.export.request import ExportRequest
from tfgan_app.files import exclusive
from tfgan_app.keras_info import model_info
from tfgan_app.registry import EXPORTERS, is_own

_COMPARED_PX = 128


@dataclass(frozen=True)
class ExportResult:
    """A finished export.

    Attributes:
        path: The exported version folder, folder or file.
        parity: Difference between the export and the model.
    """

    path: Path
    parity: Parity


def export_model(
    model: keras.Model,
    *,
    format: str,
    output_dir: str | os.PathLike,
    name: str,
    quantize: str = "none",
    **options: Any,
) -> ExportResult:
    """Exports an inference model (in float32, as training saves it).

    The export is written beside its destination and moved there only if its outputs agree with the model's: on
    held-out images and on random sizes, or for a generative model on fixed latents and each class. The measured
    differences are written to `output_dir/manifest.json`.

    Args:
        model: float32 [batch, height, width, 3] in [0, 1] -> the same, any height and width. Or a generative model:
            `latents` float32 [batch, latent_dim] (or a list with `labels` int32 [batch]) -> images in [0, 1].
        format: A key of `EXPORTERS`.
        output_dir: Folder of all exported models.
        name: The model's name, a plain file name.
        quantize: A quantization that the format offers; every format offers `"none"`.
        **options: Other fields of `ExportRequest`.

    Returns:
        An `ExportResult`.

    Raises:
        ValueError: If an option is unknown, the destination exists, or the export differs from the model.
    """
    exporter = find_exporter(format, quantize)
    if not name or name.startswith(".") or name != Path(name).name:
        raise ValueError(f"`name` must be a plain file name that does not start with a dot. Received: '{name}'")
    _check_fits(model, format, quantize)
    request = ExportRequest(name=name, quantize=quantize, classes=model_info(model).classes, **options)
    output_dir = Path(output_dir)
    _check_folder(output_dir)
    suffix = exporter.destination(output_dir, request).suffix  # An existing destination is reported before the work.
    output_dir.mkdir(parents=True, exist_ok=True)
    unfinished = output_dir / f".tmp-{uuid.uuid4().hex}{suffix}"
    try:
        exporter.write(model, unfinished, request)
        parity = _checked(model, exporter, unfinished, request)
        card = card_text(model, format=format, request=request, parity=parity)
        if unfinished.is_dir():
            (unfinished / CARD_FILE).write_text(card, encoding="utf-8")
        with exclusive(output_dir):
            path = exporter.destination(output_dir, request)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.rename(unfinished, path)
            if not path.is_dir():
                write_card_beside(path, card)
            manifest.add(output_dir, path, format=format, request=request, parity=parity)
            exporter.finish(path)
    finally:
        _remove(unfinished)
    return ExportResult(path, parity)


def _check_fits(model: keras.Model, format: str, quantize: str) -> None:
    if model_info(model).window is not None and (format == "web" or quantize == "int8"):
        received = f"--format {format}" + ("" if quantize == "none" else f" --quantize {quantize}")
        raise ValueError(
            "This model's images are numbers of more than 8 bits, which the web page and int8 would lose: export it as "
            f"saved_model, tflite or keras, in floats. Received: {received}."
        )
    if model_info(model).kind == "style" and format in ("tflite", "web"):
        raise ValueError(
            f"The format {format} takes one image, and this model also takes a style: export it as saved_model "
            "or keras."
        )


def _check_folder(output_dir: Path) -> None:
    """Reads the files that an export adds to, so that a damaged one is reported before anything is published."""
    manifest.read(output_dir)
    serving_files.read_models_config(output_dir / serving_files.CONFIG_FILE)


def _checked(model: keras.Model, exporter: Exporter, path: Path, request: ExportRequest) -> Parity:
    exported = exporter.load(path)
    samples = samples_for(model, request, fixed_px=getattr(exported, "fixed_px", None))
    try:
        return check_parity(model, exported, samples, limits=LIMITS[request.quantize])
    except ParityError as error:
        note = _layer_note(model, exporter, request, error.sample.inputs)
        raise ParityError(f"{error} {note}", error.sample) from error


def _layer_note(model: keras.Model, exporter: Exporter, request: ExportRequest, inputs: Any) -> str:
    """One sentence on the layer where the difference begins."""
    first = tf.nest.map_structure(_corner, inputs)
    try:
        received = exporter.outputs_of_layers(model, first, request)
        expected = layer_diff.layer_outputs(model, first)
    except Exception as error:  # The difference must be reported, even if its explanation fails.
        return f"Its layers could not be compared one by one: {type(error).__name__}."
    found = layer_diff.first_difference(expected, received, least_db=layer_diff.LEAST_DB[request.quantize])
    return f"Compared layer by layer, {found}."


def _corner(tensor: tf.Tensor) -> tf.Tensor:
    """The first element of a batch, cropped to the largest size that is compared layer by layer."""
    return tensor[:1, :_COMPARED_PX, :_COMPARED_PX] if tensor.shape.rank == 4 else tensor[:1]


def find_exporter(format: str, quantize: str = "none") -> Exporter:
    """Returns the row of `EXPORTERS` for a format that offers a quantization.

    Raises:
        ValueError: If there is no such format, or it does not offer `quantize`. Lists the valid values.
    """
    if format not in EXPORTERS and not is_own(format):
        raise ValueError(f"`format` must be one of {', '.join(sorted(EXPORTERS))}. Received: {format}")
    exporter = EXPORTERS[format]
    if not isinstance(exporter, Exporter):
        raise ValueError(f"'{format}' must be a tfgan_app.export.Exporter. Received: {type(exporter).__name__}")
    if quantize not in exporter.quantizations:
        known = ", ".join(exporter.quantizations)
        raise ValueError(f"`quantize` for the format {format} must be one of {known}. Received: {quantize}")
    return exporter


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
