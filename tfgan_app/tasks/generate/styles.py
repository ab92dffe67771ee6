"""Regularizers of generators, and style mixing."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from tfgan_app.layers import LatentCodes
from tfgan_app.networks.stylegan2 import style_networks
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.training.orthogonality import orthogonal_regularizer
from tfgan_app.training.path_length import path_length_regularizer
from tfgan_app.training.task import GeneratorRegularizer, Networks


def draw_mixed(generator: keras.Model, latents: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
    """Draws the images of a training step, of two styles each in a share of them.

    The second latents are those of the image before in the batch, of the first image's class: as independent as fresh
    ones, and a function of the step alone.

    Args:
        generator: Any generator; one without styles draws as ever.
        latents: float32 `[batch, latent_dim]`.
        labels: int32 `[batch]`, or None.
    """
    parts = style_networks(generator)
    if parts is None:
        return generator(_inputs(latents, labels), training=True)
    w = parts.w(_inputs(latents, labels), training=True)
    other = parts.mapping(_inputs(tf.roll(latents, 1, axis=0), labels), training=True)
    return parts.images(w, other, training=True)


def build_regularizers(
    settings: GenerateConfig, *, codes: LatentCodes | None = None
) -> tuple[GeneratorRegularizer, ...]:
    """Builds the regularizers of the generator.

    Args:
        settings: Settings of the task.
        codes: Layer from latents to codes, if there are codes.
    """
    found = []
    if settings.orthogonal_weight:
        found.append(orthogonal_regularizer(weight=settings.orthogonal_weight))
    if settings.path_length_weight:
        styles_of = functools.partial(_styles_of, codes=codes)
        interval = settings.path_length_every_steps
        found.append(path_length_regularizer(styles_of, weight=settings.path_length_weight, every_steps=interval))
    return tuple(found)


def _styles_of(networks: Networks, batch: dict, *, codes: LatentCodes | None):
    """Styles of half of a batch, and the synthesis network."""
    generator = networks.generators["generator"]
    parts, conditional = style_networks(generator), len(generator.inputs) > 1
    half = (tf.shape(batch["latents"])[0] + 1) // 2
    latents = batch["latents"][:half]
    latents = latents if codes is None else codes(latents)
    w = parts.mapping(_inputs(latents, batch["label"][:half] if conditional else None), training=True)
    synthesize: Callable = functools.partial(parts.synthesis, training=True)
    return parts.mixing(w), synthesize


def _inputs(latents: tf.Tensor, labels: tf.Tensor | None):
    return latents if labels is None else [latents, labels]
