"""Networks, losses and forward pass of pix2pix, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from tfgan_app.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES, build_perceptual_loss
from tfgan_app.tasks.translate.builders import build_discriminator, build_generator
from tfgan_app.training.task import UNIT_RANGE, GeneratorOutputs, Networks, Objective


def build_objective(settings: Any) -> Objective:
    """The losses and their weights.

    Args:
        settings: Settings of the method.
    """
    return Objective(
        adversarial_loss=ADVERSARIAL_LOSSES[settings.adversarial_loss],
        adversarial_weight=settings.adversarial_weight,
        discriminator_weight=0.5,  # "which slows down the rate at which D learns": section 3.3 of the paper
        auxiliary_weights={"l1": settings.l1_weight}
        | ({"perceptual": settings.perceptual_weight} if settings.perceptual_weight else {}),
        logged_as={"l1": UNIT_RANGE},
        real_label=settings.real_label,
    )


def build_networks(settings: Any, *, size_px: int, own: Mapping[str, Callable[[], keras.Model]]) -> Networks:
    """Builds the generator and the discriminator under the current dtype policy.

    Args:
        settings: Settings of the method.
        size_px: Height and width of the training images.
        own: Builders of a user's own `generator` or `discriminator`.
    """
    # The generator first: initial weights depend on the order in which networks are built.
    discriminator = own["discriminator"]() if "discriminator" in own else build_discriminator(settings)
    generator = own["generator"]() if "generator" in own else build_generator(settings, size_px=size_px)
    return Networks({"generator": generator}, {"discriminator": discriminator})


def build_auxiliary_losses(settings: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """Losses of `(target, output)` in [-1, 1] by name; their variables are created here, before a step is traced."""
    losses = {"l1": RECONSTRUCTION_LOSSES["l1"]}
    if settings.perceptual_weight:
        losses["perceptual"] = build_perceptual_loss(weights=settings.perceptual_weights)
    return losses


def forward(networks: Networks, batch: dict, training: bool, *, losses: Mapping[str, Callable]) -> GeneratorOutputs:
    """Translates the inputs; the discriminator gets the input as its condition.

    Args:
        networks: Result of `build_networks`.
        batch: `input` and `target`, float32 `[batch, height, width, 3]` in [-1, 1].
        training: Whether layers such as dropout are active.
        losses: Result of `build_auxiliary_losses`.
    """
    output = networks.generators["generator"](batch["input"], training=training)
    auxiliary = {name: loss(batch["target"], output) for name, loss in losses.items()}
    return GeneratorOutputs({"discriminator": (batch["target"], output, batch["input"])}, auxiliary, output=output)
