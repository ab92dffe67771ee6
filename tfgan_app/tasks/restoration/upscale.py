"""The task `upscale`: super-resolution by factors of 2, 3 or 4."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from warnings import warn

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.degradations import DEGRADATIONS, resize, to_eight_bits
from tfgan_app.inference.levels import unit_of
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.data import ImageData
from tfgan_app.tasks.restoration.distillation import Teacher
from tfgan_app.tasks.restoration.evaluation import LPIPS_LEAST_PX, ImageQuality
from tfgan_app.tasks.restoration.held_out import HeldOutPairs, Pair
from tfgan_app.tasks.restoration.imported import imported_generator
from tfgan_app.tasks.restoration.task import TURNS, ImageTask, as_levels, fixed_draws
from tfgan_app.tasks.restoration.upscale_config import PRESETS, UpscaleConfig
from tfgan_app.training.task import GeneratorOutputs, Networks

_SHIFTS = 2


@dataclass(frozen=True)
class Margin:
    """Low-resolution margin around a crop, cut off again since degradations use pixels beyond the crop.

    Attributes:
        size_px: Pixels on each side.
        shift_px: Maximum random shift of the cut, so that JPEG blocks begin anywhere in a crop.
    """

    size_px: int
    shift_px: int


MARGINS = {"bicubic": Margin(4, 0), "real": Margin(8, 4)}


class UpscaleTask(ImageTask):
    """Learns to enlarge downscaled images.

    "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", Ledig et al. 2017,
    arXiv:1609.04802, and its successors: first pixels alone, then a discriminator and VGG features.

    Args:
        config: The run's configuration, its `task` section an `UpscaleConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training.
    """

    config_class = UpscaleConfig
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    sample_headers = ("bicubic", "output", "original")
    input_key = "low_res"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        settings, size_px = config.task, config.data.image_size
        if size_px % settings.scale:
            raise ValueError(
                f"`data.image_size` must be a multiple of task.scale={settings.scale}. Received: {size_px}."
            )
        kind = "downscale" if settings.degradation == "bicubic" else settings.degradation
        self._degrade = DEGRADATIONS[kind](scale=settings.scale)
        is_rgb = config.data.channels is None
        if not is_rgb and settings.degradation != "bicubic":
            raise ValueError(
                f"`task.degradation` must be bicubic with data.channels. Received: {settings.degradation}."
            )
        # Files of numbers are not rounded to 8 bits.
        self._rounded = (
            to_eight_bits if is_rgb else functools.partial(tf.clip_by_value, clip_value_min=0.0, clip_value_max=1.0)
        )
        self._teacher = None
        if settings.teacher and settings.teacher_weight:
            self._teacher = Teacher(settings.teacher, weight=settings.teacher_weight, scale=settings.scale)
            if self._teacher.folder and (settings.image_scales != (1.0,) or settings.degradation != "bicubic"):
                raise ValueError(
                    "`task.teacher` as a folder of outputs needs task.image_scales=1 and task.degradation=bicubic: "
                    f"its images have one scale and one input. Received: {settings.image_scales}, "
                    f"{settings.degradation}; name the teacher's model instead."
                )
        self._margin = MARGINS[settings.degradation]
        data = ImageData(
            config,
            crop_px=size_px + 2 * self._margin.size_px * settings.scale,
            multiple=settings.scale,
            least_px=max(3 * settings.scale, LPIPS_LEAST_PX if settings.lpips_weights else 1),
            low_res=settings.low_res,
            teacher=self._teacher.folder if self._teacher else None,
            report=report,
            measure_on=measure_on,
        )
        quality = ImageQuality(
            pairs=HeldOutPairs(self._pairs, count=lambda: len(data.held_out)),
            baseline=functools.partial(_enlarged, scale=settings.scale),
            baseline_name="bicubic",
            crop_px=settings.scale,
            lpips_weights=settings.lpips_weights,
            metrics=settings.metrics,
            window=lambda: data.window,
        )
        super().__init__(config, data=data, quality=quality)
        self._shares = [TURNS, _SHIFTS, self._degrade.draws_per_example, self.loss_crop_draws]
        self.draws_per_example = sum(self._shares)

    def build_networks(self) -> Networks:
        """Builds the generator and the stage's discriminator under the current dtype policy."""
        settings = self.config.task
        _ = self.losses  # Their variables must exist before the train step is traced.
        imported = imported_generator(settings.init_from, scale=settings.scale)
        return builders.build_upscale_networks(
            settings, channels=self.data.channels, own={builders.GENERATOR: lambda: imported} if imported else {}
        )

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Rotates and downscales the crops: `low_res` and `high_res`, float32 in [-1, 1]."""
        turns, shifts, own, seen = tf.split(draws, self._shares, axis=1)
        images = self.random_dihedral(batch["image"], turns)
        low = (
            self.random_dihedral(batch["low_res"], turns)
            if "low_res" in batch
            else self._rounded(self._degrade(images, own))
        )
        margin, scale, size_px = self._margin, self.config.task.scale, self.config.data.image_size
        shifts = tf.cast(shifts * (2 * margin.shift_px + 1), tf.int32)
        first = margin.size_px - margin.shift_px + shifts
        low, high = (
            builders.crop(low, first, size_px=size_px // scale),
            builders.crop(images, first * scale, size_px=size_px),
        )
        examples = {"low_res": low * 2.0 - 1.0, "high_res": high * 2.0 - 1.0}
        if self._teacher:
            outputs = None
            if "teacher" in batch:
                taught = self.random_dihedral(batch["teacher"], turns)
                outputs = builders.crop(taught, first * scale, size_px=size_px) * 2.0 - 1.0
            examples["pixel_target"] = self._teacher.mixed(examples["high_res"], examples["low_res"], outputs)
        return examples | self.loss_crop_offset(seen)

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Enlarges the low-resolution images."""
        output = networks.generators[builders.GENERATOR](batch["low_res"], training=training)
        outputs = self.stage_outputs(batch, batch["high_res"], output)
        return builders.with_sub_pixel_bias(outputs, batch["high_res"], output, settings=self.config.task)

    def _pairs(self) -> Iterator[Pair]:
        """Yields the held-out images at low and at full resolution."""
        if self.data.low_res is not None:
            yield from zip(self.data.measured_low_res(), self.data.measured(), strict=True)
            return
        draws = fixed_draws(len(self.data.held_out), self._degrade.draws_per_example)
        for image, own in zip(self.data.measured(), draws, strict=True):
            low = self._degrade(tf.constant(unit_of(image[None])), tf.constant(own))
            yield as_levels(low, image.dtype)[0], image

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        settings = self.config.task
        depth = "8 bit" if self.data.window is None else "not rounded"
        low_res = f"{settings.degradation}, {depth}" if self.data.low_res is None else "its own"
        return {**super().protocol(), "scale": settings.scale, "low_res": low_res}


def _enlarged(image: np.ndarray, *, scale: int) -> np.ndarray:
    height, width = (side * scale for side in image.shape[:2])
    return as_levels(resize(tf.constant(unit_of(image[None])), height=height, width=width), image.dtype)[0]
