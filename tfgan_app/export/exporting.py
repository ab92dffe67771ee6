"""The table of export formats and the one way through it: write beside, check parity, move into place."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tfgan_app.export import generative_saved_model, keras_file, saved_model
from tfgan_app.export.parity import Batch, check_parity, latent_batches, picture_batches
from tfgan_app.latents import takes_latents
from tfgan_app.layers import class_names_of


@dataclass(frozen=True)
class Exporter:
    """One export format.

    Attributes:
        destination: (output_dir, name) -> the path that the next export goes to.
        write: (model, path) -> None, writes the model.
        load: path -> function, loads what was written as a function on the inputs of the model.
        quantizations: The values of `quantize` that the format offers.
    """

    destination: Callable[[Path, str], Path]
    write: Callable[[keras.Model, Path], None]
    load: Callable[[Path], Callable]
    quantizations: tuple[str, ...] = ("none",)


def _write_saved_model(model: keras.Model, path: Path) -> None:
    (generative_saved_model if takes_latents(model) else saved_model).write(model, path)


EXPORTERS: dict[str, Exporter] = {
    "saved_model": Exporter(saved_model.next_version, _write_saved_model, saved_model.load),
    "keras": Exporter(keras_file.new_file, keras_file.write, keras_file.load),
}


@dataclass(frozen=True)
class ExportResult:
    """A finished export.

    Attributes:
        path: The version folder or file.
        max_error: Largest absolute difference from the model, on pictures in [0, 1].
        mean_error: Mean absolute difference.
    """

    path: Path
    max_error: float
    mean_error: float


def export_model(
    model: keras.Model,
    *,
    format: str,
    output_dir: str | os.PathLike,
    name: str,
    parity_images: Iterable[np.ndarray] = (),
    quantize: str = "none",
) -> ExportResult:
    """Exports an inference model (in float32, as training saves it).

    The export is written beside its destination and moved there only when its outputs agree with the model's:
    on `parity_images` and on random pictures of odd sizes, or for a generative model on fixed latents and each class.

    Args:
        model: float32 [batch, height, width, 3] in [0, 1] -> the same, any height and width. Or a generative model:
            `latents` float32 [batch, latent_dim] (or a list with `labels` int32 [batch]) -> pictures in [0, 1].
        format: A key of `EXPORTERS`.
        output_dir: Folder of all exported models.
        name: The model's name, a plain file name.
        parity_images: Pictures uint8 [height, width, channels] to compare on; sizes may differ. Of no use to a
            generative model.
        quantize: A quantisation that the format offers; `"none"` always is one.

    Returns:
        An `ExportResult`.

    Raises:
        ValueError: If an option is unknown, the destination is taken, or the export differs from the model.
    """
    exporter = find_exporter(format, quantize)
    if not name or name.startswith(".") or name != Path(name).name:
        raise ValueError(f"`name` must be a plain file name that does not start with a dot. Received: '{name}'")
    output_dir = Path(output_dir)
    suffix = exporter.destination(output_dir, name).suffix  # A name that is taken is said before the work.
    output_dir.mkdir(parents=True, exist_ok=True)
    unfinished = output_dir / f".tmp-{uuid.uuid4().hex}{suffix}"
    try:
        exporter.write(model, unfinished)
        errors = check_parity(model, exporter.load(unfinished), _parity_batches(model, parity_images))
        path = exporter.destination(output_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.rename(unfinished, path)
    finally:
        _remove(unfinished)
    return ExportResult(path, *errors)


def _parity_batches(model: keras.Model, images: Iterable[np.ndarray]) -> Iterator[Batch]:
    if not takes_latents(model):
        return picture_batches(images, channels=model.inputs[0].shape[-1])
    return latent_batches(model.inputs[0].shape[1], classes=len(class_names_of(model)))


def find_exporter(format: str, quantize: str = "none") -> Exporter:
    """The row of `EXPORTERS` for a format that offers a quantisation.

    Raises:
        ValueError: If there is no such format, or it does not offer `quantize`. Lists what there is.
    """
    if format not in EXPORTERS:
        raise ValueError(f"`format` must be one of {', '.join(sorted(EXPORTERS))}. Received: {format}")
    exporter = EXPORTERS[format]
    if quantize not in exporter.quantizations:
        known = ", ".join(exporter.quantizations)
        raise ValueError(f"`quantize` for the format {format} must be one of {known}. Received: {quantize}")
    return exporter


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
