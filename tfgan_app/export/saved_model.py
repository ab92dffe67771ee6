"""SavedModel: a versioned folder for TensorFlow Serving and plain TensorFlow, without custom code."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.export.encoded_images import decode_image
from tfgan_app.export.endpoints import PNG_COMPRESSION, write_endpoints
from tfgan_app.export.layer_diff import LayerTap
from tfgan_app.export.request import Batch, ExportRequest
from tfgan_app.keras_info import model_info
from tfgan_app.model_info import WINDOW_SIGNATURE, ModelInfo

_MEMORY_BYTES = 2**33
"""Memory limit for the feature maps of one encoded image; a larger one is rejected before it is decoded."""

_UNKNOWN_BYTES_PER_PX = 2**13


def next_version(output_dir: Path, request: ExportRequest) -> Path:
    """Folder of the next version, `output_dir/name/VERSION`, one above the highest that exists."""
    folder = output_dir / request.name
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"'{folder}' is a file: choose another name or output folder.")
    versions = [int(entry.name) for entry in folder.glob("*") if entry.name.isdecimal()]
    return folder / str(max(versions, default=0) + 1)


def write(model: keras.Model, path: Path) -> None:
    """Writes a SavedModel of an image model, with five signatures.

    - `float`: `images` float32 [batch, height, width, channels] in [0, 1] -> `outputs`, float32
      [batch, scale * height, scale * width, 3] in about [0, 1].
    - `tensor`: the same in uint8.
    - `serving_default`: `image_bytes` string [batch] (JPEG, PNG, WebP, GIF or BMP files, whose sizes may differ) ->
      `output_bytes` string [batch] (PNG files, `scale` times as high and wide). EXIF orientation is applied, and
      transparency is composited on white: the alpha of the files is lost here, but kept by `tfgan_app serve` and
      `tfgan_app predict`, which carry it around the model. A model of four channels fills holes: transparent pixels.
      Images larger than `max_pixels`, and any other data, are an InvalidArgumentError.
    - `bytes`: the same under its own name.
    - `receptive_field`: `images` as for `tensor`, of any size -> the facts needed to run the model on a large image
      tile by tile, each int32 [batch] and constant: `scale`; `halo_px`, the largest distance at which an input pixel
      affects an output pixel (-1: the whole image); `multiple`, the grid on which tiles have to begin; `bytes_per_px`,
      the memory of the feature maps for each pixel of `images` (0: unknown); and `makes_color`, 1 if gray images come
      back in color.

    Args:
        model: float32 [batch, height, width, 3 or 4] in [0, 1] -> float32 [batch, scale * height, scale * width, 3] in
            about [0, 1]; `scale` is 1 for a model that does not upscale.
        path: The folder to write.
    """
    info = model_info(model)
    if info.window is not None:
        _write_numbers(model, path, info)
        return
    constants, channels = info.to_numbers(), info.channels
    max_pixels = _MEMORY_BYTES // (info.bytes_per_px or _UNKNOWN_BYTES_PER_PX)

    def predict(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    def predict_uint8(images: tf.Tensor) -> tf.Tensor:
        outputs = tf.clip_by_value(predict(tf.cast(images, tf.float32) / 255.0), 0.0, 1.0)
        return tf.cast(tf.round(outputs * 255.0), tf.uint8)

    def predict_file(data: tf.Tensor) -> tf.Tensor:
        image = decode_image(data, channels=channels, max_pixels=max_pixels)
        return tf.io.encode_png(predict_uint8(image[tf.newaxis])[0], compression=PNG_COMPRESSION)

    def predict_files(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        # One at a time: sizes may differ, and one image already uses all cores.
        outputs = tf.map_fn(predict_file, image_bytes, fn_output_signature=tf.string, parallel_iterations=1)
        return {"output_bytes": outputs}

    tell_receptive_field = functools.partial(_constants_of, constants)
    images = [None, None, None, channels]
    files = (predict_files, tf.TensorSpec([None], tf.string, name="image_bytes"))
    endpoints = {
        "serving_default": files,
        "bytes": files,
        "tensor": (
            lambda images: {"outputs": predict_uint8(images)},
            tf.TensorSpec(images, tf.uint8, name="images"),
        ),
        "float": (
            lambda images: {"outputs": predict(images)},
            tf.TensorSpec(images, tf.float32, name="images"),
        ),
        "receptive_field": (tell_receptive_field, tf.TensorSpec(images, tf.uint8, name="images")),
    }
    write_endpoints(model, endpoints, path)


def _write_numbers(model: keras.Model, path: Path, info: ModelInfo) -> None:
    """Writes a SavedModel of a model of images as numbers, which have no JPEG or PNG file of 8 bits.

    `float`, also as `serving_default`, and `receptive_field` are those of `write`; `data_window` gives for each image
    the data values that 0 and 1 stand for, float64 `low` and `high` [batch].
    """
    low, high = (tf.constant(value, tf.float64) for value in info.window)
    images = tf.TensorSpec([None, None, None, info.channels], tf.float32, name="images")

    def predict(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": model(images, training=False)}

    levels = tf.TensorSpec(images.shape, tf.uint8, name="images")
    endpoints = {
        "serving_default": (predict, images),
        "float": (predict, images),
        "receptive_field": (functools.partial(_constants_of, info.to_numbers()), levels),
        WINDOW_SIGNATURE: (functools.partial(_constants_of, {"low": low, "high": high}), images),
    }
    write_endpoints(model, endpoints, path)


def _constants_of(constants: Mapping[str, Any], images: tf.Tensor) -> dict[str, tf.Tensor]:
    """One of each for each image, since TensorFlow Serving requires outputs of the inputs' length."""
    return {name: tf.fill(tf.shape(images)[:1], value) for name, value in constants.items()}


def load(path: Path) -> Callable:
    """Loads the `float` signature of an exported SavedModel, as a function on the inputs of the model."""
    loaded = tf.saved_model.load(str(path))
    specs = loaded.signatures["float"].structured_input_signature[1]
    names = [name for name in ("images", "style", "strength", "latents", "labels", "tokens") if name in specs]

    def forward(inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        return loaded.signatures["float"](**dict(zip(names, tf.nest.flatten(inputs), strict=True)))["outputs"]

    return forward


def outputs_of_layers(model: keras.Model, inputs: Batch, request: ExportRequest) -> dict[str, np.ndarray]:
    """Layer outputs of a model in a SavedModel; see `Exporter`."""
    del request
    tap = LayerTap(model)
    flat = tf.nest.flatten(inputs)
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=f"input_{i}") for i, tensor in enumerate(flat)]

    def run(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return tap(tf.nest.pack_sequence_as(inputs, tensors))

    with tempfile.TemporaryDirectory() as folder:
        write_endpoints(model, {"layers": (run, *specs)}, Path(folder))
        loaded = tf.saved_model.load(folder)
        outputs = loaded.signatures["layers"](**{spec.name: x for spec, x in zip(specs, flat, strict=True)})
    return {name: tensor.numpy() for name, tensor in outputs.items()}
