"""Translation in one direction, tied to its input by what patches have in common: CUT and FastCUT."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.augmentation.paired import DRAWS
from tfgan_app.config import RunConfig
from tfgan_app.losses import RECONSTRUCTION_LOSSES, patch_nce_loss
from tfgan_app.networks.encoder_features import (
    ENCODER_LAYERS,
    build_encoder,
    build_generator_with_features,
    encoder_layers,
)
from tfgan_app.networks.patch_features import build_patch_features, take_patches
from tfgan_app.tasks.translate.builders import build_discriminator, build_generator
from tfgan_app.tasks.translate.unpaired import UnpairedTranslation
from tfgan_app.training.task import Networks, Synthesis

METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    "cut": {"nce_weight": 1.0, "nce_identity_weight": 1.0, "flip_equivariance": False},
    "fastcut": {"nce_weight": 10.0, "nce_identity_weight": 0.0, "flip_equivariance": True},
}
"""arXiv:2007.15651, section 3.2 and appendix C.1."""


class ContrastiveTranslation(UnpairedTranslation):
    """One generator and one discriminator; patches of the output are to be told by those of the input.

    "Contrastive Learning for Unpaired Image-to-Image Translation", Park et al. 2020, arXiv:2007.15651. The features of
    the input come from the very pass that makes the output, so that a step costs one pass of the generator and one of
    its encoder. Weights are those of equation 4; the authors' code of `cut` halves both. Deviations: the loss is the
    mean over layers where equation 3 has the sum; FastCUT mirrors half of the pictures of a batch where the authors
    mirror half of the batches; with `task.nce_identity_share` below 1, fewer targets are taken for inputs.

    Args:
        config: the run's configuration, its `task` section a `ContrastiveConfig`.
        options: as for the base class.
    """

    def __init__(self, config: RunConfig, **options: Any):
        super().__init__(config, **options)
        own = METHOD_DEFAULTS[config.task.method]
        chosen = {name: getattr(config.task, name) for name in own}
        chosen = {name: own[name] if value is None else value for name, value in chosen.items()}
        self._settings = dataclasses.replace(config.task, **chosen)
        layers = len(ENCODER_LAYERS[config.task.generator])
        self.draws_per_example = 2 * DRAWS + 1 + layers * config.task.nce_patches

    @property
    def auxiliary_weights(self) -> dict[str, float]:
        """The contrastive loss, and that of targets taken for inputs where it is weighted."""
        weights = {"nce": self._settings.nce_weight, "nce_identity": self._settings.nce_identity_weight}
        return {name: weight for name, weight in weights.items() if weight or name == "nce"}

    def build_networks(self) -> Networks:
        """Builds generator, discriminator and the perceptrons of patches, which are trained with the generator."""
        settings = self._settings
        generator = build_generator(settings, size_px=self.config.data.image_size)
        layers = encoder_layers(generator, settings.generator)
        encoder = build_encoder(generator, layers)
        perceptrons = build_patch_features([each.shape[-1] for each in encoder.outputs], dim=settings.nce_dim)
        return Networks(
            {"generator": generator, "patch_features": perceptrons},
            {"discriminator": build_discriminator(settings, condition_channels=0)},
            views={"encoder": encoder, "generator": build_generator_with_features(generator, layers)},
        )

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """As the base class, and draws a mirror for each picture and places in each layer."""
        mirrored, places = draws[:, 2 * DRAWS] < 0.5, draws[:, 2 * DRAWS + 1 :]
        return super().augment(batch, draws) | {"mirrored": mirrored, "places": places}

    def synthesize(self, networks: Networks, batch: dict, training: bool) -> Synthesis:
        """Translates the inputs, and targets too where they are to stay what they are."""
        inputs, settings = batch["input"], self._settings
        count = tf.shape(inputs)[0]
        kept = self._kept(count)

        def with_kept(values: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
            return tf.concat([values, others[:kept]], axis=0) if settings.nce_identity_weight else values

        shown = with_kept(inputs, batch["target"])
        mirrored = with_kept(batch["mirrored"], batch["mirrored"]) if settings.flip_equivariance else None
        outputs, *keys = networks.views["generator"](_mirror(shown, mirrored), training=training)
        if mirrored is not None:
            # Keys carry no gradient: this is a pass of half a generator, forward alone.
            keys = networks.views["encoder"](shown, training=training)
        queries = [_mirror(each, mirrored) for each in networks.views["encoder"](outputs, training=training)]
        places = with_kept(batch["places"], batch["places"])
        sides = self._patches(networks.generators["patch_features"], queries, keys, places)
        auxiliary = {"nce": _contrast(*sides, slice(None, count))}
        if settings.nce_identity_weight:
            auxiliary["nce_identity"] = _contrast(*sides, slice(count, None))
        output = _mirror(outputs, mirrored)[:count]
        return Synthesis(
            {"discriminator": (batch["target"], output, None)},
            auxiliary,
            monitored={"change": RECONSTRUCTION_LOSSES["l1"](inputs, output) / 2.0},
        )

    def _kept(self, count: tf.Tensor) -> tf.Tensor:
        """How many targets are taken for inputs, of as many as there are."""
        return tf.cast(tf.math.ceil(self._settings.nce_identity_share * tf.cast(count, tf.float32)), tf.int32)

    def _patches(self, perceptrons: keras.Model, queries: list, keys: list, places: tf.Tensor) -> list[list[tf.Tensor]]:
        """Unit vectors at equal places of queries and of keys, layer by layer."""
        places = tf.split(places, len(ENCODER_LAYERS[self._settings.generator]), axis=1)
        return [
            perceptrons([take_patches(maps, draws) for maps, draws in zip(side, places, strict=False)])
            for side in (queries, [tf.stop_gradient(maps) for maps in keys])
        ]


def _contrast(queries: list[tf.Tensor], keys: list[tf.Tensor], pictures: slice) -> tf.Tensor:
    """The mean over layers of the contrastive loss of some of the pictures."""
    losses = [patch_nce_loss(q[pictures], k[pictures]) for q, k in zip(queries, keys, strict=True)]
    return tf.add_n(losses) / len(losses)


def _mirror(maps: tf.Tensor, mirrored: tf.Tensor | None) -> tf.Tensor:
    """Mirrors left and right those of `[batch, rows, columns, channels]` that are marked; None marks none."""
    return maps if mirrored is None else tf.where(mirrored[:, None, None, None], maps[:, :, ::-1], maps)
