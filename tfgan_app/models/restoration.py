"""Restoration as a Keras model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.layers import ChannelSlice, MakesColor
from tfgan_app.models.base import OPTIMIZER, TRAINING, Parts, check_images
from tfgan_app.models.images import LOSSES, FidelityGAN
from tfgan_app.models.keywords import Group
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.degradation import COLORIZE, INPAINT, build_degradation
from tfgan_app.tasks.restoration.restore_config import RestoreConfig
from tfgan_app.training.task import GeneratorOutputs, Networks

NETWORKS = ("generator", "generator_size", "generator_width")
DAMAGE = ("degradation", "share_untouched", "share_skipped", "noise_sigma_255", "jpeg_quality", "mask")


@keras.saving.register_keras_serializable(package="tfgan_app")
class Restoration(FidelityGAN):
    """Restoration of noisy, blurred, compressed, gray or incomplete images.

    "Simple Baselines for Image Restoration", Chen et al. 2022, arXiv:2204.04676; for holes "Free-Form Image Inpainting
    with Gated Convolution", Yu et al. 2019, arXiv:1806.03589. `fit` takes pairs `(damaged, clean)` of float32 images
    `[batch, height, width, 3]` in [-1, 1], or clean images alone, which are then degraded by `degradation`. With
    `degradation="inpaint"` damaged images have a fourth channel: 1 in known pixels, -1 in holes. `evaluate` measures
    the averaged generator: losses, `psnr` (dB), `ssim`, and `l1` on the scale of [0, 1].

    Args:
        degradation: Tuple of `denoise`, `deblur`, `jpeg`, `colorize`, `real`; or `("inpaint",)`. Images in
            pairs may have any degradation.
        stage: `psnr` minimizes pixel (and perceptual) losses alone; `gan` adds a discriminator.
        generator: `nafnet`, `unet`, `gated` for holes, `auto`, or your own: `"module:function"`, a
            `keras.Model` or a callable that returns one; for holes of `[image, mask]`.
        discriminator: `unet`, `vgg`, or your own, from images to logits.
        pixel_loss: `l1`, `charbonnier`, or your own function `(target, output) -> scalar`.
        ema_decay: Decay of the averaged generator.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task restore`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import numpy as np
        >>> from tfgan_app import models
        >>> gan = models.Restoration(degradation=("denoise",), generator_width=8)
        >>> gan.compile("adam")
        >>> clean = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(clean + 0.1, clean, batch_size=2, verbose=0)
        >>> gan.predict(clean, verbose=0).shape
        (4, 32, 32, 3)
    """

    groups = (Group(RestoreConfig, (*NETWORKS, *DAMAGE, *LOSSES)), TRAINING, OPTIMIZER)
    batch_names = ("damaged", "clean")

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings = self._settings(values)
        self._degradation = build_degradation(settings)
        has_holes = INPAINT in settings.degradation
        build = functools.partial(builders.build_restore_networks, settings, has_holes=has_holes, own=own)
        return self._fidelity_parts(settings, values, build)

    def _outputs(
        self, networks: Networks, batch: dict, training: bool, *, settings: Any, losses: Callable
    ) -> GeneratorOutputs:
        target = batch["clean"]
        output = builders.restore(
            networks.generators["generator"],
            batch["damaged"],
            has_holes=batch["damaged"].shape[-1] == 4,
            training=training,
        )
        return builders.stage_outputs(settings.stage, target, output, losses(target, output, target))

    def _output_network(self, networks: Networks, values: Mapping[str, Any]) -> keras.Model:
        generator = networks.generators["generator"]
        if INPAINT not in values["degradation"]:
            return generator
        images = keras.Input((None, None, 4), name="images")
        color = ChannelSlice(0, 3, name="color")(images)
        mask = keras.layers.Rescaling(-0.5, offset=0.5, name="mask")(ChannelSlice(3, 4, name="known")(images))
        return keras.Model(images, generator([color, mask]), name="generator_of_images")

    def _batch(self, data) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if not isinstance(x, Mapping) and y is None:
            clean = self._positioned({"clean": check_images("clean", x)})
            draws = self._draws.uniform(clean["position"], self._degradation.draws_per_example)
            return clean | {"damaged": self._degradation(clean["clean"] * 0.5 + 0.5, draws) * 2.0 - 1.0}
        return super()._batch((x, y, sample_weight))

    def _channels(self, name: str) -> int:
        return self._degradation.channels if name == "damaged" else 3

    def inference_model(self) -> keras.Model:
        """The averaged generator between images in [0, 1], as the commands save, serve and export it."""
        model = super().inference_model()
        if COLORIZE not in self._values["degradation"]:
            return model
        return keras.Model(model.inputs, MakesColor(name="makes_color")(model.outputs[0]), name=model.name)
