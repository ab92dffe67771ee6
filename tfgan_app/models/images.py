"""Base of super-resolution and restoration as Keras models: a fidelity stage, and one with a discriminator."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar

from tfgan_app.models.base import ImageGAN, Parts
from tfgan_app.models.measures import against
from tfgan_app.tasks.restoration import builders
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective

LOSSES = (
    "stage",
    "pixel_loss",
    "pixel_weight",
    "perceptual_weight",
    "perceptual_weights",
    "adversarial_loss",
    "adversarial_weight",
    "discriminator",
    "discriminator_width",
    "spectral_norm",
    "real_label",
)
"""Keywords that both have."""


class FidelityGAN(ImageGAN):
    """A model with ground truth for its outputs; a subclass defines `_outputs`."""

    own_losses: ClassVar[tuple[str, ...]] = ("adversarial_loss", "pixel_loss")

    def _outputs(
        self, networks: Networks, batch: dict, training: bool, *, settings: Any, losses: Callable
    ) -> GeneratorOutputs:
        raise NotImplementedError

    def _fidelity_parts(self, settings: Any, values: dict[str, Any], build: Callable[[], Networks]) -> Parts:
        """The parts for the settings, with the user's pixel loss in place of the default one."""
        objective, losses = builders.build_objective(settings), builders.build_image_loss(settings)
        if callable(values["pixel_loss"]):
            objective, losses = _with_own_loss(values["pixel_loss"], settings.pixel_loss, objective, losses)
        return Parts(
            build,
            objective,
            functools.partial(self._outputs, settings=settings, losses=losses),
            measures=against(self.batch_names[1]),
        )


def _with_own_loss(own: Callable, replaced: str, objective: Objective, losses: Callable) -> tuple[Objective, Callable]:
    """Replaces a loss of the registry by a user's one, under its own name in logs."""
    name = getattr(own, "__name__", "pixel_loss").strip("<>")
    name = "pixel_loss" if name in ("lambda", "psnr", "ssim") else name
    weights = {name if each == replaced else each: weight for each, weight in objective.auxiliary_weights.items()}

    def with_own(target: Any, output: Any, pixel_target: Any) -> dict[str, Any]:
        found = losses(target, output, pixel_target)
        found.pop(replaced)
        return {name: own(pixel_target, output), **found}

    return dataclasses.replace(objective, auxiliary_weights=weights, logged_as={}), with_own
