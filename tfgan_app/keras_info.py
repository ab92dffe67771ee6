"""`ModelInfo` of a Keras model, from its graph."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Mapping

import keras

from tfgan_app.keras_metadata import NOT_STATED
from tfgan_app.layers import (
    class_names_of,
    data_window_of,
    feature_bytes_per_px,
    makes_color,
    provenance_of,
    receptive_field_of,
    style_parts,
    truncation_of,
)
from tfgan_app.model_info import KINDS, Kind, ModelInfo, images_kind

_KNOWN: weakref.WeakKeyDictionary[keras.Model, ModelInfo] = weakref.WeakKeyDictionary()
"""Cache: walking the graph of a deep network takes noticeable time, and an export asks repeatedly."""


def model_info(model: keras.Model) -> ModelInfo:
    """Returns the description of a Keras inference model.

    Args:
        model: `images` float32 `[batch, height, width, channels]` in [0, 1], with `style` and `strength` or without; or
            `latents` float32 `[batch, latent_dim]`, alone or with `labels` int32 `[batch]` or `tokens` int32
            `[batch, length]` -> images in [0, 1].

    Returns:
        Its `ModelInfo`. A model whose inputs have other names counts as an image model.

    Raises:
        ValueError: If an image model does not have one image input and one image output, or fails on a small image.
    """
    if model not in _KNOWN:
        facts = provenance_of(model)
        origin = {"license": facts.pop("License", NOT_STATED), "facts": facts}
        kind = KINDS.get(frozenset(tensor.name for tensor in model.inputs), "images")
        _KNOWN[model] = _BUILDERS[kind](model, origin)
    info = _KNOWN[model]
    # Unlike the other facts, this one can be set.
    return info if info.style_truncation is None else dataclasses.replace(info, style_truncation=truncation_of(model))


def _noise_info(model: keras.Model, origin: Mapping) -> ModelInfo:
    shape = model.outputs[0].shape
    return ModelInfo(
        kind="noise",
        output_channels=shape[-1],
        latent_dim=model.inputs[0].shape[1],
        classes=tuple(class_names_of(model)),
        style_truncation=truncation_of(model),
        prompt_tokens=next((tensor.shape[1] for tensor in model.inputs if tensor.name == "tokens"), 0),
        image_size=tuple(shape[1:3]) if len(shape) == 4 else None,
        **origin,
    )


def _images_info(model: keras.Model, origin: Mapping) -> ModelInfo:
    channels, window = model.inputs[0].shape[-1], data_window_of(model)
    return ModelInfo(
        kind=images_kind(channels, window),
        receptive_field=receptive_field_of(model),
        channels=channels,
        output_channels=channels if window else ModelInfo.output_channels,
        window=window,
        bytes_per_px=feature_bytes_per_px(model),
        makes_color=makes_color(model),
        **origin,
    )


def _style_info(model: keras.Model, origin: Mapping) -> ModelInfo:
    # The statistics of the whole image are computed separately; the rest is local.
    path = style_parts(model).path
    receptive_field, bytes_per_px = receptive_field_of(path), feature_bytes_per_px(path)
    return ModelInfo(
        kind="style", receptive_field=receptive_field, bytes_per_px=bytes_per_px, makes_color=True, **origin
    )


_BUILDERS: dict[Kind, Callable[[keras.Model, Mapping], ModelInfo]] = {
    "images": _images_info,
    "style": _style_info,
    "noise": _noise_info,
}
