"""SavedModels as models of pictures, seeds and styles, by their signatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tfgan_app.inference.errors import naming, one_line
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.sampler import Sampler
from tfgan_app.inference.styling import Stylist
from tfgan_app.layers import PictureFacts, probed_locality

_SIGNATURE = "float"
_NAMES_SIGNATURE = "class_names"
_LOCALITY_SIGNATURE = "locality"


def find_saved_model(path: Path) -> Path | None:
    """The folder itself where it is a SavedModel, else the highest of its versions, else None."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [entry.parent for entry in path.glob("*/saved_model.pb") if entry.parent.name.isdecimal()]
    return max(versions, key=lambda folder: int(folder.name), default=None)


def load_saved_model(folder: Path) -> Predictor | Sampler | Stylist:
    """Wraps the signatures of a SavedModel.

    Args:
        folder: What `find_saved_model` returned.

    Raises:
        ValueError: If it cannot be loaded, or lacks a signature. One line.
    """
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
        return _from_picture_signatures(
            loaded, lambda images: forward(images=tf.convert_to_tensor(images)), folder, channels=channels
        )
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
        with naming(folder):
            return Predictor(forward, folder, locality=probed_locality(forward), channels=channels)
    return Predictor(forward, folder, **vars(_stored_facts(loaded, channels=channels)))


def _stored_facts(loaded: tf.Module, *, channels: int) -> PictureFacts:
    stored = loaded.signatures[_LOCALITY_SIGNATURE](images=tf.zeros([1, 1, 1, channels], tf.uint8))
    numbers = {name: int(values[0]) for name, values in stored.items()}
    return PictureFacts.from_numbers(numbers, channels=channels)


def _check_signature(loaded: tf.Module, name: str, folder: Path) -> None:
    if name not in loaded.signatures:
        found = ", ".join(loaded.signatures) or "none"
        raise ValueError(f"The SavedModel '{folder}' must have the signature `{name}`. It has: {found}")


def _stored_class_names(signature: Callable) -> list[str]:
    """Asks how many classes there are, then for all of their names."""
    count = int(signature(labels=tf.constant([0]))["count"][0])
    return [name.decode() for name in signature(labels=tf.range(count))["names"].numpy()]
