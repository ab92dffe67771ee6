"""Common losses of the unpaired methods, and networks and forward pass of CycleGAN, from their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES
from tfgan_app.tasks.translate.builders import build_discriminator, build_generator
from tfgan_app.training.task import UNIT_RANGE, DiscriminatorInputs, GeneratorOutputs, Networks, Objective


def build_objective(settings: Any, *, auxiliary_weights: dict[str, float]) -> Objective:
    """The losses and their weights.

    Args:
        settings: Settings of the method.
        auxiliary_weights: Name of each loss besides the adversarial one -> its weight.
    """
    return Objective(
        adversarial_loss=ADVERSARIAL_LOSSES[settings.adversarial_loss],
        adversarial_weight=settings.adversarial_weight,
        discriminator_weight=0.5,  # arXiv:1703.10593, appendix 7.1; the authors of CUT halve it, too.
        auxiliary_weights=auxiliary_weights,
        logged_as=dict.fromkeys(("cycle", "identity"), UNIT_RANGE),
        real_label=settings.real_label,
        monitored=("change",),
    )


def cycle_weights(settings: Any) -> dict[str, float]:
    """Weights of the cycle loss, and of the identity loss if it is used."""
    weights = {"cycle": settings.cycle_weight, "identity": settings.identity_weight}
    return {name: weight for name, weight in weights.items() if weight or name == "cycle"}


def build_cycle_discriminator_inputs(settings: Any, *, size_px: int) -> DiscriminatorInputs:
    """Pools of earlier outputs for the discriminators."""
    return DiscriminatorInputs(pool_size=settings.pool_size, pool_image=(size_px, size_px, 3))


def build_cycle_networks(settings: Any, *, size_px: int, own: Mapping[str, Callable[[], keras.Model]]) -> Networks:
    """Builds both generators and both discriminators under the current dtype policy.

    Args:
        settings: Settings of the method.
        size_px: Height and width of the training images.
        own: Builders of a user's own `generator` or `discriminator`, each called for both directions.
    """
    make = own.get("generator", lambda: build_generator(settings, size_px=size_px))
    generators = {name: make() for name in ("generator", "inverse")}
    build_one = own.get("discriminator", lambda: build_discriminator(settings, condition_channels=0))
    return Networks(generators, {name: build_one() for name in ("discriminator", "inverse_discriminator")})


def cycle_forward(networks: Networks, batch: dict, training: bool, *, identity: bool) -> GeneratorOutputs:
    """Translates in both directions and back; the identity loss uses images of each generator's target set.

    Args:
        networks: Result of `build_cycle_networks`.
        batch: `input` and `target`, float32 `[batch, height, width, 3]` in [-1, 1], equal numbers of both.
        training: Whether layers such as dropout are active.
        identity: Whether to compute the identity loss.
    """
    there, back = networks.generators["generator"], networks.generators["inverse"]
    inputs, targets = batch["input"], batch["target"]
    output, kept_targets = _translated(there, inputs, targets, training=training, identity=identity)
    inverse, kept_inputs = _translated(back, targets, inputs, training=training, identity=identity)
    l1 = RECONSTRUCTION_LOSSES["l1"]
    auxiliary = {"cycle": l1(inputs, back(output, training=training))}
    auxiliary["cycle"] += l1(targets, there(inverse, training=training))
    if identity:
        auxiliary["identity"] = l1(targets, kept_targets) + l1(inputs, kept_inputs)
    return GeneratorOutputs(
        {"discriminator": (targets, output, None), "inverse_discriminator": (inputs, inverse, None)},
        auxiliary,
        monitored={"change": l1(inputs, output) / 2.0},
        output=output,
    )


def _translated(generator: keras.Model, images: tf.Tensor, others: tf.Tensor, *, training: bool, identity: bool):
    """The translations, and in the same pass those of target images; None without an identity loss."""
    if not identity:
        return generator(images, training=training), None
    return tf.split(generator(tf.concat([images, others], axis=0), training=training), 2)
