"""SavedModel: a versioned folder for TensorFlow Serving and plain TensorFlow, free of any custom code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.export.blame import LayerTap
from tfgan_app.export.endpoints import write_endpoints
from tfgan_app.export.request import ExportRequest
from tfgan_app.layers import picture_facts


def next_version(output_dir: Path, request: ExportRequest) -> Path:
    """The folder of the next version, `output_dir/name/VERSION`, one above the highest that exists."""
    folder = output_dir / request.name
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"'{folder}' is a file: choose another name or output folder.")
    versions = [int(entry.name) for entry in folder.glob("*") if entry.name.isdecimal()]
    return folder / str(max(versions, default=0) + 1)


def write(model: keras.Model, path: Path) -> None:
    """Writes a SavedModel of a model of pictures, with four signatures.

    - `float`: `images` float32 [batch, height, width, channels] in [0, 1] -> `outputs`, float32
      [batch, scale * height, scale * width, 3] in about [0, 1].
    - `tensor`: the same in uint8.
    - `serving_default`: `image_bytes` string [batch] (JPEG, PNG, GIF or BMP files, whose sizes may differ) ->
      `output_bytes` string [batch] (PNG files, `scale` times as high and wide). Transparency is composited on white.
      EXIF orientation is not applied, since TensorFlow cannot read it: send upright pictures. A model of four
      channels fills holes: transparent pixels.
    - `locality`: `images` as for `tensor`, of any size -> what has to be known to run the model on a large picture
      part by part, each int32 [batch] and always the same: `scale`; `context_px`, how many pixels beyond its own an
      output pixel depends on at most (-1: on the whole picture); `multiple`, where parts have to begin;
      `bytes_per_px`, what the feature maps take in memory for each pixel of `images` (0: not known); and
      `makes_colour`, 1 where gray pictures come back in colour.

    Args:
        model: float32 [batch, height, width, 3 or 4] in [0, 1] -> float32 [batch, scale * height, scale * width, 3] in
            about [0, 1], where `scale` is 1 for a model that does not enlarge.
        path: The folder to write.
    """
    facts = picture_facts(model)
    constants, channels = facts.to_numbers(), facts.channels

    def predict(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    def predict_uint8(images: tf.Tensor) -> tf.Tensor:
        outputs = tf.clip_by_value(predict(tf.cast(images, tf.float32) / 255.0), 0.0, 1.0)
        return tf.cast(tf.round(outputs * 255.0), tf.uint8)

    def predict_file(data: tf.Tensor) -> tf.Tensor:
        return tf.io.encode_png(predict_uint8(_decode(data, channels)[tf.newaxis])[0])

    def predict_files(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        # One at a time: sizes may differ, and the model uses all cores for one picture already.
        outputs = tf.map_fn(predict_file, image_bytes, fn_output_signature=tf.string, parallel_iterations=1)
        return {"output_bytes": outputs}

    def tell_locality(images: tf.Tensor) -> dict[str, tf.Tensor]:
        # One for each picture, since TensorFlow Serving wants outputs of the inputs' length.
        return {name: tf.fill(tf.shape(images)[:1], value) for name, value in constants.items()}

    pictures = [None, None, None, channels]
    endpoints = {
        "serving_default": (predict_files, tf.TensorSpec([None], tf.string, name="image_bytes")),
        "tensor": (
            lambda images: {"outputs": predict_uint8(images)},
            tf.TensorSpec(pictures, tf.uint8, name="images"),
        ),
        "float": (
            lambda images: {"outputs": predict(images)},
            tf.TensorSpec(pictures, tf.float32, name="images"),
        ),
        "locality": (tell_locality, tf.TensorSpec(pictures, tf.uint8, name="images")),
    }
    write_endpoints(model, endpoints, path)


def load(path: Path) -> Callable:
    """Loads the `float` signature of an exported SavedModel, as a function on what the model was called with."""
    loaded = tf.saved_model.load(str(path))
    specs = loaded.signatures["float"].structured_input_signature[1]
    names = [name for name in ("images", "latents", "labels") if name in specs]

    def forward(inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        return loaded.signatures["float"](**dict(zip(names, tf.nest.flatten(inputs), strict=True)))["outputs"]

    return forward


def outputs_of_layers(model: keras.Model, inputs: list[tf.Tensor], request: ExportRequest) -> dict[str, np.ndarray]:
    """What the layers of a model give in a SavedModel; see `Exporter`."""
    del request
    tap = LayerTap(model)
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=f"input_{i}") for i, tensor in enumerate(inputs)]
    with tempfile.TemporaryDirectory() as folder:
        write_endpoints(model, {"layers": (lambda *tensors: tap(list(tensors)), *specs)}, Path(folder))
        loaded = tf.saved_model.load(folder)
        outputs = loaded.signatures["layers"](**{spec.name: x for spec, x in zip(specs, inputs, strict=True)})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _decode(data: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes the bytes of a picture file to uint8 [height, width, 3 or 4] as Pillow does."""
    decoded = tf.cond(
        tf.io.is_jpeg(data),
        lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(data, expand_animations=False),
    )
    colour, alpha = _split_alpha(decoded)
    if channels == 4:
        picture = tf.concat([colour, alpha], axis=-1)
    else:
        picture = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return tf.ensure_shape(tf.cast(picture, tf.uint8), [None, None, channels])


def _split_alpha(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Colour [height, width, 3] and alpha [height, width, 1], int32, of gray, gray and alpha, RGB or RGBA."""
    shape = tf.shape(picture)
    has_alpha = 1 - shape[2] % 2
    values = tf.cast(picture, tf.int32)
    colour = tf.broadcast_to(values[..., : shape[2] - has_alpha], [shape[0], shape[1], 3])
    return colour, tf.where(has_alpha == 1, values[..., -1:], 255)
