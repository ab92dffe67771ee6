"""Small models as LiteRT files with the signature that phones and the web page expect."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def small_tflite(model: keras.Model, *, tile_px: int, dtype: str = "float32") -> bytes:
    """The model for tiles of one size: `images` [1, tile_px, tile_px, 3] -> `outputs`.

    Args:
        model: float32 [batch, height, width, 3] in [0, 1] -> the same of another size.
        tile_px: Height and width of the input.
        dtype: `"float32"`, or `"uint8"` for integers throughout.
    """
    spec = tf.TensorSpec([1, tile_px, tile_px, 3], tf.float32, name="images")
    frozen = convert_variables_to_constants_v2(tf.function(model).get_concrete_function(spec))
    module = tf.Module()
    module.serve = tf.function(
        lambda images: {"outputs": tf.clip_by_value(frozen(images)[0], 0.0, 1.0)}, input_signature=[spec]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)
    if dtype == "uint8":
        images = np.random.default_rng(0).uniform(size=(8, 1, tile_px, tile_px, 3)).astype(np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()
