"""The model around an imported network: images in [0, 1], three channels, and its provenance."""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import layers

from tfgan_app.importers.architecture import BYTE, SYMMETRIC, Built
from tfgan_app.layers import ChannelSlice, ClipToUnitRange, FromUnitRange, MakesColor, Provenance, ToUnitRange

LUMA = (0.299, 0.587, 0.114)
"""Luma weights of ITU-R BT.601, by which Pillow and torchvision convert colors to gray."""


def assemble(built: Built, facts: Mapping[str, str], *, name: str) -> keras.Model:
    """Makes an inference model of a network.

    A network of one channel in and out runs on red, green and blue separately, so gray stays gray and color is kept.
    One that colorizes receives the luma; the output of one that makes gray is repeated in three channels.

    Args:
        built: The network.
        facts: Facts for the model's `Provenance`.
        name: Name of the model.

    Returns:
        `images` float32 `[batch, height, width, 3]` in [0, 1] -> the same; or, for a network that takes `latents`
        `[batch, latent_dim]`, `latents` -> images.

    Raises:
        ValueError: If the network takes or gives another number of channels.
    """
    taken, given = built.network.inputs[0], built.network.outputs[0].shape[-1]
    if taken.name == "latents":
        latents = keras.Input(taken.shape[1:], name="latents")
        outputs = ToUnitRange(name="to_unit_range")(built.network(latents))
        return keras.Model(latents, Provenance(dict(facts), dtype="float32", name="provenance")(outputs), name=name)
    if taken.shape[-1] not in (1, 3) or given not in (1, 3):
        raise ValueError(f"it takes {taken.shape[-1]} channels and gives {given}: images must have 1 or 3")
    images = keras.Input((None, None, 3), name="images")
    x = _to_range(images, built.value_range)
    if (taken.shape[-1], given) == (1, 1):
        parts = [ChannelSlice(index, index + 1, name=f"channel_{index}")(x) for index in range(3)]
        x = layers.Concatenate(name="channels")([built.network(part) for part in parts])
    else:
        x = built.network(_gray(x) if taken.shape[-1] == 1 else x)
        x = layers.Concatenate(name="channels")([x] * 3) if given == 1 else x
    x = _from_range(x, built.value_range)
    x = MakesColor(name="makes_color")(x) if taken.shape[-1] < given else x
    return keras.Model(images, Provenance(dict(facts), dtype="float32", name="provenance")(x), name=name)


def _to_range(x, value_range: str):
    if value_range == SYMMETRIC:
        return FromUnitRange(name="from_unit_range")(x)
    return layers.Rescaling(255.0, name="to_levels")(x) if value_range == BYTE else x


def _from_range(x, value_range: str):
    if value_range == SYMMETRIC:
        return ToUnitRange(dtype="float32", name="to_unit_range")(x)
    x = layers.Rescaling(1.0 / 255.0, dtype="float32", name="from_levels")(x) if value_range == BYTE else x
    return ClipToUnitRange(dtype="float32", name="clip")(x)


def _gray(x):
    """Luma of colors, in any value range."""
    luma = layers.Conv2D(1, 1, use_bias=False, trainable=False, name="luma")
    gray = luma(x)
    luma.set_weights([keras.ops.convert_to_numpy(keras.ops.reshape(LUMA, (1, 1, 3, 1)))])
    return gray
