"""CUT and FastCUT as a Keras model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

import keras
import tensorflow as tf

from tfgan_app.models.base import OPTIMIZER, TRAINING, Parts
from tfgan_app.models.keywords import Group
from tfgan_app.models.pix2pix import IMAGE_SIZE, NETWORKS, TranslationGAN
from tfgan_app.networks.encoder_features import ENCODER_LAYERS
from tfgan_app.tasks.translate import contrastive_builders, unpaired_builders
from tfgan_app.tasks.translate.config import CutConfig

CONTRAST = (
    "nce_weight",
    "nce_identity_weight",
    "nce_identity_share",
    "nce_patches",
    "nce_dim",
    "flip_equivariance",
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """Method, and the features whose patches are compared.

    Attributes:
        method: `cut` or `fastcut`.
        nce_layers: Names of the generator's layers whose patches are compared; None takes the architecture's own.
    """

    method: Literal["cut", "fastcut"] = "cut"
    nce_layers: tuple[str, ...] | None = None


@keras.saving.register_keras_serializable(package="tfgan_app")
class CUT(TranslationGAN):
    """Translation between two sets of images in one direction.

    "Contrastive Learning for Unpaired Image-to-Image Translation", Park et al. 2020, arXiv:2007.15651. `fit` takes
    pairs `(a, b)` of batches that need not belong together, float32 `[batch, height, width, 3]` in [-1, 1], of one
    known size. `evaluate` gives the losses of the averaged generator and `change`, the mean absolute difference from
    the input on the scale of [0, 1].

    Args:
        method: `cut` or `fastcut`.
        generator: As in `Pix2Pix`; your own is a functional `keras.Model` and needs `nce_layers`.
        discriminator: As in `Pix2Pix`; your own takes an image alone.
        adversarial_loss: `non_saturating`, `least_squares`, or your own `tfgan_app.losses.AdversarialLoss`.
        nce_weight: Factor of the contrastive loss of input and output patches; None is the method's default.
        nce_layers: Names of the generator's layers whose patches are compared; None takes the architecture's own.
        image_size: Side of the training images.
        ema_decay: Decay of the averaged generator.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task translate`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import numpy as np
        >>> from tfgan_app import models
        >>> small = {"generator_width": 8, "discriminator": "patchgan_16", "discriminator_width": 8}
        >>> gan = models.CUT(nce_patches=16, nce_dim=16, **small)
        >>> gan.compile("adam", "adam")
        >>> a, b = np.random.default_rng(0).uniform(-1, 1, (2, 4, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(a, b, batch_size=2, verbose=0)
        >>> gan.predict(a, verbose=0).shape
        (4, 32, 32, 3)
    """

    groups = (
        Group(CutConfig, (*NETWORKS, *CONTRAST)),
        Group(Variant, ("method", "nce_layers")),
        IMAGE_SIZE,
        TRAINING,
        OPTIMIZER,
    )

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        method, layers = values["method"], values["nce_layers"]
        settings = contrastive_builders.with_method_defaults(self._settings(values, method=method), method)
        known = () if "generator" in own else ENCODER_LAYERS.get(settings.generator, ())
        if not layers and not known:
            raise ValueError(
                "`nce_layers` must name the layers of your own generator whose patches are compared, such as "
                "('conv2d', 'conv2d_1'). Received: None."
            )
        self._levels = len(layers or known)
        options = {"size_px": values["image_size"], "own": own, "layers": layers}
        weights = contrastive_builders.nce_weights(settings)
        return Parts(
            functools.partial(contrastive_builders.build_networks, settings, **options),
            unpaired_builders.build_objective(settings, auxiliary_weights=weights),
            functools.partial(contrastive_builders.forward, settings=settings, levels=self._levels),
        )

    def _batch(self, data) -> dict[str, tf.Tensor]:
        batch = super()._batch(data)
        if None in batch["input"].shape[1:3]:
            raise ValueError(
                f"Expected images of one known size. Received: {list(batch['input'].shape)}; resize them, or state "
                "their shape in the data set with tf.ensure_shape."
            )
        draws = self._draws.uniform(batch["position"], 1 + self._levels * self._values["nce_patches"])
        return batch | {"mirrored": draws[:, 0] < 0.5, "places": draws[:, 1:]}
