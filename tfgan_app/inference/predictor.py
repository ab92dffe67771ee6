"""Loads a model from wherever training or export left it and runs it on uint8 pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import tfgan_app.layers  # noqa: F401  Registers the layers that `.keras` files refer to.

CHECKPOINTS = ("last", "best")

_PICTURES = tf.TensorSpec([None, None, None, 3], tf.float32, name="images")
_SIGNATURE = "float"


class Predictor:
    """A picture-to-picture model behind a uint8 interface.

    Attributes:
        path: The file or folder that the model was loaded from.
    """

    def __init__(self, forward: Callable[[tf.Tensor], tf.Tensor], path: str | os.PathLike):
        """Wraps a model.

        Args:
            forward: float32 [batch, height, width, 3] in [0, 1] -> the same shape and range.
            path: Where it came from.
        """
        self.path = Path(path)
        self._forward = forward

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Runs the model in inference mode.

        Args:
            images: uint8 [batch, height, width, 3].

        Returns:
            uint8 [batch, height, width, 3].

        Raises:
            ValueError: If `images` is of another kind, or the model fails on it (for lack of memory, say).
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                f"`images` must be uint8 [batch, height, width, 3]. Received: {images.dtype} {list(images.shape)}"
            )
        try:
            outputs = self._forward(tf.constant(images.astype(np.float32) / 255.0))
        except tf.errors.OpError as error:
            raise ValueError(f"The model failed on {list(images.shape)}: {_one_line(error)}") from error
        return np.rint(np.clip(np.asarray(outputs, np.float32), 0.0, 1.0) * 255.0).astype(np.uint8)


def load_predictor(path: str | os.PathLike, *, checkpoint: str = "last") -> Predictor:
    """Loads a model for prediction.

    Args:
        path: A run directory, a `.keras` file, a SavedModel folder, or an exported model's folder, of which
            the highest version is taken.
        checkpoint: `"last"` or `"best"`: which of a run's models to take. Other paths hold only one model.

    Returns:
        A `Predictor`.

    Raises:
        ValueError: If there is no such model or it cannot be loaded. One line.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"There is no model at '{path}'.")
    if path.is_dir() and (path / "checkpoints").is_dir():
        return _keras_predictor(run_checkpoint(path, checkpoint))
    if checkpoint != "last":
        raise ValueError(f"`checkpoint` applies to a run directory only. Received: {checkpoint} for '{path}'")
    if path.is_file() and path.suffix == ".keras":
        return _keras_predictor(path)
    saved_model = _saved_model_folder(path)
    if saved_model is None:
        raise ValueError(
            "The model must be a run directory, a .keras file, an exported model's folder "
            f"or one of its version folders. Received: '{path}'"
        )
    return _saved_model_predictor(saved_model)


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


def load_keras_model(path: str | os.PathLike) -> keras.Model:
    """Loads a `.keras` file, made of Keras's and this package's layers only, for inference.

    Args:
        path: The file. Code stored in it is not run.

    Returns:
        The model, not compiled.

    Raises:
        ValueError: If the file is no such model. One line.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Damaged archives and foreign layers fail in many ways.
        raise ValueError(f"Cannot load the Keras model '{path}': {_one_line(error)}") from error


def _keras_predictor(path: Path) -> Predictor:
    model = load_keras_model(path)
    forward = tf.function(lambda images: model(images, training=False), input_signature=[_PICTURES])
    return Predictor(forward, path)


def _saved_model_predictor(folder: Path) -> Predictor:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"Cannot load the SavedModel '{folder}': {_one_line(error)}") from error
    if _SIGNATURE not in loaded.signatures:
        found = ", ".join(loaded.signatures) or "none"
        raise ValueError(f"The SavedModel '{folder}' must have the signature `{_SIGNATURE}`. It has: {found}")
    # The signature alone does not keep the variables alive: look it up in `loaded` at each call.
    return Predictor(lambda images: loaded.signatures[_SIGNATURE](images=images)["outputs"], folder)


def _saved_model_folder(path: Path) -> Path | None:
    """The folder itself where it is a SavedModel, else the highest of its versions, else None."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [entry.parent for entry in path.glob("*/saved_model.pb") if entry.parent.name.isdecimal()]
    return max(versions, key=lambda folder: int(folder.name), default=None)


def _one_line(error: Exception) -> str:
    """The first line of an error's message, since TensorFlow and Keras append stacks and advice."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
