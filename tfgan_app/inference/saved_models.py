"""SavedModels as image, generative and style transfer models, by their signatures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_app.inference.errors import naming, one_line
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.styling import Stylist
from tfgan_app.layers import probed_receptive_field
from tfgan_app.model_info import ModelInfo, Signature, signatures_info

_SIGNATURE = "float"
_NAMES_SIGNATURE = "class_names"
_TOKENIZE_SIGNATURE = "tokenize"
_RECEPTIVE_FIELD_SIGNATURE = "receptive_field"


def load_saved_model(folder: Path) -> Predictor | Sampler | Stylist:
    """Wraps the signatures of a SavedModel.

    Args:
        folder: The result of `find_saved_model`.

    Raises:
        ValueError: If it cannot be loaded, or lacks a signature. One line.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"Cannot load the SavedModel '{folder}': {one_line(error)}") from error
    _check_signature(loaded, _SIGNATURE, folder)
    info = signatures_info({name: _described(loaded, name) for name in loaded.signatures}, default=_SIGNATURE)
    if info.kind == "style":
        return _stylist_from(loaded, folder, info)
    if info.kind == "noise":
        return _sampler_from(loaded, folder, info)
    return _predictor_from(loaded, folder, info)


def _described(loaded: tf.Module, name: str) -> Signature:
    signature = loaded.signatures[name]
    specs = signature.structured_input_signature[1]

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = loaded.signatures[name](**{key: tf.constant(array) for key, array in inputs.items()})
        return {key: tensor.numpy() for key, tensor in outputs.items()}

    return Signature({key: _shape(spec) for key, spec in specs.items()}, run)


def _shape(spec: tf.TensorSpec) -> tuple[int | None, ...] | None:
    return None if spec.shape.rank is None else tuple(spec.shape)


def _sampler_from(loaded: tf.Module, folder: Path, info: ModelInfo) -> Sampler:
    names: tuple[str, ...] = ("latents",)
    tokenize = None
    if info.prompt_tokens:
        _check_signature(loaded, _TOKENIZE_SIGNATURE, folder)
        names = ("latents", "tokens")

        def tokenize(texts: Sequence[str]) -> np.ndarray:
            return loaded.signatures[_TOKENIZE_SIGNATURE](prompts=tf.constant(list(texts)))["tokens"].numpy()

    if "labels" in loaded.signatures[_SIGNATURE].structured_input_signature[1]:
        _check_signature(loaded, _NAMES_SIGNATURE, folder)
        names = ("latents", "labels")
    # The signature alone does not keep the variables alive, so it is looked up in `loaded` at each call.
    return Sampler(
        lambda *inputs: loaded.signatures[_SIGNATURE](**dict(zip(names, inputs, strict=True)))["outputs"],
        folder,
        info=info,
        tokenize=tokenize,
    )


def _stylist_from(loaded: tf.Module, folder: Path, info: ModelInfo) -> Stylist:
    stored = () if info.receptive_field else (_RECEPTIVE_FIELD_SIGNATURE,)
    for name in ("statistics", "stylize", *stored):
        _check_signature(loaded, name, folder)

    def statistics(images: tf.Tensor) -> tf.Tensor:
        return loaded.signatures["statistics"](images=images)["statistics"]

    def stylize(images: tf.Tensor, content: tf.Tensor, style: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
        given = {"content_statistics": content, "style_statistics": style, "strength": strength}
        return loaded.signatures["stylize"](images=images, **given)["outputs"]

    return Stylist(statistics, stylize, folder, info=info)


def _predictor_from(loaded: tf.Module, folder: Path, info: ModelInfo) -> Predictor:
    """With the receptive field that the export stored; a SavedModel from elsewhere counts as not local."""

    def forward(images: np.ndarray) -> tf.Tensor:
        return loaded.signatures[_SIGNATURE](images=tf.convert_to_tensor(images))["outputs"]

    if info.receptive_field is None:
        with naming(folder):
            info = dataclasses.replace(info, receptive_field=probed_receptive_field(forward))
    return Predictor(forward, folder, info=info)


def _check_signature(loaded: tf.Module, name: str, folder: Path) -> None:
    if name not in loaded.signatures:
        found = ", ".join(loaded.signatures) or "none"
        raise ValueError(f"The SavedModel '{folder}' must have the signature `{name}`. It has: {found}")
