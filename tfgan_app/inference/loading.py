"""Loading of models from any place where training or export stores them, with detection of their kind."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.inference.engines import lite_file
from tfgan_app.inference.errors import naming, one_line
from tfgan_app.inference.lite_engine import lite_predictor
from tfgan_app.inference.places import find_saved_model, is_run
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.saved_models import load_saved_model
from tfgan_app.inference.styling import Stylist
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import saved_class
from tfgan_app.layers import (  # The package registers the layers of `.keras` files.
    build_color_model,
    set_truncation,
    style_parts,
    vocabulary_of,
)
from tfgan_app.lite.model import load_lite_model
from tfgan_app.model_info import ModelInfo, card_info
from tfgan_app.registry import KERAS_MODELS
from tfgan_app.shipped import located, shipped_names
from tfgan_app.tokens import Vocabulary, tokenize

CHECKPOINTS = ("last", "best")
AUXILIARY_SEPARATOR = "-"
"""Separator between the name of a run's model and that of a companion, as in `last-inverse.keras`."""

COLOR = "color:"
"""Prefix of a model path that names a color space conversion instead of a file."""


def load_predictor(path: str | os.PathLike, *, checkpoint: str = "last") -> Predictor | Sampler | Stylist:
    """Loads a model for prediction.

    Args:
        path: A run directory, a `.keras` or `.tflite` file, a web page's folder, a SavedModel folder, or an exported
            model's folder, of which the highest version is loaded. Or the name of a shipped model (or of one of its
            files), see `tfgan_app.shipped`; or `color:NAME`, see `color_model`.
        checkpoint: `"last"` or `"best"`: selects one of a run's models. Other paths hold only one model.

    Returns:
        A `Sampler` for a model that draws images from latents, a `Stylist` for a style transfer model, otherwise a
        `Predictor`.

    Raises:
        ValueError: If there is no such model or it cannot be loaded. One line.
    """
    path = located(path)
    if is_color(path):
        _check_last(path, checkpoint)
        return predictor_of(color_model(path), path)
    if not path.exists():
        raise ValueError(f"There is no model at '{path}'. {shipped_names()}")
    if (lite := lite_file(path)) is not None:
        _check_last(path, checkpoint)
        return _from_lite_model(lite)
    if is_run(path) or (path.is_file() and path.suffix == ".keras"):
        file = model_file(path, checkpoint)
        return predictor_of(load_keras_model(file), file)
    _check_last(path, checkpoint)
    saved_model = find_saved_model(path)
    if saved_model is None:
        raise ValueError(
            "The model must be a run directory, a .keras or .tflite file, an exported model's folder "
            f"or one of its version folders. Received: '{path}'. {shipped_names()}"
        )
    return load_saved_model(saved_model)


def is_color(path: str | os.PathLike) -> bool:
    """Returns whether a path names a color space conversion."""
    return os.fspath(path).startswith(COLOR)


def color_model(path: str | os.PathLike) -> keras.Model:
    """Model of a color space conversion, which needs no training.

    Args:
        path: `color:` and one of `tfgan_app.layers.CONVERSIONS`, such as `color:rgb_to_lab`.

    Raises:
        ValueError: If there is no such conversion; lists the known ones.
    """
    return build_color_model(os.fspath(path).removeprefix(COLOR))


def model_file(path: str | os.PathLike, checkpoint: str = "last") -> Path:
    """Returns the `.keras` file at a path.

    Args:
        path: A run directory, a `.keras` file, or the name of a shipped model.
        checkpoint: As for `load_predictor`.

    Raises:
        ValueError: If there is no such file.
    """
    path = located(path)
    if is_run(path):
        return run_checkpoint(path, checkpoint)
    _check_last(path, checkpoint)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(f"The model must be a run directory or a .keras file. Received: '{path}'. {shipped_names()}")
    return path


def _check_last(path: Path, checkpoint: str) -> None:
    if checkpoint != "last":
        raise ValueError(f"`checkpoint` applies to a run directory only. Received: {checkpoint} for '{path}'")


def run_checkpoint(run_dir: str | os.PathLike, checkpoint: str = "last") -> Path:
    """Finds the inference model of a run.

    Args:
        run_dir: The run directory.
        checkpoint: `"last"` or `"best"`.

    Returns:
        The path of a `.keras` file that exists.

    Raises:
        ValueError: If the run has none (yet).
    """
    if checkpoint not in CHECKPOINTS:
        raise ValueError(f"`checkpoint` must be one of {', '.join(CHECKPOINTS)}. Received: {checkpoint}")
    path = Path(run_dir) / "checkpoints" / f"{checkpoint}.keras"
    if not path.is_file():
        raise ValueError(f"The run has no model '{path}' (yet): give a run directory that has trained.")
    return path


def load_companions(path: Path) -> dict[str, keras.Model]:
    """Loads the companions of a run's model.

    Args:
        path: The result of `run_checkpoint`.

    Returns:
        Their names, such as `inverse` for `last-inverse.keras`, and the models; usually none.

    Raises:
        ValueError: If one cannot be loaded.
    """
    prefix = f"{path.stem}{AUXILIARY_SEPARATOR}"
    found = sorted(path.parent.glob(f"{prefix}*.keras"))
    return {file.stem.removeprefix(prefix): load_keras_model(file) for file in found}


def load_keras_model(path: str | os.PathLike) -> keras.Model:
    """Loads a `.keras` file, made of Keras's and this package's layers only, for inference.

    Args:
        path: The file. Code stored in it is not run.

    Returns:
        The inference model, not compiled; of a GAN of `tfgan_app.models` that was saved whole, its averaged generator.

    Raises:
        ValueError: If the file is not such a model. One line.
    """
    try:
        # Keras knows these classes once they are imported.
        name = saved_class(path).removeprefix("tfgan_app>")
        is_gan = name in KERAS_MODELS and KERAS_MODELS[name] is not None
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        return model.inference_model() if is_gan else model
    except Exception as error:  # Damaged archives and unknown layers fail in many ways.
        raise ValueError(f"Cannot load the Keras model '{path}': {one_line(error)}") from error


def predictor_of(model: keras.Model, path: str | os.PathLike) -> Predictor | Sampler | Stylist:
    """Wraps an inference model that is in memory.

    Args:
        model: The result of a task's `inference_model`.
        path: Path that the model was loaded from.

    Returns:
        The same as for `load_predictor`.

    Raises:
        ValueError: If it is not such a model. One line.
    """
    path = Path(path)
    with naming(path):
        info = model_info(model)
    if info.kind == "style":
        return _stylist_of(model, path, info)
    if info.kind == "noise":
        return _sampler_of(model, path, info)
    images = tf.TensorSpec([None, None, None, info.channels], tf.float32, name="images")
    forward = tf.function(lambda images: model(images, training=False), input_signature=[images])
    return Predictor(forward, path, info=info)


def _sampler_of(model: keras.Model, path: Path, info: ModelInfo) -> Sampler:
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    forward = tf.function(
        lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0], training=False), input_signature=specs
    )
    if info.prompt_tokens:
        found = vocabulary_of(model)
        if found is None:
            raise ValueError(f"The model '{path}' takes tokens, so it must have a layer `PromptTokens`. It has none.")
        return Sampler(
            forward,
            path,
            info=info,
            set_truncation=functools.partial(set_truncation, model),
            model=model,
            tokenize=tokenizer(found),
        )
    if len(specs) > 1 and not info.classes:
        raise ValueError(f"The model '{path}' takes labels, so it must name its classes. It has no layer `ClassNames`.")
    return Sampler(forward, path, info=info, model=model, set_truncation=functools.partial(set_truncation, model))


def _stylist_of(model: keras.Model, path: Path, info: ModelInfo) -> Stylist:
    parts = style_parts(model)
    statistics, stylize = (
        tf.function(
            lambda *inputs, part=part: part(list(inputs) if len(inputs) > 1 else inputs[0], training=False),
            input_signature=[tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in part.inputs],
        )
        for part in (parts.statistics, parts.stylize)
    )
    return Stylist(statistics, stylize, path, info=info)


def _from_lite_model(path: Path) -> Predictor | Sampler:
    lite = load_lite_model(path)
    info = card_info(lite.card)
    if info.kind != "noise":
        return lite_predictor(lite, path)
    with naming(path):
        return Sampler(
            lite, path, info=info, tokenize=tokenizer(json.loads(lite.card.vocabulary)) if info.prompt_tokens else None
        )


def tokenizer(config: dict) -> Callable[[Sequence[str]], np.ndarray]:
    """Returns the function of texts to tokens of a vocabulary's configuration."""
    vocabulary = Vocabulary.from_config(config)
    return lambda texts: tokenize(tf.constant(list(texts)), vocabulary).numpy()
