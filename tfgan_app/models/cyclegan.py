"""CycleGAN as a Keras model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.models.base import OPTIMIZER, TRAINING, Parts
from tfgan_app.models.keywords import Group
from tfgan_app.models.pix2pix import IMAGE_SIZE, NETWORKS, TranslationGAN
from tfgan_app.tasks.translate import unpaired_builders
from tfgan_app.tasks.translate.config import CycleGANConfig


@keras.saving.register_keras_serializable(package="tfgan_app")
class CycleGAN(TranslationGAN):
    """Translation between two sets of images, in both directions.

    "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", Zhu et al. 2017,
    arXiv:1703.10593. `fit` takes pairs `(a, b)` of batches that need not belong together, float32
    `[batch, image_size, image_size, 3]` in [-1, 1]. Call and `predict` translate a to b; `averaged_inverse` is the
    network from b to a. `evaluate` gives the losses of the averaged generators and `change`, the mean absolute
    difference from the input on the scale of [0, 1].

    Args:
        generator: As in `Pix2Pix`; both directions have one of this kind.
        discriminator: As in `Pix2Pix`; your own takes an image alone.
        adversarial_loss: `non_saturating`, `least_squares`, or your own `tfgan_app.losses.AdversarialLoss`.
        cycle_weight: Factor of the cycle consistency loss, a mean absolute error.
        identity_weight: Factor of the identity loss: mean absolute error of a generator on images of its target set.
        pool_size: Generated images that each discriminator may be shown again; 0 is off.
        image_size: Side of the training images, which the pools hold.
        ema_decay: Decay of the averaged generators.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task translate`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import numpy as np
        >>> from tfgan_app import models
        >>> small = {"generator_width": 8, "discriminator": "patchgan_16", "discriminator_width": 8}
        >>> gan = models.CycleGAN(image_size=32, pool_size=8, **small)
        >>> gan.compile("adam", "adam")
        >>> a, b = np.random.default_rng(0).uniform(-1, 1, (2, 4, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(a, b, batch_size=2, verbose=0)
        >>> gan.predict(a, verbose=0).shape
        (4, 32, 32, 3)
    """

    groups = (
        Group(CycleGANConfig, (*NETWORKS, "cycle_weight", "identity_weight", "pool_size")),
        IMAGE_SIZE,
        TRAINING,
        OPTIMIZER,
    )

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings, size_px = self._settings(values, method="cyclegan"), values["image_size"]
        weights = unpaired_builders.cycle_weights(settings)
        return Parts(
            functools.partial(unpaired_builders.build_cycle_networks, settings, size_px=size_px, own=own),
            unpaired_builders.build_objective(settings, auxiliary_weights=weights),
            functools.partial(unpaired_builders.cycle_forward, identity=bool(settings.identity_weight)),
            discriminator_inputs=unpaired_builders.build_cycle_discriminator_inputs(settings, size_px=size_px),
        )

    def _batch(self, data) -> dict[str, tf.Tensor]:
        batch, size_px = super()._batch(data), self._values["image_size"]
        for name in self.batch_names:
            if self._values["pool_size"] and tuple(batch[name].shape[1:3]) != (size_px, size_px):
                raise ValueError(
                    f"Expected images of {size_px} x {size_px} px, as `image_size`, the size of the pools. Received: "
                    f"{list(batch[name].shape)}; set `image_size`, or pool_size=0 for images of any size."
                )
        return batch
