"""SavedModel of a generative model: a seed in, an image out, without custom code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from tfgan_app.export.endpoints import PNG_COMPRESSION, write_endpoints
from tfgan_app.keras_info import model_info
from tfgan_app.latents import seeded_latents
from tfgan_app.layers import vocabulary_of
from tfgan_app.model_info import TRUNCATION_SIGNATURE, ModelInfo
from tfgan_app.tokens import Vocabulary, tokenize

_SEEDS = tf.TensorSpec([None], tf.int64, name="seeds")
_LABELS = tf.TensorSpec([None], tf.int32, name="labels")
_PROMPTS = tf.TensorSpec([None], tf.string, name="prompts")
_CLASSES = tf.TensorSpec([None], tf.string, name="classes")

_MAX_LISTED = 50
"""Most names listed in the message on an unknown class."""


def write(model: keras.Model, path: Path) -> None:
    """Writes a SavedModel with four signatures, and further ones for a model with classes or styles.

    - `serving_default`: `seeds` int64 [batch] (and `classes` string [batch], exact names) -> `output_bytes` string
      [batch] (PNG files, gray or RGB).
    - `bytes`: the same under its own name.
    - `tensor`: `seeds` int64 [batch] (and `labels` int32 [batch]) -> `outputs` uint8 [batch, height, width, 1 or 3].
    - `float`: `latents` float32 [batch, latent_dim], standard normal (and `labels` int32 [batch]) -> `outputs` float32
      [batch, height, width, 1 or 3] in [0, 1].
    - `class_names`: `labels` int32 [batch] -> `names` string [batch], and `count` int32 [batch], the number of classes.
    - `truncation`: `seeds` int64 [batch] -> `psi` float32 [batch], at which all styles are truncated.
    - `tokenize`, of a model of text: `prompts` string [batch] -> `tokens` int32 [batch, length]. Such a model takes
      `prompts` in place of `classes` and `labels`, and `tokens` in `float`.

    The same seed (and class or prompt) gives the same image as `tfgan_app predict`. Unknown classes and labels are an
    error that lists the known ones.

    Args:
        model: `latents` (or `[latents, labels]`) as in `float` -> images float32 in [0, 1].
        path: The folder to write.
    """
    info = model_info(model)
    build = _text_endpoints if info.prompt_tokens else _conditional_endpoints if info.classes else _endpoints
    write_endpoints(model, build(model, info) | _truncation_endpoint(info), path)


def _truncation_endpoint(info: ModelInfo) -> dict[str, tuple]:
    psi = info.style_truncation
    if psi is None:
        return {}
    return {TRUNCATION_SIGNATURE: (lambda seeds: {"psi": tf.fill(tf.shape(seeds), psi)}, _SEEDS)}


def _endpoints(model: keras.Model, info: ModelInfo) -> dict[str, tuple]:
    latent_dim = info.latent_dim

    def draw(latents: tf.Tensor) -> tf.Tensor:
        return model(latents, training=False)

    def draw_uint8(seeds: tf.Tensor) -> tf.Tensor:
        return _to_uint8(draw(seeded_latents(seeds, latent_dim)))

    files = (lambda seeds: {"output_bytes": _encode(draw_uint8(seeds))}, _SEEDS)
    return {
        "serving_default": files,
        "bytes": files,
        "tensor": (lambda seeds: {"outputs": draw_uint8(seeds)}, _SEEDS),
        "float": (lambda latents: {"outputs": draw(latents)}, _latents_spec(latent_dim)),
    }


def _conditional_endpoints(model: keras.Model, info: ModelInfo) -> dict[str, tuple]:
    latent_dim, names = info.latent_dim, list(info.classes)
    check_labels, find_labels = _label_check(names), _label_finder(names)

    def draw(latents: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return model([latents, check_labels(labels)], training=False)

    def draw_uint8(seeds: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return _to_uint8(draw(seeded_latents(seeds, latent_dim), labels))

    def draw_files(seeds: tf.Tensor, classes: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output_bytes": _encode(draw_uint8(seeds, find_labels(classes)))}

    def tell_names(labels: tf.Tensor) -> dict[str, tf.Tensor]:
        # A count for each label, since TensorFlow Serving requires outputs of the inputs' length.
        return {"names": tf.gather(names, check_labels(labels)), "count": tf.zeros_like(labels) + len(names)}

    files = (draw_files, _SEEDS, _CLASSES)
    return {
        "serving_default": files,
        "bytes": files,
        "tensor": (lambda seeds, labels: {"outputs": draw_uint8(seeds, labels)}, _SEEDS, _LABELS),
        "float": (
            lambda latents, labels: {"outputs": draw(latents, labels)},
            _latents_spec(latent_dim),
            _LABELS,
        ),
        "class_names": (tell_names, _LABELS),
    }


def _text_endpoints(model: keras.Model, info: ModelInfo) -> dict[str, tuple]:
    vocabulary = Vocabulary.from_config(vocabulary_of(model))
    tokens_spec = tf.TensorSpec([None, vocabulary.length], tf.int32, name="tokens")

    def draw(latents: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        return model([latents, tokens], training=False)

    def draw_uint8(seeds: tf.Tensor, prompts: tf.Tensor) -> tf.Tensor:
        return _to_uint8(draw(seeded_latents(seeds, info.latent_dim), tokenize(prompts, vocabulary)))

    files = (lambda seeds, prompts: {"output_bytes": _encode(draw_uint8(seeds, prompts))}, _SEEDS, _PROMPTS)
    return {
        "serving_default": files,
        "bytes": files,
        "tensor": (lambda seeds, prompts: {"outputs": draw_uint8(seeds, prompts)}, _SEEDS, _PROMPTS),
        "float": (
            lambda latents, tokens: {"outputs": draw(latents, tokens)},
            _latents_spec(info.latent_dim),
            tokens_spec,
        ),
        "tokenize": (lambda prompts: {"tokens": tokenize(prompts, vocabulary)}, _PROMPTS),
    }


def _latents_spec(latent_dim: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, latent_dim], tf.float32, name="latents")


def _label_check(names: list[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    expected = f"`labels` must be 0 to {len(names) - 1}. Received:"

    def check(labels: tf.Tensor) -> tf.Tensor:
        known = (labels >= 0) & (labels < len(names))
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(known), [expected, labels[~known]])]):
            return tf.identity(labels)

    return check


def _label_finder(names: list[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    listed = ", ".join(names[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else "")
    expected = f"`classes` must be among: {listed}. Received:"

    def find(classes: tf.Tensor) -> tf.Tensor:
        # Compared with all names: a lookup table would need initialization wherever the model is loaded.
        same = classes[:, tf.newaxis] == tf.constant(names)
        known = tf.reduce_any(same, axis=1)
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(known), [expected, classes[~known]])]):
            return tf.argmax(same, axis=1, output_type=tf.int32)

    return find


def _to_uint8(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(tf.clip_by_value(images, 0.0, 1.0) * 255.0), tf.uint8)


def _encode(images: tf.Tensor) -> tf.Tensor:
    encode = functools.partial(tf.io.encode_png, compression=PNG_COMPRESSION)
    return tf.map_fn(encode, images, fn_output_signature=tf.TensorSpec([], tf.string))
