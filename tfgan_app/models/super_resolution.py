"""Super-resolution as a Keras model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.degradations import DEGRADATIONS, to_eight_bits
from tfgan_app.models.base import OPTIMIZER, TRAINING, Parts, check_images
from tfgan_app.models.images import LOSSES, FidelityGAN
from tfgan_app.models.keywords import Group
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.upscale_config import UpscaleConfig
from tfgan_app.training.task import GeneratorOutputs, Networks

NETWORKS = (
    "scale",
    "generator",
    "generator_size",
    "generator_width",
    "generator_blocks",
    "generator_activation",
    "degradation",
    "sub_pixel_weight",
)


@keras.saving.register_keras_serializable(package="tfgan_app")
class SuperResolution(FidelityGAN):
    """Super-resolution by factors of 2, 3 or 4.

    "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", Ledig et al. 2017,
    arXiv:1609.04802, and its successors. `fit` takes pairs `(low, high)` of float32 images `[batch, height, width, 3]`
    in [-1, 1], or high resolution alone, which is then downscaled. `evaluate` measures the averaged generator:
    losses, `psnr` (dB), `ssim`, and `l1` on the scale of [0, 1], of all channels and with the border.

    Args:
        scale: 2, 3 or 4.
        stage: `psnr` minimizes pixel (and perceptual) losses alone; `gan` adds a discriminator.
        generator: `compact`, `srresnet`, `rrdb`, or your own: `"module:function"`, a `keras.Model` or a
            callable that returns one.
        discriminator: `unet`, `vgg`, or your own, from images to logits.
        degradation: Degradation of high resolution given alone: `bicubic` or `real`.
        pixel_loss: `l1`, `charbonnier`, or your own function `(target, output) -> scalar`.
        ema_decay: Decay of the averaged generator.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task upscale`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import numpy as np
        >>> from tfgan_app import models
        >>> gan = models.SuperResolution(scale=2, generator_size="small")
        >>> gan.compile("adam")
        >>> high = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
        >>> history = gan.fit(high, batch_size=2, verbose=0)
        >>> gan.predict(high, verbose=0).shape
        (4, 64, 64, 3)
    """

    groups = (Group(UpscaleConfig, (*NETWORKS, *LOSSES)), TRAINING, OPTIMIZER)
    batch_names = ("low_res", "high_res")

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings = self._settings(values)
        kind = "downscale" if settings.degradation == "bicubic" else settings.degradation
        self._degrade = DEGRADATIONS[kind](scale=settings.scale)
        return self._fidelity_parts(
            settings, values, functools.partial(builders.build_upscale_networks, settings, own=own)
        )

    def _outputs(
        self, networks: Networks, batch: dict, training: bool, *, settings: Any, losses: Callable
    ) -> GeneratorOutputs:
        target = batch["high_res"]
        output = networks.generators["generator"](batch["low_res"], training=training)
        outputs = builders.stage_outputs(settings.stage, target, output, losses(target, output, target))
        return builders.with_sub_pixel_bias(outputs, target, output, settings=settings)

    def _batch(self, data) -> dict[str, tf.Tensor]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        scale = self._values["scale"]
        if not isinstance(x, Mapping) and y is None:
            high = self._positioned({"high_res": check_images("high_res", x)})
            _check_multiple(high["high_res"], scale)
            draws = self._draws.uniform(high["position"], self._degrade.draws_per_example)
            return high | {"low_res": to_eight_bits(self._degrade(high["high_res"] * 0.5 + 0.5, draws)) * 2.0 - 1.0}
        batch = super()._batch((x, y, sample_weight))
        for low, high in zip(batch["low_res"].shape[1:3], batch["high_res"].shape[1:3], strict=True):
            if None not in (low, high) and low * scale != high:
                raise ValueError(
                    f"Expected `high_res` {scale} times as wide and high as `low_res`, as `scale`. Received: "
                    f"{list(batch['high_res'].shape)} for {list(batch['low_res'].shape)}."
                )
        return batch


def _check_multiple(images: tf.Tensor, scale: int) -> None:
    if any(side is not None and side % scale for side in images.shape[1:3]):
        raise ValueError(
            f"Expected high resolution whose height and width are multiples of `scale={scale}`. Received: "
            f"{list(images.shape)}; cut or resize the images."
        )
