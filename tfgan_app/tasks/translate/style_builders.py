"""Networks, losses and forward pass of style transfer, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.layers import AdaptiveInstanceNorm, channel_statistics
from tfgan_app.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES, StyleLosses, content_distance, style_distance
from tfgan_app.networks.style_transfer import build_style_decoder
from tfgan_app.tasks.translate.builders import build_discriminator
from tfgan_app.training.task import UNIT_RANGE, GeneratorOutputs, Networks, Objective

DECODER = "decoder"

_MEAN_OF_SQUARE = 0.25
"""Ratio of the mean magnitude of features to their root mean square; most of them are 0."""


def is_adversarial(settings: Any) -> bool:
    """Whether the settings have a discriminator."""
    return settings.adversarial_weight > 0.0


def build_objective(settings: Any) -> Objective:
    """The losses and their weights.

    Args:
        settings: Settings of the method.
    """
    return Objective(
        adversarial_loss=ADVERSARIAL_LOSSES[settings.adversarial_loss] if is_adversarial(settings) else None,
        adversarial_weight=settings.adversarial_weight,
        auxiliary_weights={
            "content": settings.content_weight,
            "style": settings.style_weight,
            "reconstruction": settings.reconstruction_weight,
        },
        logged_as={"reconstruction": UNIT_RANGE},
        real_label=settings.real_label,
    )


def build_networks(settings: Any, *, losses: StyleLosses, own: Mapping[str, Callable[[], keras.Model]]) -> Networks:
    """Builds the decoder, and the discriminator if used, under the current dtype policy.

    Args:
        settings: Settings of the method.
        losses: Losses with the encoder whose features the decoder takes.
        own: Builders of a user's own `decoder` or `discriminator`.
    """
    channels, scale = losses.encoder.outputs[-1].shape[-1], losses.scales[-1] * _MEAN_OF_SQUARE

    def make() -> keras.Model:
        return build_style_decoder(
            level=settings.style_level,
            width=settings.decoder_width,
            channels=channels,
            feature_scale=scale,
            name=DECODER,
        )

    decoder = own.get(DECODER, make)()
    if not is_adversarial(settings):
        return Networks({DECODER: decoder}, {})
    build_one = own.get("discriminator", lambda: build_discriminator(settings, condition_channels=0))
    return Networks({DECODER: decoder}, {"discriminator": build_one()})


def forward(
    networks: Networks, batch: dict, training: bool, *, losses: StyleLosses, moved: AdaptiveInstanceNorm
) -> GeneratorOutputs:
    """Decodes the contents' features with the styles' statistics, and encodes the result again.

    Args:
        networks: Result of `build_networks`.
        batch: `content` and `style`, float32 `[batch, height, width, 3]` in [-1, 1], equal numbers of both.
        training: Whether layers such as dropout are active.
        losses: Losses with the encoder.
        moved: The layer that changes the statistics of features.
    """
    features = losses.encoder(batch["content"])[-1]
    styles = losses.encoder(batch["style"])
    strength = tf.ones(tf.shape(features)[:1])
    statistics = channel_statistics(features), channel_statistics(styles[-1])
    shifted, decoder = moved([features, *statistics, strength]), networks.generators[DECODER]
    output = decoder(shifted, training=training)
    seen = losses.features(output)
    auxiliary = {
        "content": tf.reduce_mean(content_distance(seen[-1], losses.scaled([shifted])[0])),
        "style": tf.reduce_mean(style_distance(seen, losses.scaled(styles))),
        "reconstruction": RECONSTRUCTION_LOSSES["l1"](batch["content"], decoder(features, training=training)),
    }
    adversarial = {"discriminator": (batch["style"], output, None)} if networks.discriminators else {}
    return GeneratorOutputs(adversarial, auxiliary, output=output)
