"""Export of a discriminator: its features and scores, as a SavedModel, a .tflite file or a .keras file."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.export import keras_file, manifest, saved_model, tflite
from tfgan_app.export.endpoints import write_endpoints
from tfgan_app.export.exporting import ExportResult
from tfgan_app.export.parity import LIMITS, Sample, check_parity
from tfgan_app.export.request import ExportRequest
from tfgan_app.files import exclusive

HEADS = ("features", "scores")
"""Names of the outputs."""

_SIGNATURE = "serving_default"
_DESTINATIONS = {
    "saved_model": saved_model.next_version,
    "tflite": tflite.new_file,
    "keras": keras_file.new_file,
}

Heads = Mapping[str, Any]


def export_discriminator_model(
    model: keras.Model, samples: Sequence[Sequence[np.ndarray]], *, format: str, output_dir: str | os.PathLike, **facts
) -> ExportResult:
    """Exports a model of features and scores, if the export agrees with it.

    Differences are relative to the largest value of each output; the limit is that of exported images.

    Args:
        model: Model that `build_discriminator_inference_model` returns.
        samples: Inputs to compare on, batches of one image, with a label where the model takes one.
        format: `"saved_model"`, `"tflite"` or `"keras"`.
        output_dir: Folder of all exported models.
        **facts: Fields of `ExportRequest`: the name, the license, the facts of the training.

    Returns:
        An `ExportResult`.

    Raises:
        ValueError: If the format is another, the destination exists, or the export differs from the model.
    """
    if format not in _DESTINATIONS:
        raise ValueError(f"`format` of a discriminator must be one of {', '.join(_DESTINATIONS)}. Received: {format}.")
    request, output_dir = ExportRequest(**facts), Path(output_dir)
    if not request.name or request.name.startswith(".") or request.name != Path(request.name).name:
        raise ValueError(f"`name` must be a plain file name that does not start with a dot. Received: '{request.name}'")
    manifest.read(output_dir)
    suffix = _DESTINATIONS[format](output_dir, request).suffix
    output_dir.mkdir(parents=True, exist_ok=True)
    unfinished = output_dir / f".tmp-{uuid.uuid4().hex}{suffix}"
    try:
        _write(model, unfinished, format, request)
        exported = _loaded(unfinished, format)
        with_scales = _scaled(lambda inputs: model(inputs, training=False), samples)
        own, theirs = with_scales(lambda inputs: model(inputs, training=False)), with_scales(exported)
        parity = check_parity(own, theirs, _samples(samples), limits=LIMITS["none"])
        with exclusive(output_dir):
            path = _DESTINATIONS[format](output_dir, request)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.rename(unfinished, path)
            manifest.add(output_dir, path, format=format, request=request, parity=parity)
    finally:
        if unfinished.is_dir():
            shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.unlink(missing_ok=True)
    return ExportResult(path, parity)


def _samples(samples: Sequence[Sequence[np.ndarray]]) -> Iterator[Sample]:
    for sample in samples:
        tensors = [tf.constant(each) for each in sample]
        yield Sample(tensors if len(tensors) > 1 else tensors[0])


def _scaled(model: Callable[[Any], Heads], samples: Sequence[Sequence[np.ndarray]]) -> Callable[[Callable], Callable]:
    """Returns a wrapper that turns the outputs of a model into one array, in shares of their largest values."""
    outputs = [model(sample.inputs) for sample in _samples(samples)]
    largest = {name: max(float(np.abs(each[name]).max()) for each in outputs) or 1.0 for name in HEADS}

    def wrapped(forward: Callable[[Any], Heads]) -> Callable[[Any], np.ndarray]:
        def shares(inputs: Any) -> np.ndarray:
            heads = forward(inputs)
            return np.concatenate([np.asarray(heads[name]) / largest[name] for name in HEADS], axis=1)

        return shares

    return wrapped


def _specs(model: keras.Model, batch: int | None) -> list[tf.TensorSpec]:
    return [tf.TensorSpec([batch, *each.shape[1:]], each.dtype, name=each.name) for each in model.inputs]


def _write(model: keras.Model, path: Path, format: str, request: ExportRequest) -> None:
    if format == "keras":
        keras_file.write(model, path, request)
    elif format == "tflite":
        path.write_bytes(tflite.convert(model, _specs(model, 1)))
    else:

        def run(*inputs: tf.Tensor) -> Heads:
            return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

        write_endpoints(model, {_SIGNATURE: (run, *_specs(model, None))}, path)


def _loaded(path: Path, format: str) -> Callable[[Any], Heads]:
    """Returns an export as a function on the inputs of the model."""
    if format == "keras":
        return keras_file.load(path)
    names = ("images", "labels")
    if format == "saved_model":
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures[_SIGNATURE]
        # The function alone would not keep the weights alive.
        signature.owner = loaded
        return lambda inputs: signature(**dict(zip(names, tf.nest.flatten(inputs), strict=False)))
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=path.read_bytes()).get_signature_runner(_SIGNATURE)
    return lambda inputs: runner(**dict(zip(names, map(np.asarray, tf.nest.flatten(inputs)), strict=False)))
