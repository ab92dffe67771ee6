"""A .tflite file for phones: builtin operations only, one image at a time, in floats or in integers."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

import tfgan_app
from tfgan_app.export.endpoints import write_endpoints
from tfgan_app.export.equalization import equalized
from tfgan_app.export.layer_diff import LayerTap
from tfgan_app.export.parity import fitted
from tfgan_app.export.request import Batch, ExportRequest
from tfgan_app.keras_info import model_info
from tfgan_app.layers import PadToMultiple, vocabulary_of
from tfgan_app.lite import Card, LiteModel, check_alive, with_card, with_output_levels
from tfgan_app.lite.files import Fill, Sizes
from tfgan_app.lite.model import SIGNATURE, load_lite_model, run_signature
from tfgan_app.lite.quiet import native_stderr_hidden

QUANTIZATIONS = ("none", "float16", "dynamic", "int8")

DEFAULT_TILE_PX = 128
"""Default tile of a model with a small receptive field. One that sees the whole image is given its training size."""

MAX_TILE_PX = 4096

_SAME = 1e-3
"""Largest difference of a correctly resized network, in [0, 1]; a wrong one differs by far more."""

_ODD_SIZES = ((33, 47), (1, 5))
_UNSUPPORTED = re.compile(r"^(?:TF Select|Flex|Custom) ops: (?P<names>.+)$", re.MULTILINE)


def new_file(output_dir: Path, request: ExportRequest) -> Path:
    """Returns `output_dir/name.tflite`, or `name_int8.tflite` and the like; raises ValueError if it exists."""
    suffix = "" if request.quantize == "none" else f"_{request.quantize}"
    path = output_dir / f"{request.name}{suffix}.tflite"
    if path.exists():
        raise ValueError(f"'{path}' exists already: choose another name, or remove it first.")
    return path


def write(model: keras.Model, path: Path, request: ExportRequest) -> None:
    """Writes a file with one signature, `serving_default`, and a `Card` in its metadata.

    - An image model: `images` [1, tile, tile, channels] -> `outputs` [1, scale * tile, scale * tile, 3], both
      float32 in [0, 1], or both uint8 for `int8`. The card states whether the input can be resized.
    - A generative model: `latents` float32 [1, latent_dim] (and `labels` int32 [1], or `tokens` int32 [1, length]) ->
      `outputs` [1, height, width, 1 or 3], float32 in [0, 1], or uint8 for `int8`.

    Args:
        model: As for `export_model`.
        path: The file to write.
        request: The export's request. `tile_px` 0 leaves the size open, for CPUs: no delegate accepts that.

    Raises:
        ValueError: If the network has an operation that LiteRT lacks; the message names it.
    """
    specs = _specs(model, request)
    card = _card(model, request)
    calibration = _calibration(model, specs, request)
    even = equalized(model, calibration) if request.quantize == "int8" and not card.latent_dim else nullcontext()
    with even:
        content = convert(model, specs, quantize=request.quantize, calibration=calibration)
    if request.quantize == "int8":
        check_alive(content)
        content = with_output_levels(content)
    if not card.latent_dim and card.tile_px is not None:
        plain = content if request.quantize == "none" else convert(model, specs, quantize="none")
        card = _with_sizes(card, model, plain)
    elif not card.latent_dim:
        card = dataclasses.replace(card, sizes="any")
    path.write_bytes(with_card(content, card))


def load(path: Path) -> Callable:
    """Loads a file that `write` wrote, as a function on the inputs of the model."""
    lite = load_lite_model(path)

    def forward(inputs: tf.Tensor | list[tf.Tensor]) -> np.ndarray:
        return lite(*[np.asarray(tensor) for tensor in tf.nest.flatten(inputs)])

    fixed_px = lite.card.tile_px if lite.card.sizes == "fixed" else None
    forward.fixed_px = fixed_px  # type: ignore[attr-defined]  # Functions may have attributes.
    return forward


def convert(
    model: Callable,
    specs: Sequence[tf.TensorSpec],
    *,
    quantize: str = "none",
    calibration: Sequence[Sequence[np.ndarray]] = (),
) -> bytes:
    """Converts a model, with builtin operations only.

    Args:
        model: `inputs` -> a tensor, or name -> tensor.
        specs: Name, shape and dtype of each of its inputs.
        quantize: One of `QUANTIZATIONS`.
        calibration: For `int8`: inputs that integer ranges are chosen on, arrays for each input.

    Returns:
        The file.

    Raises:
        ValueError: If an operation is not builtin; the message names it.
    """
    names = [spec.name for spec in specs]

    def run(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return outputs if isinstance(outputs, dict) else {"outputs": outputs}

    with tempfile.TemporaryDirectory() as folder:
        write_endpoints(model, {SIGNATURE: (run, *specs)}, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: (dict(zip(names, row, strict=True)) for row in calibration)
            images = all(spec.dtype == tf.float32 and spec.shape.rank == 4 for spec in specs)
            converter.inference_input_type = tf.uint8 if images else tf.float32
            converter.inference_output_type = tf.uint8
        try:
            with native_stderr_hidden():
                return converter.convert()
        except Exception as error:  # The converter's own errors have no common type.
            raise ValueError(_reason(error)) from error


def outputs_of_layers(model: keras.Model, inputs: Batch, request: ExportRequest) -> dict[str, np.ndarray]:
    """Layer outputs of a model in a .tflite file; see `Exporter`."""
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=known.name)
        for tensor, known in zip(tf.nest.flatten(inputs), _specs(model, request), strict=True)
    ]
    calibration = _calibration(model, specs, request)
    content = convert(LayerTap(model), specs, quantize=request.quantize, calibration=calibration)
    return run_signature(
        content, {spec.name: x.numpy() for spec, x in zip(specs, tf.nest.flatten(inputs), strict=True)}
    )


def _specs(model: keras.Model, request: ExportRequest) -> list[tf.TensorSpec]:
    info = model_info(model)
    if info.kind == "noise":
        return [tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype, name=tensor.name) for tensor in model.inputs]
    side = _tile_px(model, request) or None
    return [tf.TensorSpec([1, side, side, info.channels], tf.float32, name="images")]


def _tile_px(model: keras.Model, request: ExportRequest) -> int:
    receptive_field = model_info(model).receptive_field
    if request.tile_px is not None:
        if not 0 <= request.tile_px <= MAX_TILE_PX or request.tile_px % receptive_field.multiple:
            raise ValueError(
                f"`tile` must be a multiple of {receptive_field.multiple} up to {MAX_TILE_PX} for this model, or 0 "
                f"for an open size. Received: {request.tile_px}"
            )
        return request.tile_px
    local = receptive_field.halo_px is not None and 4 * receptive_field.halo_px <= DEFAULT_TILE_PX
    size_px = DEFAULT_TILE_PX if local else request.image_size_px or DEFAULT_TILE_PX
    return -(-size_px // receptive_field.multiple) * receptive_field.multiple


def _card(model: keras.Model, request: ExportRequest) -> Card:
    facts: dict[str, Any] = {
        "name": request.name,
        "version": tfgan_app.__version__,
        "license": request.license,
        "quantize": request.quantize,
    }
    info = model_info(model)
    if info.kind == "noise":
        found = vocabulary_of(model)
        facts["vocabulary"] = json.dumps(found, ensure_ascii=False) if found else ""
        return Card(
            **facts,
            latent_dim=info.latent_dim,
            classes=info.classes,
            prompt_tokens=info.prompt_tokens,
            style_truncation=info.style_truncation,
        )
    return Card(
        **facts,
        tile_px=_tile_px(model, request) or None,
        scale=info.scale,
        halo_px=info.halo_px,
        multiple=info.multiple,
        fill=_fill(model),
        channels=info.channels,
        window=info.window,
        bytes_per_px=info.bytes_per_px,
        makes_color=info.makes_color,
    )


def _fill(model: keras.Model) -> Fill:
    paddings = (layer for layer in _all_layers(model) if isinstance(layer, PadToMultiple))
    return next((cast(Fill, padding.fill) for padding in paddings), "mirror")


def _all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)


def _with_sizes(card: Card, model: keras.Model, content: bytes) -> Card:
    """Tests to which sizes a file can be resized, by running it.

    Some networks compute sizes while they run, and conversion makes these constant.
    """
    rng = np.random.default_rng(0)
    tile_px = card.tile_px
    tests: tuple[tuple[Sizes, Sequence[tuple[int, int]]], ...] = (
        ("any", _ODD_SIZES),
        ("multiple", ((card.multiple, 3 * card.multiple), (tile_px + card.multiple, 2 * tile_px), *_ODD_SIZES)),
    )
    for sizes, shapes in tests:
        candidate = dataclasses.replace(card, sizes=sizes)
        lite = LiteModel(with_card(content, candidate))
        images = [rng.random((1, *shape, card.channels), np.float32) for shape in shapes]
        if all(_agrees(model, lite, image) for image in images):
            return candidate
    return dataclasses.replace(card, sizes="fixed")


def _agrees(model: keras.Model, lite: LiteModel, image: np.ndarray) -> bool:
    expected = np.asarray(model(image, training=False))
    with native_stderr_hidden():
        try:
            received = lite(image)
        except (ValueError, RuntimeError):  # A resize that is not possible fails at once, or when the model runs.
            return False
    return received.shape == expected.shape and float(np.abs(received - expected).max()) < _SAME


def _calibration(model: keras.Model, specs: Sequence[tf.TensorSpec], request: ExportRequest) -> list[list[np.ndarray]]:
    """Inputs that integer ranges are chosen on: crops of training images at the input's size, or latents."""
    if request.quantize != "int8":
        return []
    if model_info(model).kind == "noise":
        return [list(row) for row in request.calibration_latents(model)]
    side = specs[0].shape[1] or DEFAULT_TILE_PX
    images = [fitted(image, side).astype(np.float32) / 255.0 for image in request.calibration]
    if not images:
        raise ValueError("`quantize` int8 needs images to choose the ranges of integers on. Received none.")
    # Black and white are always included, so that the integers of the input are the levels of 8-bit files.
    first = images[0]
    extremes = [np.zeros_like(first), np.ones_like(first)]
    return [[image[np.newaxis]] for image in [*images, *extremes]]


def _reason(error: Exception) -> str:
    text = str(error)
    found = _UNSUPPORTED.search(text)
    if found:
        return (
            f"The network has operations that LiteRT lacks: {found['names']} (or lacks for unknown sizes). "
            "Use layers made of its builtin operations, a fixed size (`--tile PX`), or another format."
        )
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return f"LiteRT cannot convert the network: {lines[-1] if lines else type(error).__name__}"
