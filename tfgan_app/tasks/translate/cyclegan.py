"""The method `cyclegan`: unpaired translation in both directions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tfgan_app.image_io.grid import make_grid, spread_indices
from tfgan_app.tasks.translate import unpaired_builders
from tfgan_app.tasks.translate.builders import build_inference_model
from tfgan_app.tasks.translate.paired import SAMPLE_ROWS, translate
from tfgan_app.tasks.translate.unpaired import UnpairedTranslation
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks


class CycleTranslation(UnpairedTranslation):
    """Two generators, each the inverse of the other.

    "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", Zhu et al. 2017,
    arXiv:1703.10593. The generator from inputs to targets is used for prediction and export; `task.direction` sets
    which images are the inputs.
    """

    @property
    def discriminator_inputs(self) -> DiscriminatorInputs:
        """Pools of earlier outputs for the discriminators."""
        return unpaired_builders.build_cycle_discriminator_inputs(self.config.task, size_px=self.config.data.image_size)

    @property
    def auxiliary_weights(self) -> dict[str, float]:
        """Weights of the cycle loss, and of the identity loss if it is used."""
        return unpaired_builders.cycle_weights(self.config.task)

    def build_networks(self) -> Networks:
        """Builds both generators and both discriminators under the current dtype policy."""
        size_px = self.config.data.image_size
        return unpaired_builders.build_cycle_networks(self.config.task, size_px=size_px, own={})

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Translates in both directions and back; the identity loss uses images of each generator's target set."""
        identity = bool(self.config.task.identity_weight)
        return unpaired_builders.cycle_forward(networks, batch, training, identity=identity)

    def auxiliary_models(self, networks: Networks) -> dict[str, keras.Model]:
        """The inference model of the inverse direction, which is kept beside the main one."""
        return {"inverse": build_inference_model(networks.generators["inverse"])}

    def evaluate(self, model: keras.Model, *, inverse: keras.Model | None = None) -> dict[str, float]:
        """Measures as the base class, and the inverse direction if its model is given.

        Args:
            model: Inference model.
            inverse: Inference model of the inverse direction.

        Returns:
            Besides those of the base class, `inverse_fid`, `inverse_kid`, with their `inverse_copy_...` and
            `inverse_floor_...`, and `cycle_psnr`, `inverse_cycle_psnr` (dB) of images translated in both directions.
        """
        there = translate(model, self.data.images["input"])
        measured = self.quality.measure(there)
        if inverse is None:
            return measured
        ways = {"translate": lambda images: translate(model, images)}
        return measured | self.quality.measure_inverse(there, lambda images: translate(inverse, images), **ways)

    def examples(self, model: keras.Model, current: keras.Model, *, inverse: keras.Model | None = None):
        """Examples of the base class, and of the inverse direction."""
        found: dict[str, Any] = super().examples(model, current)
        if inverse is None:
            return found
        targets = self.data.images["target"]
        targets = targets[spread_indices(len(targets), SAMPLE_ROWS)]
        back = translate(inverse, targets)
        rows: list[list[np.ndarray]] = [list(row) for row in zip(targets, back, translate(model, back), strict=True)]
        return found | {"the way back": make_grid(rows, headers=("input", "way back", "there again"))}
