"""Networks, losses and forward pass of CUT and FastCUT, from their settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.losses import RECONSTRUCTION_LOSSES, patch_nce_loss
from tfgan_app.networks.encoder_features import build_encoder, build_generator_with_features, encoder_layers
from tfgan_app.networks.patch_features import build_patch_features, take_patches
from tfgan_app.tasks.translate.builders import build_discriminator, build_generator
from tfgan_app.training.task import GeneratorOutputs, Networks

METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    "cut": {"nce_weight": 1.0, "nce_identity_weight": 1.0, "flip_equivariance": False},
    "fastcut": {"nce_weight": 10.0, "nce_identity_weight": 0.0, "flip_equivariance": True},
}
"""Defaults of the methods: arXiv:2007.15651, section 3.2 and appendix C.1."""


def with_method_defaults(settings: Any, method: str) -> Any:
    """The settings, completed with the method's defaults."""
    own = METHOD_DEFAULTS[method]
    chosen = {name: getattr(settings, name) for name in own}
    return dataclasses.replace(settings, **{k: own[k] if value is None else value for k, value in chosen.items()})


def nce_weights(settings: Any) -> dict[str, float]:
    """Weights of the contrastive loss, and of that on targets if it is used."""
    weights = {"nce": settings.nce_weight, "nce_identity": settings.nce_identity_weight}
    return {name: weight for name, weight in weights.items() if weight or name == "nce"}


def build_networks(
    settings: Any,
    *,
    size_px: int,
    own: Mapping[str, Callable[[], keras.Model]],
    layers: Sequence[str] | None = None,
) -> Networks:
    """Builds generator, discriminator and patch perceptrons, which train with the generator.

    Args:
        settings: Settings of the method.
        size_px: Height and width of the training images.
        own: Builders of a user's own `generator` or `discriminator`.
        layers: Names of the generator's layers whose patches are compared; None takes the architecture's default.
    """
    generator = own["generator"]() if "generator" in own else build_generator(settings, size_px=size_px)
    layers = layers or encoder_layers(generator, settings.generator)
    encoder = build_encoder(generator, layers)
    perceptrons = build_patch_features([each.shape[-1] for each in encoder.outputs], dim=settings.nce_dim)
    build_one = own.get("discriminator", lambda: build_discriminator(settings, condition_channels=0))
    return Networks(
        {"generator": generator, "patch_features": perceptrons},
        {"discriminator": build_one()},
        views={"encoder": encoder, "generator": build_generator_with_features(generator, layers)},
    )


def forward(networks: Networks, batch: dict, training: bool, *, settings: Any, levels: int) -> GeneratorOutputs:
    """Translates the inputs, and targets that must stay unchanged.

    Args:
        networks: Result of `build_networks`.
        batch: `input` and `target`, float32 `[batch, height, width, 3]` in [-1, 1]; `mirrored`, bool `[batch]`;
            `places`, float32 `[batch, levels * nce_patches]`, uniform in [0, 1).
        training: Whether layers such as dropout are active.
        settings: Settings of the method, completed with its defaults.
        levels: Number of layers that `places` are drawn for.
    """
    inputs = batch["input"]
    count = tf.shape(inputs)[0]
    kept = tf.cast(tf.math.ceil(settings.nce_identity_share * tf.cast(count, tf.float32)), tf.int32)

    def with_kept(values: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        return tf.concat([values, others[:kept]], axis=0) if settings.nce_identity_weight else values

    images = with_kept(inputs, batch["target"])
    mirrored = with_kept(batch["mirrored"], batch["mirrored"]) if settings.flip_equivariance else None
    outputs, *keys = networks.views["generator"](_mirror(images, mirrored), training=training)
    if mirrored is not None:
        # Keys carry no gradient: this is a forward pass of half a generator.
        keys = _as_list(networks.views["encoder"](images, training=training))
    queries = [_mirror(each, mirrored) for each in _as_list(networks.views["encoder"](outputs, training=training))]
    places = tf.split(with_kept(batch["places"], batch["places"]), levels, axis=1)
    query_vectors, key_vectors = _patches(networks.generators["patch_features"], queries, keys, places)
    auxiliary = {"nce": _contrast(query_vectors, key_vectors, slice(None, count))}
    if settings.nce_identity_weight:
        auxiliary["nce_identity"] = _contrast(query_vectors, key_vectors, slice(count, None))
    output = _mirror(outputs, mirrored)[:count]
    return GeneratorOutputs(
        {"discriminator": (batch["target"], output, None)},
        auxiliary,
        monitored={"change": RECONSTRUCTION_LOSSES["l1"](inputs, output) / 2.0},
        output=output,
    )


def _patches(perceptrons: keras.Model, queries: list, keys: list, places: list) -> list[list[tf.Tensor]]:
    """Unit vectors at equal places of queries and of keys, layer by layer."""
    return [
        _as_list(perceptrons([take_patches(maps, draws) for maps, draws in zip(side, places, strict=False)]))
        for side in (queries, [tf.stop_gradient(maps) for maps in keys])
    ]


def _as_list(outputs: Any) -> list[tf.Tensor]:
    """Outputs of a model as a list, also for a single tensor."""
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _contrast(queries: list[tf.Tensor], keys: list[tf.Tensor], images: slice) -> tf.Tensor:
    """Mean over layers of the contrastive loss of a slice of the images."""
    losses = [patch_nce_loss(q[images], k[images]) for q, k in zip(queries, keys, strict=True)]
    return tf.add_n(losses) / len(losses)


def _mirror(maps: tf.Tensor, mirrored: tf.Tensor | None) -> tf.Tensor:
    """Mirrors the marked maps of `[batch, rows, columns, channels]` left and right; None marks none."""
    return maps if mirrored is None else tf.where(mirrored[:, None, None, None], maps[:, :, ::-1], maps)
