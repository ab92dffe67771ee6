"""SavedModel: a versioned folder for TensorFlow Serving and plain TensorFlow, free of any custom code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf


def next_version(output_dir: Path, name: str) -> Path:
    """The folder of the next version, `output_dir/name/VERSION`, one above the highest that exists."""
    folder = output_dir / name
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"'{folder}' is a file: choose another name or output folder.")
    versions = [int(entry.name) for entry in folder.glob("*") if entry.name.isdecimal()]
    return folder / str(max(versions, default=0) + 1)


def write(model: keras.Model, path: Path) -> None:
    """Writes a SavedModel of a model of pictures, with three signatures.

    - `float`: `images` float32 [batch, height, width, 3] in [0, 1] -> `outputs`, the same.
    - `tensor`: `images` uint8 [batch, height, width, 3] -> `outputs`, the same.
    - `serving_default`: `image_bytes` string [batch] (JPEG, PNG, GIF or BMP files, whose sizes may differ) ->
      `output_bytes` string [batch] (PNG files). Transparency is composited on white. EXIF orientation is not
      applied, since TensorFlow cannot read it: send upright pictures.

    Args:
        model: float32 [batch, height, width, 3] in [0, 1] -> the same.
        path: The folder to write.
    """

    def predict(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    def predict_uint8(images: tf.Tensor) -> tf.Tensor:
        outputs = tf.clip_by_value(predict(tf.cast(images, tf.float32) / 255.0), 0.0, 1.0)
        return tf.cast(tf.round(outputs * 255.0), tf.uint8)

    def predict_file(data: tf.Tensor) -> tf.Tensor:
        return tf.io.encode_png(predict_uint8(_decode(data)[tf.newaxis])[0])

    def predict_files(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        # One at a time: sizes may differ, and the model uses all cores for one picture already.
        outputs = tf.map_fn(predict_file, image_bytes, fn_output_signature=tf.string, parallel_iterations=1)
        return {"output_bytes": outputs}

    pictures = [None, None, None, 3]
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
    }
    archive = keras.export.ExportArchive()
    archive.track(model)
    for endpoint, (function, signature) in endpoints.items():
        archive.add_endpoint(endpoint, function, input_signature=[signature])
    archive.write_out(str(path), verbose=False)


def load(path: Path) -> Callable:
    """Loads the `float` signature of an exported SavedModel, as a function on what the model was called with."""
    loaded = tf.saved_model.load(str(path))
    specs = loaded.signatures["float"].structured_input_signature[1]
    names = [name for name in ("images", "latents", "labels") if name in specs]

    def forward(inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        return loaded.signatures["float"](**dict(zip(names, tf.nest.flatten(inputs), strict=True)))["outputs"]

    return forward


def _decode(data: tf.Tensor) -> tf.Tensor:
    """Decodes the bytes of a picture file to uint8 [height, width, 3] as Pillow does."""
    picture = tf.cond(
        tf.io.is_jpeg(data),
        lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: _on_white(tf.io.decode_image(data, expand_animations=False)),
    )
    return tf.ensure_shape(picture, [None, None, 3])


def _on_white(picture: tf.Tensor) -> tf.Tensor:
    """Composites uint8 [height, width, 1 to 4] (gray, gray and alpha, RGB, RGBA) on white."""
    shape = tf.shape(picture)
    has_alpha = 1 - shape[2] % 2
    values = tf.cast(picture, tf.int32)
    colour = values[..., : shape[2] - has_alpha]
    alpha = tf.where(has_alpha == 1, values[..., -1:], 255)
    mixed = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return tf.cast(tf.broadcast_to(mixed, [shape[0], shape[1], 3]), tf.uint8)
