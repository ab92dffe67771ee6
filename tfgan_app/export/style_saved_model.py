"""SavedModel of a style transfer model."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from tfgan_app.export.encoded_images import decode_image
from tfgan_app.export.endpoints import PNG_COMPRESSION, write_endpoints
from tfgan_app.keras_info import model_info
from tfgan_app.layers import style_parts

_MEMORY_BYTES = 2**33
"""As for other image models: memory limit for the feature maps of one encoded image."""

_IMAGES = [None, None, None, 3]


def write(model: keras.Model, path: Path) -> None:
    """Writes a SavedModel of a model of `[images, style, strength]`, with seven signatures.

    - `float`: `images` and `style`, float32 [batch, height, width, 3] in [0, 1], of any two sizes, and `strength`
      float32 [batch] in [0, 1] -> `outputs` float32, of the size of `images`.
    - `tensor`: the same with images in uint8.
    - `serving_default`: `image_bytes` and `style_bytes`, string [batch] (JPEG, PNG, WebP, GIF or BMP files, whose
      sizes may differ) -> `output_bytes` string [batch] (RGB PNG files, transparency composited on white), at full
      strength. Other data, and images that are too large, are an InvalidArgumentError.
    - `bytes`: the same with `strength`.
    - `statistics` and `stylize`: the model in two parts, see `tfgan_app.layers.StyleParts`, for large images.
    - `receptive_field`: as for other image models, of `stylize`.

    Args:
        model: The result of `tfgan_app.layers.build_style_model`.
        path: The folder to write.
    """
    parts, info = style_parts(model), model_info(model)
    numbers = info.to_numbers()
    max_pixels = _MEMORY_BYTES // info.bytes_per_px

    # Separate functions, so that what several signatures share is traced and stored once.
    @tf.function(autograph=False)
    def decode(data: tf.Tensor) -> tf.Tensor:
        return decode_image(data, channels=3, max_pixels=max_pixels)[tf.newaxis]

    def predict(images: tf.Tensor, style: tf.Tensor, strength: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": model([images, style, strength], training=False)}

    def predict_uint8(images: tf.Tensor, style: tf.Tensor, strength: tf.Tensor) -> dict[str, tf.Tensor]:
        content, pattern = (tf.cast(each, tf.float32) / 255.0 for each in (images, style))
        outputs = tf.clip_by_value(predict(content, pattern, strength)["outputs"], 0.0, 1.0)
        return {"outputs": tf.cast(tf.round(outputs * 255.0), tf.uint8)}

    def predict_file(given: tuple[tf.Tensor, ...]) -> tf.Tensor:
        image, style, strength = given
        outputs = predict_uint8(decode(image), decode(style), strength[tf.newaxis])["outputs"]
        return tf.io.encode_png(outputs[0], compression=PNG_COMPRESSION)

    @tf.function(autograph=False)
    def predict_files(image_bytes: tf.Tensor, style_bytes: tf.Tensor, strength: tf.Tensor) -> dict[str, tf.Tensor]:
        # One at a time: sizes may differ, and one image already uses all cores.
        given = (image_bytes, style_bytes, strength)
        return {"output_bytes": tf.map_fn(predict_file, given, fn_output_signature=tf.string, parallel_iterations=1)}

    def predict_at_full_strength(image_bytes: tf.Tensor, style_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return predict_files(image_bytes, style_bytes, tf.ones(tf.shape(image_bytes)))

    def stylize(images: tf.Tensor, content: tf.Tensor, style: tf.Tensor, strength: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": parts.stylize([images, content, style, strength], training=False)}

    def tell_receptive_field(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.fill(tf.shape(images)[:1], value) for name, value in numbers.items()}

    def images(name: str, dtype: tf.DType = tf.float32) -> tf.TensorSpec:
        return tf.TensorSpec(_IMAGES, dtype, name=name)

    strength = tf.TensorSpec([None], tf.float32, name="strength")
    files = [tf.TensorSpec([None], tf.string, name=f"{name}_bytes") for name in ("image", "style")]
    measured = [
        tf.TensorSpec(tensor.shape, tf.float32, name=f"{name}_statistics")
        for name, tensor in zip(("content", "style"), parts.stylize.inputs[1:3], strict=True)
    ]
    endpoints = {
        "serving_default": (predict_at_full_strength, *files),
        "bytes": (predict_files, *files, strength),
        "tensor": (predict_uint8, images("images", tf.uint8), images("style", tf.uint8), strength),
        "float": (predict, images("images"), images("style"), strength),
        "statistics": (
            lambda images: {"statistics": parts.statistics(images, training=False)},
            images("images"),
        ),
        "stylize": (stylize, images("images"), *measured, strength),
        "receptive_field": (tell_receptive_field, images("images", tf.uint8)),
    }
    write_endpoints(model, endpoints, path)
