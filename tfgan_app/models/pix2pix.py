"""Pix2Pix as a Keras model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.config.sections import DataConfig
from tfgan_app.models.base import OPTIMIZER, TRAINING, ImageGAN, Parts
from tfgan_app.models.keywords import Group, keyword_errors
from tfgan_app.models.measures import against
from tfgan_app.tasks.translate import paired_builders
from tfgan_app.tasks.translate.builders import check_discriminator_fits
from tfgan_app.tasks.translate.config import PairedConfig

IMAGE_SIZE = Group(DataConfig, ("image_size",), {"image_size": 256})

NETWORKS = (
    "generator",
    "generator_width",
    "generator_depth",
    "generator_normalization",
    "discriminator",
    "discriminator_width",
    "discriminator_normalization",
    "spectral_norm",
    "adversarial_loss",
    "adversarial_weight",
    "real_label",
)
"""Keywords that all translation methods have."""


class TranslationGAN(ImageGAN):
    """A model with a patch discriminator, which needs images of a minimum size."""

    def _batch(self, data) -> dict[str, tf.Tensor]:
        batch = super()._batch(data)
        sides = [side for name in self.batch_names for side in batch[name].shape[1:3] if side is not None]
        if sides and self.networks.discriminators and isinstance(self._values["discriminator"], str):
            with keyword_errors():
                check_discriminator_fits(self._values["discriminator"], min(sides))
        return batch


@keras.saving.register_keras_serializable(package="tfgan_app")
class Pix2Pix(TranslationGAN):
    """Image-to-image translation of aligned pairs.

    "Image-to-Image Translation with Conditional Adversarial Networks", Isola et al. 2017, arXiv:1611.07004. `fit`
    takes pairs `(input, target)` of float32 images `[batch, height, width, 3]` in [-1, 1]; `evaluate` measures the
    averaged generator: losses, `psnr` (dB), `ssim`, and `l1` on the scale of [0, 1].

    Args:
        generator: `residual_unet`, `unet`, `resnet_6`, `resnet_9`, or your own: `"module:function"`, a
            `keras.Model` or a callable that returns one.
        discriminator: `patchgan_16`, `patchgan_34`, `patchgan_70`, `patchgan_286`, or your own, of
            `[input, image]` to logits.
        adversarial_loss: `non_saturating`, `least_squares`, or your own `tfgan_app.losses.AdversarialLoss`.
        l1_weight: Factor of the mean absolute error.
        perceptual_weight: Factor of the distance of VGG16 features; 0 is off.
        image_size: Side of the training images, which the depth of `unet` follows; any other size works, too.
        ema_decay: Decay of the averaged generator.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task translate`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import keras, numpy as np
        >>> from tfgan_app import models
        >>> gan = models.Pix2Pix(generator_width=8, discriminator="patchgan_16", discriminator_width=8)
        >>> gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        >>> images = np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(images, -images, batch_size=4, verbose=0)
        >>> gan.predict(images, verbose=0).shape
        (8, 32, 32, 3)
    """

    groups = (
        Group(PairedConfig, (*NETWORKS, "l1_weight", "perceptual_weight", "perceptual_weights")),
        IMAGE_SIZE,
        TRAINING,
        OPTIMIZER,
    )

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings = self._settings(values)
        losses = paired_builders.build_auxiliary_losses(settings)
        return Parts(
            functools.partial(paired_builders.build_networks, settings, size_px=values["image_size"], own=own),
            paired_builders.build_objective(settings),
            functools.partial(paired_builders.forward, losses=losses),
            measures=against("target"),
        )
