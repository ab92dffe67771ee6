"""Arbitrary style transfer as a Keras model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfgan_app.layers import AdaptiveInstanceNorm, FromUnitRange, build_style_model
from tfgan_app.losses import StyleLosses, build_style_losses
from tfgan_app.models.base import OPTIMIZER, OUTPUT, TRAINING, Parts
from tfgan_app.models.keywords import Group
from tfgan_app.models.pix2pix import TranslationGAN
from tfgan_app.networks.style_transfer import build_style_encoder
from tfgan_app.tasks.translate import style_builders
from tfgan_app.tasks.translate.config import StyleConfig
from tfgan_app.training.task import Networks

SETTINGS = (
    "style_level",
    "content_weight",
    "style_weight",
    "reconstruction_weight",
    "decoder_width",
    "perceptual_weights",
    "discriminator",
    "discriminator_width",
    "discriminator_normalization",
    "spectral_norm",
    "adversarial_loss",
    "adversarial_weight",
    "real_label",
)

_PROBE_PX = 64


@dataclasses.dataclass(frozen=True)
class Encoder:
    """The fixed encoder.

    Attributes:
        encoder: None builds VGG16 up to `style_level`.
        feature_scales: Factor of the features of each level; None measures them.
    """

    encoder: str | None = None
    feature_scales: tuple[float, ...] | None = None


@keras.saving.register_keras_serializable(package="tfgan_app")
class StyleTransfer(TranslationGAN):
    """Style transfer between any two images, in one pass.

    "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", Huang & Belongie 2017,
    arXiv:1703.06868. `fit` takes pairs `(contents, styles)` of batches that need not belong together, float32
    `[batch, height, width, 3]` in [-1, 1], sides multiples of 8. Call and `predict` take `[contents, styles]` of any
    size, or `[contents, styles, strengths]`, strengths float32 `[batch]` in [0, 1]. `evaluate` gives the losses of the
    averaged decoder.

    Args:
        style_level: Features of VGG16 whose statistics are changed: `relu3_1` or `relu4_1`.
        decoder_width: Channels of the decoder at full resolution.
        perceptual_weights: File of VGG16 weights (.npz); None downloads those of keras.applications. A saved model
            holds the encoder and does not need the file.
        encoder: None, or your own functional `keras.Model`, from images to a list of features, the last at a
            quarter (`relu3_1`) or an eighth of the size.
        adversarial_weight: Above 0 adds a discriminator between outputs and styles.
        discriminator: As in `Pix2Pix`; your own takes an image alone.
        ema_decay: Decay of the averaged decoder.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task translate`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import keras, numpy as np
        >>> from tfgan_app import models
        >>> image = keras.Input((None, None, 3))
        >>> features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
        >>> encoder = keras.Model(image, [features, keras.layers.AveragePooling2D(8)(features)])
        >>> gan = models.StyleTransfer(encoder=encoder, decoder_width=4)
        >>> gan.compile("adam")
        >>> contents, styles = np.random.default_rng(0).uniform(-1, 1, (2, 4, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(contents, styles, batch_size=2, verbose=0)
        >>> gan.predict([contents, styles], verbose=0).shape
        (4, 32, 32, 3)
    """

    groups = (
        Group(StyleConfig, SETTINGS, {"adversarial_weight": 0.0}),
        Group(Encoder, ("encoder", "feature_scales")),
        TRAINING,
        OPTIMIZER,
    )
    batch_names = ("content", "style")
    own_networks = ("discriminator", "encoder")

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings = self._settings(values, method="style")
        self._style_losses = _build_losses(settings, own.get("encoder"), values["feature_scales"])
        values["feature_scales"] = self._style_losses.scales
        return Parts(
            functools.partial(style_builders.build_networks, settings, losses=self._style_losses, own=own),
            style_builders.build_objective(settings),
            functools.partial(
                style_builders.forward, losses=self._style_losses, moved=AdaptiveInstanceNorm(name="moved")
            ),
        )

    def _track_networks(self) -> None:
        super()._track_networks()
        self.encoder = self._style_losses.encoder
        self._stride = _PROBE_PX // self.encoder(ops.zeros((1, _PROBE_PX, _PROBE_PX, 3)))[-1].shape[1]

    def _output_network(self, networks: Networks, values: Mapping[str, Any]) -> keras.Model:
        model = build_style_model(self._style_losses.encoder, networks.generators[style_builders.DECODER])
        contents, styles = (keras.Input((None, None, 3), name=name) for name in self.batch_names)
        strength = keras.Input((), name="strength")
        unit = [keras.layers.Rescaling(0.5, offset=0.5)(each) for each in (contents, styles)]
        return keras.Model([contents, styles, strength], FromUnitRange()(model([*unit, strength])), name="stylize")

    def call(self, inputs, training=False):
        """Applies styles to contents, with the averaged decoder.

        Args:
            inputs: `[contents, styles]` or `[contents, styles, strengths]`; see the class.
            training: Ignored.
        """
        del training
        contents, styles, *strength = inputs
        strength = strength or [ops.ones(ops.shape(contents)[:1])]
        return self.averaged.views[OUTPUT]([contents, styles, *strength], training=False)

    def _batch(self, data) -> dict[str, tf.Tensor]:
        batch, stride = super()._batch(data), self._stride
        if any(side is not None and side % stride for side in batch["content"].shape[1:3]):
            raise ValueError(
                f"Expected contents whose height and width are multiples of {stride}. Received: "
                f"{list(batch['content'].shape)}; cut or resize the images."
            )
        return batch

    def get_config(self) -> dict[str, Any]:
        """The keywords, with the encoder as its configuration: its weights are saved with the model's."""
        return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.encoder)}

    def inference_model(self) -> keras.Model:
        """The model from `[images, style, strength]` to images in [0, 1], as the commands save, serve and export it."""
        return build_style_model(self.encoder, self.averaged.generators[style_builders.DECODER])

    def image_columns(self, batch: Any) -> list[tuple[str, Any]]:
        """Columns of a grid for `tfgan_app.callbacks.ImageGrid`: content, style and output.

        Args:
            batch: `(contents, styles)`.

        Returns:
            Header and images of each column.
        """
        contents, styles = batch
        return [("content", contents), ("style", styles), ("output", self.predict_on_batch([contents, styles]))]


def _build_losses(
    settings: Any, own: Callable[[], keras.Model] | None, scales: tuple[float, ...] | None
) -> StyleLosses:
    """The encoder and the magnitudes of its features, in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        if own is None:
            encoder = build_style_encoder(level=settings.style_level, weights=settings.perceptual_weights)
        else:
            encoder = own()
        encoder.trainable = False
        return StyleLosses(encoder, scales) if scales else build_style_losses(encoder)
    finally:
        keras.config.set_dtype_policy(before)
