"""The task `restore`: removes noise, blur, JPEG artifacts and holes, and restores color."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.inference.levels import unit_of
from tfgan_app.layers import ChannelSlice, FromUnitRange, MakesColor, ToUnitRange
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.data import ImageData
from tfgan_app.tasks.restoration.degradation import COLORIZE, INPAINT, build_degradation
from tfgan_app.tasks.restoration.evaluation import LPIPS_LEAST_PX, ImageQuality
from tfgan_app.tasks.restoration.held_out import HeldOutPairs, Pair
from tfgan_app.tasks.restoration.imported import imported_generator
from tfgan_app.tasks.restoration.restore_config import PRESETS, RestoreConfig
from tfgan_app.tasks.restoration.task import TURNS, ImageTask, as_levels, fixed_draws
from tfgan_app.training.task import GeneratorOutputs, Networks

SHIFT_PX = 16
"""Margin around crops during degradation; the final crop is random in it, so that JPEG blocks begin anywhere."""

HOLE_GRAY = 0.5
"""Value of holes in the baseline and in grids."""

_SHIFTS = 2


class RestoreTask(ImageTask):
    """Learns to restore degraded images.

    "Simple Baselines for Image Restoration", Chen et al. 2022, arXiv:2204.04676; for holes "Free-Form Image
    Inpainting with Gated Convolution", Yu et al. 2019, arXiv:1806.03589.

    Args:
        config: The run's configuration, its `task` section a `RestoreConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training.
    """

    config_class = RestoreConfig
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    sample_headers = ("damaged", "restored", "original")
    input_key = "damaged"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        settings = config.task
        self._degradation = build_degradation(settings, channels=config.data.channels)
        # Only degraded images are measured; untouched ones would outweigh them.
        self._measured_degradation = build_degradation(
            dataclasses.replace(settings, share_untouched=0.0, share_skipped=0.0), channels=config.data.channels
        )
        data = ImageData(
            config,
            crop_px=config.data.image_size + SHIFT_PX,
            least_px=LPIPS_LEAST_PX if settings.lpips_weights else 1,
            report=report,
            measure_on=measure_on,
        )
        quality = ImageQuality(
            pairs=HeldOutPairs(self._pairs, count=lambda: len(data.held_out)),
            baseline=_shown,
            baseline_name="copy",
            crop_px=0,
            lpips_weights=settings.lpips_weights,
            metrics=settings.metrics,
            window=lambda: data.window,
        )
        super().__init__(config, data=data, quality=quality)
        self._shares = [TURNS, _SHIFTS, self._degradation.draws_per_example, self.loss_crop_draws]
        self.draws_per_example = sum(self._shares)

    @property
    def _has_holes(self) -> bool:
        return INPAINT in self.config.task.degradation

    @property
    def _keeps_clean_images(self) -> bool:
        """Whether a clean image must be returned unchanged."""
        return not self._has_holes and COLORIZE not in self.config.task.degradation

    @property
    def predict_arguments(self) -> str:
        """Arguments of `tfgan_app predict` besides the model."""
        return f"--input IMAGES{' --mask MASKS' if self._has_holes else ''} --output OUTPUT"

    def build_networks(self) -> Networks:
        """Builds the generator and the stage's discriminator under the current dtype policy."""
        settings = self.config.task
        _ = self.losses  # Their variables must exist before the train step is traced.
        imported = None if self._has_holes else imported_generator(settings.init_from, scale=1)
        own = {builders.GENERATOR: lambda: imported} if imported else {}
        return builders.build_restore_networks(
            settings, has_holes=self._has_holes, channels=self.data.channels, own=own
        )

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Rotates, degrades and crops the images: `damaged` and `target`, float32 in [-1, 1].

        For inpainting, `damaged` has a fourth channel: 1 in known pixels, -1 in holes.
        """
        turns, shifts, own, seen = tf.split(draws, self._shares, axis=1)
        images = self.random_dihedral(batch["image"], turns)
        damaged = self._degradation(images, own)
        first = tf.cast(shifts * (SHIFT_PX + 1), tf.int32)
        crop = builders.crop(tf.concat([damaged, images], axis=-1), first, size_px=self.config.data.image_size)
        channels = self._degradation.channels
        examples = {"damaged": crop[..., :channels] * 2.0 - 1.0, "target": crop[..., channels:] * 2.0 - 1.0}
        return examples | self.loss_crop_offset(seen)

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Restores the degraded images."""
        restore = functools.partial(builders.restore, has_holes=self._has_holes, training=training)
        output = restore(networks.generators[builders.GENERATOR], batch["damaged"])
        return self.stage_outputs(batch, batch["target"], output)

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator between images in [0, 1]; shares the weights of `networks`.

        For inpainting its input has a fourth channel, like the alpha channel of a file: 1 in known pixels, which are
        returned unchanged, and 0 in holes.
        """
        if not self._has_holes:
            model = super().inference_model(networks)
            if COLORIZE not in self.config.task.degradation:
                return model
            return keras.Model(model.inputs, MakesColor(name="makes_color")(model.outputs[0]), name=model.name)
        images = keras.Input((None, None, 4), name="images")
        color = FromUnitRange(name="from_unit_range")(ChannelSlice(0, 3, name="color")(images))
        mask = keras.layers.Rescaling(-1.0, offset=1.0, name="mask")(ChannelSlice(3, 4, name="known")(images))
        outputs = networks.generators[builders.GENERATOR]([color, mask])
        return keras.Model(images, ToUnitRange(name="to_unit_range")(outputs), name=self.config.task_name)

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures a model on degraded images, and on clean ones (`clean_psnr`)."""
        measured = super().evaluate(model)
        if self._keeps_clean_images:
            measured["clean_psnr"] = self.quality.kept(model, self.data.measured())
        return measured

    def _pairs(self) -> Iterator[Pair]:
        """Yields the held-out images degraded, with a mask for holes, and clean."""
        draws = fixed_draws(len(self.data.held_out), self._measured_degradation.draws_per_example)
        for image, own in zip(self.data.measured(), draws, strict=True):
            damaged = self._measured_degradation(tf.constant(unit_of(image[None])), tf.constant(own))
            yield as_levels(damaged, image.dtype)[0], image

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        settings = self.config.task
        facts: dict[str, Any] = {"degradation": ", ".join(settings.degradation)}
        if "denoise" in settings.degradation:
            facts["noise_sigma_255"] = list(settings.noise_sigma_255)
        if "jpeg" in settings.degradation:
            facts["jpeg_quality"] = list(settings.jpeg_quality)
        if self._has_holes:
            facts["mask"] = settings.mask
        return {**super().protocol(), **facts}


def _shown(image: np.ndarray) -> np.ndarray:
    """A degraded image without a mask, with gray holes; images as numbers have none."""
    if image.shape[2] == 3 or image.dtype != np.uint8:
        return image
    known = image[..., 3:] > 127
    return np.where(known, image[..., :3], np.uint8(255 * HOLE_GRAY))
