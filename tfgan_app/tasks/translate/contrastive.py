"""The methods `cut` and `fastcut`: translation in one direction with contrastive losses of patches."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tfgan_app.augmentation.paired import DRAWS
from tfgan_app.config import RunConfig
from tfgan_app.networks.encoder_features import ENCODER_LAYERS
from tfgan_app.tasks.translate import contrastive_builders
from tfgan_app.tasks.translate.unpaired import UnpairedTranslation
from tfgan_app.training.task import GeneratorOutputs, Networks


class ContrastiveTranslation(UnpairedTranslation):
    """One generator and one discriminator; patches of the output must match those of the input.

    "Contrastive Learning for Unpaired Image-to-Image Translation", Park et al. 2020, arXiv:2007.15651. The features of
    the input come from the very pass that makes the output, so that a step costs one pass of the generator and one of
    its encoder. Weights are those of equation 4; the authors' code of `cut` halves both. Deviations: the loss is the
    mean over layers instead of the sum of equation 3; FastCUT mirrors half of the images of a batch where the authors
    mirror half of the batches; with `task.nce_identity_share` below 1, fewer targets are used as inputs.

    Args:
        config: The run's configuration, its `task` section a `ContrastiveConfig`.
        **options: As for the base class.
    """

    def __init__(self, config: RunConfig, **options: Any):
        super().__init__(config, **options)
        self._settings = contrastive_builders.with_method_defaults(config.task, config.task.method)
        self._levels = len(ENCODER_LAYERS[config.task.generator])
        self.draws_per_example = 2 * DRAWS + 1 + self._levels * config.task.nce_patches

    @property
    def auxiliary_weights(self) -> dict[str, float]:
        """Weights of the contrastive loss, and of that on targets if it is used."""
        return contrastive_builders.nce_weights(self._settings)

    def build_networks(self) -> Networks:
        """Builds generator, discriminator and patch perceptrons, which train with the generator."""
        return contrastive_builders.build_networks(self._settings, size_px=self.config.data.image_size, own={})

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments as the base class; draws mirroring for each image and places in each layer."""
        mirrored, places = draws[:, 2 * DRAWS] < 0.5, draws[:, 2 * DRAWS + 1 :]
        return super().augment(batch, draws) | {"mirrored": mirrored, "places": places}

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Translates the inputs, and targets that must stay unchanged."""
        settings, levels = self._settings, self._levels
        return contrastive_builders.forward(networks, batch, training, settings=settings, levels=levels)
