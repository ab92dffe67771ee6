"""Base class of the tasks `upscale` and `restore`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig, replace_values
from tfgan_app.data.overlap import count_shared
from tfgan_app.image_io.samples import parse_value_range
from tfgan_app.inference.levels import peak_of, to_levels
from tfgan_app.layers import DataWindow, FromUnitRange, ToUnitRange
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.caveats import few_held_out
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.data import ImageData
from tfgan_app.tasks.restoration.evaluation import NUMBER_METRICS, ImageQuality
from tfgan_app.tasks.restoration.held_out import Pair
from tfgan_app.training.task import GeneratorOutputs, Networks

TURNS = 3
"""Number of uniform draws for the orientation of a crop."""

LOSS_CROP_SHIFT_PX = 8
"""Side in pixels of the square in which the crop for features and discriminators begins: otherwise their strides would
always hit the same sub-pixels. It does not suffice against meshes: see `sub_pixel_bias_loss`."""

LEAST_SHIFTED_PX = 48
"""Side of crops below which the losses use all of them."""

_SEEN = 2


class ImageTask(Task):
    """A task that degrades images and learns to recover them.

    Args:
        config: The run's configuration, its `task` section an `ImageTaskConfig`.
        data: Images of the run.
        quality: Metrics of the outputs.
    """

    takes_numbers = True

    def __init__(self, config: RunConfig, *, data: ImageData, quality: ImageQuality):
        builders.check_run(config)
        if config.data.channels is not None:
            config = for_numbers(config)
        super().__init__(config, report=data.report)
        self.data = data
        self.quality = quality
        self.objective = builders.build_objective(config.task)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return self.quality.metric_names if self.config.data.channels is None else NUMBER_METRICS

    def prepare(self) -> None:
        """Finds the readable training images, and measures the baseline on the held-out ones."""
        _ = self.data.training
        if self.data.window is not None:
            low, high = self.data.window
            self.data.report(f"images as numbers, channels: {self.data.channels}, 0 to 1 stand for {low:g} to {high:g}")
        _ = self.quality.baseline

    @property
    def resolved_settings(self) -> Mapping[str, Any]:
        """The window of images as numbers, and a metric that they have."""
        if self.data.window is None:
            return {}
        low, high = self.data.window
        return {"data.value_range": f"{low!r},{high!r}", "training.best_metric": self.config.training.best_metric}

    def fingerprint(self) -> str:
        """Digest of the training images."""
        return self.data.fingerprint()

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"image": uint8 [batch, crop, crop, 3], "position": int64 [batch]}`."""
        return self.data.build_dataset(start_step=start_step, seed=seed)

    def start(self, networks: Networks) -> None:
        """Loads the networks of the run that the settings name as start, if any."""
        settings = self.config.task
        if settings.stage == "gan" and settings.init_from is None:
            self.data.report("the adversarial stage starts from a fresh generator: task.init_from takes a faithful one")
        builders.start_from(networks, settings.init_from, report=self.data.report)

    @functools.cached_property
    def losses(self) -> Callable:
        """Auxiliary losses by name of `(target, output, pixel_target)`."""
        return builders.build_image_loss(self.config.task)

    def random_dihedral(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Converts crops to float32 in [0, 1], in a random orientation if the settings ask for it."""
        if self.config.task.flips_and_turns:
            images = builders.random_dihedral(images, draws)
        return tf.cast(images, tf.float32) / 255.0 if images.dtype == tf.uint8 else images

    @property
    def loss_crop_draws(self) -> int:
        """Number of uniform draws for the crop of the losses."""
        return 0 if self._loss_crop_px == self.config.data.image_size else _SEEN

    @property
    def _loss_crop_px(self) -> int:
        size_px = self.config.data.image_size
        settings = self.config.task
        only_pixels = settings.stage == "psnr" and not settings.perceptual_weight
        return size_px if only_pixels or size_px < LEAST_SHIFTED_PX else size_px - LOSS_CROP_SHIFT_PX

    def loss_crop_offset(self, draws: tf.Tensor) -> dict[str, tf.Tensor]:
        """First row and column of the crop for the losses, int32 `[batch, 2]`; empty if they use all.

        Args:
            draws: float32 `[batch, loss_crop_draws]`, uniform in [0, 1).
        """
        return {"loss_crop_offset": tf.cast(draws * LOSS_CROP_SHIFT_PX, tf.int32)} if self.loss_crop_draws else {}

    def stage_outputs(self, batch: dict, target: tf.Tensor, output: tf.Tensor) -> GeneratorOutputs:
        """Losses of outputs, within the crop of the losses; pixels against `pixel_target` if there is one."""
        pixel_target = batch.get("pixel_target", target)
        if self.loss_crop_draws:
            seen = (target, output, pixel_target)
            target, output, pixel_target = (
                builders.crop(each, batch["loss_crop_offset"], size_px=self._loss_crop_px) for each in seen
            )
        auxiliary = self.losses(target, output, pixel_target)
        return builders.stage_outputs(self.config.task.stage, target, output, auxiliary)

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator between images in [0, 1]; shares the weights of `networks`."""
        images = keras.Input((None, None, self.data.channels), name="images")
        outputs = networks.generators[builders.GENERATOR](FromUnitRange(name="from_unit_range")(images))
        outputs = ToUnitRange(name="to_unit_range")(outputs)
        if self.data.window is not None:
            outputs = DataWindow(*self.data.window, name="data_window")(outputs)
        return keras.Model(images, outputs, name=self.config.task_name)

    def held_out_examples(self) -> list[Pair]:
        """Held-out inputs and targets `[height, width, channels]`: uint8, or float32 in [0, 1] of numbers."""
        return list(self.quality.pairs)

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """The centers of some held-out images: baseline, output and original."""
        return self.quality.sample_rows(model)

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures a model on the degraded held-out images.

        Returns:
            Means over images of the metrics by name, and those of the baseline.
        """
        return self.quality.measure(model)

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """The best and the worst held-out images, as grids: caption -> uint8 `[height, width, 3]`."""
        del current
        return self.quality.examples(model, headers=self.sample_headers)

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Caveats of the figures, as texts."""
        del measured
        return few_held_out(len(self.data.held_out))

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out images that are training images, and of all held-out ones."""
        return count_shared(self.data.held_out, self.data.images.train), len(self.data.held_out)

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        return {**self.data.protocol(), **self.quality.protocol()}


def as_levels(images: tf.Tensor, dtype: np.dtype) -> np.ndarray:
    """Images clipped to [0, 1], as uint8 rounded to the nearest integer, or as float32."""
    return to_levels(np.clip(images.numpy(), 0.0, 1.0) * np.float32(peak_of(dtype)), dtype)


def for_numbers(config: RunConfig) -> RunConfig:
    """A configuration for images as numbers, whose metrics have no luma.

    Raises:
        ValueError: If a setting needs 8-bit RGB.
    """
    data, settings = config.data, config.task
    if data.value_range is not None:
        parse_value_range(data.value_range)
    refused = {
        "task.low_res": getattr(settings, "low_res", None),
        "task.teacher": getattr(settings, "teacher", None),
        "task.lpips_weights": settings.lpips_weights,
        "task.metrics": ", ".join(settings.metrics) or None,
        "data.source": data.source if (data.source or "keras:").startswith("keras:") else None,
    }
    if data.channels != 3 and settings.perceptual_weight:
        raise ValueError(
            f"`task.perceptual_weight` needs three channels, as VGG's features do. Received: "
            f"{settings.perceptual_weight} with data.channels={data.channels}. Set task.perceptual_weight=0."
        )
    if data.source is None:
        raise ValueError("`data.channels` reads your own files as numbers: name their folder with `--data FOLDER`.")
    for key, value in refused.items():
        if value:
            raise ValueError(
                f"`{key}` is for 8-bit RGB, and `data.channels` reads images as numbers. Received: {value}. "
                "Leave one of them out."
            )
    luma = {"psnr_y": "psnr", "ssim_y": "ssim"}
    best = config.training.best_metric
    return replace_values(config, {"training.best_metric": luma.get(best, best)})


def fixed_draws(count: int, draws_per_example: int) -> np.ndarray:
    """Fixed uniform draws for the held-out images: float32 `[count, 1, draws_per_example]` in [0, 1)."""
    return np.random.default_rng(0).random((count, 1, draws_per_example), np.float32)
