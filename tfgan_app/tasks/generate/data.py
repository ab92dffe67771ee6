"""The images of a `generate` run: training and held-out images, and their resizing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.opening import open_labeled
from tfgan_app.data.pipeline import build_labeled_dataset, load_labeled
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.tasks.progress import progress_reporter, readable_images

BUNDLED_SAMPLE = "fashion"
LEAST_IMAGES = 6
"""Minimum number of images: the metrics use five neighbors of each."""


class GenerateData:
    """Training and held-out images of one source, or held-out ones of another.

    Args:
        config: The run's configuration.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training.
    """

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any], measure_on: str | None = None):
        self._config = config
        self._report = report
        self._measure_on = measure_on

    @functools.cached_property
    def images(self) -> LabeledSet:
        """The training and the held-out images of the run's data source."""
        data = self._config.data
        found = open_labeled(data.source or bundled_path(BUNDLED_SAMPLE), val_fraction=data.val_fraction)
        if self._config.task.conditional and not found.class_names:
            raise ValueError(
                f"`task.conditional=true` needs classes: a folder for each. Received: {found.origin}, "
                f"which has none ({found.layout})."
            )
        return found

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names of a conditional run; empty otherwise."""
        return self.images.class_names if self._config.task.conditional else ()

    @property
    def channels(self) -> int:
        """1 for gray images, 3 for color."""
        colors = self._config.task.colors
        return 1 if colors == "gray" or (colors == "auto" and self.images.gray) else 3

    @functools.cached_property
    def training(self) -> LabeledImages:
        """The readable training images; others are reported and left out."""
        readable = self._readable(self.training_candidates())
        if len(readable) < 2 * LEAST_IMAGES:
            raise ValueError(
                f"Expected at least {2 * LEAST_IMAGES} readable training images in {self.images.origin}. "
                f"Found {len(readable)}; add some, or try `tfgan_app inspect`."
            )
        missing = [name for label, name in enumerate(self.class_names) if label not in readable.labels]
        if missing:
            raise ValueError(
                f"Expected readable training images in each class of {self.images.origin}. "
                f"Found none of: {', '.join(missing[:5])}; add some, or remove the class."
            )
        return readable

    def training_candidates(self) -> LabeledImages:
        """The training images, including unreadable ones."""
        return self.images.train

    @functools.cached_property
    def held_out(self) -> LabeledImages:
        """At most `data.max_val_images` readable held-out images, in an order that mixes the classes."""
        candidates, origin = self._held_out_candidates()
        order = np.random.default_rng(0).permutation(len(candidates))
        held_out = self._readable(candidates.select(order[: self._config.data.max_val_images].tolist()))
        if len(held_out) < LEAST_IMAGES:
            raise ValueError(
                f"Expected at least {LEAST_IMAGES} held-out images to measure on in {origin}. "
                f"Found {len(held_out)}; raise `data.val_fraction`, or add a folder val/ beside train/."
            )
        return held_out

    @property
    def split(self) -> str:
        """Split of the held-out images, for the protocol."""
        if self._measure_on is not None:
            return "other images"
        return "seeded hold-out" if self.images.val_is_holdout else "validation split"

    @property
    def origin(self) -> str:
        """Source of the held-out images, for the protocol."""
        return self._measure_on or self._config.data.source or BUNDLED_SAMPLE

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """The training batches from a step on; see `build_labeled_dataset`."""
        data, training = self._config.data, self._config.training
        return build_labeled_dataset(
            self.training,
            self._crops,
            Schedule(batch_size=training.images_per_step, steps=training.steps, seed=seed, start_step=start_step),
            cache_budget_mb=data.cache_budget_mb,
            on_progress=progress_reporter(self._report, "loaded"),
        )

    def load(self, images: LabeledImages) -> np.ndarray:
        """Loads images as in training, at fixed random crops: uint8 `[count, size, size, channels]`."""
        return load_labeled(images, self._crops, place="random")

    @property
    def _crops(self) -> CropSpec:
        data = self._config.data
        return CropSpec(data.image_size, resize=data.resize, channels=self.channels, **data.reading)

    def _held_out_candidates(self) -> tuple[LabeledImages, str]:
        if self._measure_on is None:
            return self.images.val, self.images.origin
        found = open_labeled(self._measure_on, val_fraction=0.0)
        held_out = found.val if len(found.val) else found.train
        if not self.class_names:
            return held_out, found.origin
        unknown = [name for name in found.class_names if name not in self.class_names]
        if unknown or not found.class_names:
            raise ValueError(
                f"`--data` must hold the run's classes ({', '.join(self.class_names[:10])}), a folder for each. "
                f"Received: {', '.join(unknown[:5]) or 'no classes'}."
            )
        labels = np.array([self.class_names.index(name) for name in found.class_names], np.int32)[held_out.labels]
        return LabeledImages(held_out.names, labels, held_out.paths, held_out.images), found.origin

    def _readable(self, images: LabeledImages) -> LabeledImages:
        return readable_images(images, self._report, input_range=self._config.data.input_range)
