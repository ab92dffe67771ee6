"""Loads a model from wherever training or export left it, and finds out what it does."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import tensorflow as tf

from tfgan_app.inference.errors import one_line
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.styling import Stylist
from tfgan_app.latents import takes_latents
from tfgan_app.layers import (  # The package registers the layers that `.keras` files refer to.
    Locality,
    PictureFacts,
    build_colour_model,
    class_names_of,
    picture_facts,
    probed_locality,
    style_parts,
    takes_style,
)
from tfgan_app.lite.model import load_lite_model

CHECKPOINTS = ("last", "best")
COMPANION = "-"
"""Between the name of a run's model and that of one kept beside it, as in `last-inverse.keras`."""

COLOUR = "colour:"
"""What a model's path begins with where it is no file but a conversion between colour spaces."""

_SIGNATURE = "float"
_PAGE_MODEL = "model.tflite"
_NAMES_SIGNATURE = "class_names"
_LOCALITY_SIGNATURE = "locality"


def load_predictor(path: str | os.PathLike, *, checkpoint: str = "last") -> Predictor | Sampler | Stylist:
    """Loads a model for prediction.

    Args:
        path: A run directory, a `.keras` or `.tflite` file, a web page's folder, a SavedModel folder, or an exported
            model's folder, of which the highest version is taken. Or `colour:NAME`, see `colour_model`.
        checkpoint: `"last"` or `"best"`: which of a run's models to take. Other paths hold only one model.

    Returns:
        A `Sampler` for a model that draws pictures from latents, a `Stylist` for one that takes a style, else a
        `Predictor`.

    Raises:
        ValueError: If there is no such model or it cannot be loaded. One line.
    """
    path = Path(path)
    if is_colour(path):
        _check_last(path, checkpoint)
        return predictor_of(colour_model(path), path)
    if not path.exists():
        raise ValueError(f"There is no model at '{path}'.")
    lite = path / _PAGE_MODEL if path.is_dir() else path
    if lite.suffix == ".tflite" and lite.is_file():
        _check_last(path, checkpoint)
        return _from_lite_model(lite)
    if is_run(path) or (path.is_file() and path.suffix == ".keras"):
        file = model_file(path, checkpoint)
        return predictor_of(load_keras_model(file), file)
    _check_last(path, checkpoint)
    saved_model = _saved_model_folder(path)
    if saved_model is None:
        raise ValueError(
            "The model must be a run directory, a .keras or .tflite file, an exported model's folder "
            f"or one of its version folders. Received: '{path}'"
        )
    return _from_saved_model(saved_model)


def is_colour(path: str | os.PathLike) -> bool:
    """Whether a path names a conversion between colour spaces."""
    return os.fspath(path).startswith(COLOUR)


def colour_model(path: str | os.PathLike) -> keras.Model:
    """The model of a conversion between colour spaces, which needs no training.

    Args:
        path: `colour:` and one of `tfgan_app.layers.CONVERSIONS`, such as `colour:rgb_to_lab`.

    Raises:
        ValueError: If there is no such conversion; lists those that there are.
    """
    return build_colour_model(os.fspath(path).removeprefix(COLOUR))


def is_run(path: Path) -> bool:
    """Whether a path is a run directory that has trained."""
    return (path / "checkpoints").is_dir()


def model_file(path: str | os.PathLike, checkpoint: str = "last") -> Path:
    """The `.keras` file at a path.

    Args:
        path: A run directory or a `.keras` file.
        checkpoint: As for `load_predictor`.

    Raises:
        ValueError: If there is none.
    """
    path = Path(path)
    if is_run(path):
        return run_checkpoint(path, checkpoint)
    _check_last(path, checkpoint)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(f"The model must be a run directory or a .keras file. Received: '{path}'")
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
    """Loads the models that a run keeps beside one of its own.

    Args:
        path: What `run_checkpoint` returned.

    Returns:
        Their names, such as `inverse` of `last-inverse.keras`, and the models; mostly none.

    Raises:
        ValueError: If one cannot be loaded.
    """
    prefix = f"{path.stem}{COMPANION}"
    found = sorted(path.parent.glob(f"{prefix}*.keras"))
    return {file.stem.removeprefix(prefix): load_keras_model(file) for file in found}


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
        raise ValueError(f"Cannot load the Keras model '{path}': {one_line(error)}") from error


def predictor_of(model: keras.Model, path: str | os.PathLike) -> Predictor | Sampler | Stylist:
    """Wraps an inference model that is in memory.

    Args:
        model: What a task's `inference_model` made.
        path: Where it came from.

    Returns:
        As `load_predictor`.

    Raises:
        ValueError: If it is no such model. One line.
    """
    path = Path(path)
    if takes_style(model):
        return _stylist_of(model, path)
    if not takes_latents(model):
        channels = model.inputs[0].shape[-1]
        pictures = tf.TensorSpec([None, None, None, channels], tf.float32, name="images")
        forward = tf.function(lambda images: model(images, training=False), input_signature=[pictures])
        with _naming(path):
            return Predictor(forward, path, **vars(picture_facts(model)))
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    forward = tf.function(
        lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0], training=False), input_signature=specs
    )
    names = class_names_of(model)
    if len(specs) > 1 and not names:
        raise ValueError(f"The model '{path}' takes labels, so it must name its classes. It has no layer `ClassNames`.")
    return Sampler(forward, path, latent_dim=specs[0].shape[1], class_names=names)


def _stylist_of(model: keras.Model, path: Path) -> Stylist:
    with _naming(path):
        parts = style_parts(model)
    statistics, stylize = (
        tf.function(
            lambda *inputs, part=part: part(list(inputs) if len(inputs) > 1 else inputs[0], training=False),
            input_signature=[tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in part.inputs],
        )
        for part in (parts.statistics, parts.stylize)
    )
    return Stylist(statistics, stylize, path, facts=parts.facts)


def _from_lite_model(path: Path) -> Predictor | Sampler | Stylist:
    lite = load_lite_model(path)
    card = lite.card
    if card.latent_dim:
        return Sampler(lite, path, latent_dim=card.latent_dim, class_names=card.classes)
    locality = Locality(card.scale, card.context_px, card.multiple)
    return Predictor(
        lite,
        path,
        locality=locality,
        channels=card.channels,
        bytes_per_px=card.bytes_per_px,
        makes_colour=card.makes_colour,
        largest_px=card.tile_px if card.sizes == "fixed" else None,
    )


def _from_saved_model(folder: Path) -> Predictor | Sampler | Stylist:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"Cannot load the SavedModel '{folder}': {one_line(error)}") from error
    _check_signature(loaded, _SIGNATURE, folder)
    specs = loaded.signatures[_SIGNATURE].structured_input_signature[1]

    # The signature alone does not keep the variables alive: look it up in `loaded` at each call.
    def forward(**inputs: tf.Tensor) -> tf.Tensor:
        return loaded.signatures[_SIGNATURE](**inputs)["outputs"]

    if "style" in specs:
        return _stylist_from(loaded, folder)
    if "latents" not in specs:
        channels = specs["images"].shape[-1]
        return _from_picture_signatures(loaded, lambda images: forward(images=images), folder, channels=channels)
    latent_dim = specs["latents"].shape[1]
    if "labels" not in specs:
        return Sampler(lambda latents: forward(latents=latents), folder, latent_dim=latent_dim)
    _check_signature(loaded, _NAMES_SIGNATURE, folder)
    return Sampler(
        lambda latents, labels: forward(latents=latents, labels=labels),
        folder,
        latent_dim=latent_dim,
        class_names=_stored_class_names(loaded.signatures[_NAMES_SIGNATURE]),
    )


def _stylist_from(loaded: tf.Module, folder: Path) -> Stylist:
    for name in ("statistics", "stylize", _LOCALITY_SIGNATURE):
        _check_signature(loaded, name, folder)

    def statistics(images: tf.Tensor) -> tf.Tensor:
        return loaded.signatures["statistics"](images=images)["statistics"]

    def stylize(images: tf.Tensor, content: tf.Tensor, style: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
        given = {"content_statistics": content, "style_statistics": style, "strength": strength}
        return loaded.signatures["stylize"](images=images, **given)["outputs"]

    return Stylist(statistics, stylize, folder, facts=_stored_facts(loaded, channels=3))


def _from_picture_signatures(loaded: tf.Module, forward: Callable, folder: Path, *, channels: int) -> Predictor:
    """With the locality that the export stored; a SavedModel from elsewhere counts as not local."""
    if _LOCALITY_SIGNATURE not in loaded.signatures:
        with _naming(folder):
            return Predictor(forward, folder, locality=probed_locality(forward), channels=channels)
    return Predictor(forward, folder, **vars(_stored_facts(loaded, channels=channels)))


def _stored_facts(loaded: tf.Module, *, channels: int) -> PictureFacts:
    stored = loaded.signatures[_LOCALITY_SIGNATURE](images=tf.zeros([1, 1, 1, channels], tf.uint8))
    numbers = {name: int(values[0]) for name, values in stored.items()}
    return PictureFacts.from_numbers(numbers, channels=channels)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Puts the path of the model in front of what is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Cannot use the model '{path}': {error}") from error


def _check_signature(loaded: tf.Module, name: str, folder: Path) -> None:
    if name not in loaded.signatures:
        found = ", ".join(loaded.signatures) or "none"
        raise ValueError(f"The SavedModel '{folder}' must have the signature `{name}`. It has: {found}")


def _stored_class_names(signature: Callable) -> list[str]:
    """Asks how many classes there are, then for all of their names."""
    count = int(signature(labels=tf.constant([0]))["count"][0])
    return [name.decode() for name in signature(labels=tf.range(count))["names"].numpy()]


def _saved_model_folder(path: Path) -> Path | None:
    """The folder itself where it is a SavedModel, else the highest of its versions, else None."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [entry.parent for entry in path.glob("*/saved_model.pb") if entry.parent.name.isdecimal()]
    return max(versions, key=lambda folder: int(folder.name), default=None)
