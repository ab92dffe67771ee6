"""Imported networks as generators of a training."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from tfgan_app.inference import load_keras_model
from tfgan_app.layers import ClipToUnitRange, FromUnitRange, provenance_of, receptive_field_of
from tfgan_app.tasks.restoration import builders


def imported_generator(source: str | None, *, scale: int) -> keras.Model | None:
    """Loads a network of `tfgan_app import` for further training.

    Args:
        source: `task.init_from`.
        scale: Scale of the task.

    Returns:
        The generator with its weights, `image` float32 `[batch, height, width, 3]` in [-1, 1] -> float32 `[batch,
        scale * height, scale * width, 3]`; None if the source is not an imported model.

    Raises:
        ValueError: If its scale differs, or it does not map RGB to RGB.
    """
    if source is None or Path(source).suffix != ".keras" or not Path(source).is_file():
        return None
    model = load_keras_model(source)
    if not provenance_of(model):
        return None
    network = model.get_layer(builders.GENERATOR)
    channels = [tensor.shape[-1] for tensor in (*network.inputs, *network.outputs)]
    if channels != [3, 3]:
        raise ValueError(
            f"`task.init_from` must be a network of images of three channels. Received: '{source}', {channels}"
        )
    found = receptive_field_of(model).scale
    if found != scale:
        raise ValueError(f"`task.init_from` must enlarge by {scale} as the task does. Received: '{source}', by {found}")
    network.trainable = True
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, _between_ranges(model, network, image), name=builders.GENERATOR)


def _between_ranges(model: keras.Model, network: keras.Model, image):
    """Runs a network on an image in [-1, 1], converted to the range of the surrounding model, without its clipping."""
    kinds = {type(layer) for layer in model.layers}
    if FromUnitRange in kinds:
        return network(image)
    if ClipToUnitRange not in kinds:
        raise ValueError("`task.init_from` does not support this kind of imported model.")
    gain = 255.0 if layers.Rescaling in kinds else 1.0
    x = network(layers.Rescaling(0.5 * gain, offset=0.5 * gain, name="to_network")(image))
    return layers.Rescaling(2.0 / gain, offset=-1.0, dtype="float32", name="from_network")(x)
