"""The images of a `generate` run: training and held-out images, and their resizing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.captions import CaptionedSet, with_captions
from tfgan_app.data.labeled import LabeledImages, LabeledSet
from tfgan_app.data.opening import open_labeled
from tfgan_app.data.pipeline import build_labeled_dataset, load_labeled
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.tasks.progress import progress_reporter, readable_images
from tfgan_app.tokens import Vocabulary, learn_vocabulary, tokenize

BUNDLED_SAMPLE = "fashion"
BUNDLED_CAPTIONS = "emoji_captions"
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
        """The training and the held-out images of the run's data source; with captions, only those that have one."""
        if self._config.task.captions:
            return self._captioned.images
        data = self._config.data
        found = open_labeled(data.source or bundled_path(self.sample), val_fraction=data.val_fraction)
        if self._config.task.conditional and not found.class_names:
            raise ValueError(
                f"`task.conditional=true` needs classes: a folder for each. Received: {found.origin}, "
                f"which has none ({found.layout})."
            )
        return found

    @property
    def sample(self) -> str:
        """Name of the bundled sample set for these settings."""
        return BUNDLED_CAPTIONS if self._config.task.captions else BUNDLED_SAMPLE

    @functools.cached_property
    def _captioned(self) -> CaptionedSet:
        data = self._config.data
        found = open_labeled(data.source or bundled_path(self.sample), val_fraction=data.val_fraction)
        captioned = with_captions(found)
        if captioned.without:
            self._report(f"{captioned.without} images have no caption and are left out")
        return captioned

    @property
    def captions(self) -> tuple[str, ...]:
        """The distinct captions of a run with `task.captions`, which its labels count; empty otherwise."""
        return self._captioned.captions if self._config.task.captions else ()

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary of the training captions."""
        settings = self._config.task
        texts = [self.captions[label] for label in self.training.labels]
        return learn_vocabulary(texts, size=settings.vocabulary_size, length=settings.caption_tokens)

    @functools.cached_property
    def tokens(self) -> np.ndarray:
        """Tokens of each caption: int32 `[captions, length]`."""
        with tf.init_scope():  # It may first be asked for while a training step is traced.
            return tokenize(tf.constant(self.captions), self.vocabulary).numpy()

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
        return self._measure_on or self._config.data.source or self.sample

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
        if self.captions:
            return self._other_captioned(found), found.origin
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

    def _other_captioned(self, found: LabeledSet) -> LabeledImages:
        """Images of another source, with the labels that this run gives their captions."""
        other = with_captions(found)
        held_out = other.images.val if len(other.images.val) else other.images.train
        unknown = sorted(set(other.captions) - set(self.captions))
        if unknown:
            raise ValueError(
                "`--data` must hold captions of the run's own images, which its tokens are kept for. Received others: "
                f"{', '.join(unknown[:3])}."
            )
        labels = np.array([self.captions.index(text) for text in other.captions], np.int32)[held_out.labels]
        return LabeledImages(held_out.names, labels, held_out.paths, held_out.images)

    def _readable(self, images: LabeledImages) -> LabeledImages:
        return readable_images(images, self._report, input_range=self._config.data.input_range)
