"""What `upscale` and `restore` have in common as tasks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.overlap import count_shared
from tfgan_app.layers import FromUnitRange, ToUnitRange
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.caveats import few_held_out
from tfgan_app.tasks.restoration import builders
from tfgan_app.tasks.restoration.data import PictureData
from tfgan_app.tasks.restoration.evaluation import PictureQuality
from tfgan_app.tasks.restoration.held_out import Pair
from tfgan_app.training.task import Networks, Synthesis

TURNS = 3
"""Numbers that decide how a crop is turned."""

SEEN_SHIFT_PX = 8
"""What features and discriminators see begins anywhere in a square of so many pixels: their strides would otherwise lie
the same way on the sub-pixels of every output. This alone keeps no mesh away: see `sub_pixel_bias_loss`."""

LEAST_SHIFTED_PX = 48
"""Smaller crops are seen whole."""

_SEEN = 2


class PictureTask(Task):
    """A task that makes pictures worse and learns the way back.

    Args:
        config: the run's configuration, its `task` section a `PictureTaskConfig`.
        data: where the pictures come from.
        quality: how outputs are measured.
    """

    def __init__(self, config: RunConfig, *, data: PictureData, quality: PictureQuality):
        builders.check_run(config)
        super().__init__(config, report=data.report)
        self.data = data
        self.quality = quality
        self.objective = builders.build_objective(config.task)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """What is measured."""
        return self.quality.metric_names

    def prepare(self) -> None:
        """Finds the training pictures that can be read, and measures the baseline on the held-out ones."""
        _ = self.data.training, self.quality.baseline

    def fingerprint(self) -> str:
        """Digest of the training pictures."""
        return self.data.fingerprint()

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"image": uint8 [batch, crop, crop, 3], "position": int64 [batch]}`."""
        return self.data.build_dataset(start_step=start_step, seed=seed)

    def start(self, networks: Networks) -> None:
        """Takes the networks of another run to start from, where the settings name one."""
        settings = self.config.task
        if settings.stage == "gan" and settings.init_from is None:
            self.data.report("the adversarial stage starts from a fresh generator: task.init_from takes a faithful one")
        builders.start_from(networks, settings.init_from, report=self.data.report)

    @functools.cached_property
    def losses(self) -> Callable:
        """Auxiliary losses by name of `(target, output, pixel_target)`."""
        return builders.build_picture_loss(self.config.task)

    def turned(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Crops as float32 in [0, 1], in a random one of their eight orientations where the settings ask for it."""
        if self.config.task.flips_and_turns:
            images = builders.turned(images, draws)
        return tf.cast(images, tf.float32) / 255.0

    @property
    def seen_draws(self) -> int:
        """How many numbers decide what the losses of the stage see."""
        return 0 if self._seen_px == self.config.data.image_size else _SEEN

    @property
    def _seen_px(self) -> int:
        size_px = self.config.data.image_size
        settings = self.config.task
        only_pixels = settings.stage == "psnr" and not settings.perceptual_weight
        return size_px if only_pixels or size_px < LEAST_SHIFTED_PX else size_px - SEEN_SHIFT_PX

    def seen_from(self, draws: tf.Tensor) -> dict[str, tf.Tensor]:
        """Where what the losses see begins, from draws `[batch, seen_draws]`: int32 `[batch, 2]`, if it matters."""
        return {"seen_from": tf.cast(draws * SEEN_SHIFT_PX, tf.int32)} if self.seen_draws else {}

    def judged(self, batch: dict, target: tf.Tensor, output: tf.Tensor) -> Synthesis:
        """The losses of outputs, as far as they are seen; pixels against `pixel_target` where there is one."""
        pixel_target = batch.get("pixel_target", target)
        if self.seen_draws:
            seen = (target, output, pixel_target)
            target, output, pixel_target = (
                builders.cut(each, batch["seen_from"], size_px=self._seen_px) for each in seen
            )
        auxiliary = self.losses(target, output, pixel_target)
        return builders.synthesis_of(self.config.task.stage, target, output, auxiliary)

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator between pictures in [0, 1]; shares the weights of `networks`."""
        pictures = keras.Input((None, None, 3), name="images")
        outputs = networks.generators[builders.GENERATOR](FromUnitRange(name="from_unit_range")(pictures))
        return keras.Model(pictures, ToUnitRange(name="to_unit_range")(outputs), name=self.config.task_name)

    def held_out_examples(self) -> list[Pair]:
        """Held-out inputs and what should come out: uint8 `[height, width, channels]`."""
        return list(self.quality.pairs)

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """The centres of some held-out pictures: baseline, output and original."""
        return self.quality.sample_rows(model)

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures what a model makes of the degraded held-out pictures.

        Returns:
            Means over pictures of the metrics by name, and those of the baseline.
        """
        return self.quality.measure(model)

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """The best and the worst held-out pictures, as grids: caption -> uint8 `[height, width, 3]`."""
        del current
        return self.quality.examples(model, headers=self.sample_headers)

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """What the figures cannot carry, in words."""
        del measured
        return few_held_out(len(self.data.held_out))

    def count_trained_on(self) -> tuple[int, int]:
        """How many of the pictures to measure on are training pictures, and of how many."""
        return count_shared(self.data.held_out, self.data.pictures.train), len(self.data.held_out)

    def protocol(self) -> dict[str, Any]:
        """What the figures of `evaluate` were measured on, so that they can be compared."""
        return {**self.data.protocol(), **self.quality.protocol()}


def as_uint8(images: tf.Tensor) -> np.ndarray:
    """Pictures in [0, 1] as uint8, rounded to the nearest."""
    return np.rint(np.clip(images.numpy(), 0.0, 1.0) * 255.0).astype(np.uint8)


def fixed_draws(count: int, draws_per_example: int) -> np.ndarray:
    """The same numbers for the held-out pictures in every run: float32 `[count, 1, draws_per_example]` in [0, 1)."""
    return np.random.default_rng(0).random((count, 1, draws_per_example), np.float32)
