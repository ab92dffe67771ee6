"""The images of an unpaired translation: two training sets and two held-out sets."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.labeled import choose_by_name, labeled_fingerprint
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.data.unpaired import ImageSide, UnpairedSet, open_unpaired
from tfgan_app.data.unpaired_batches import build_unpaired_dataset, load_side
from tfgan_app.tasks.progress import progress_reporter, readable_images
from tfgan_app.tasks.translate.paired import BUNDLED_SAMPLE

LEAST_IMAGES = 6
"""Minimum held-out images for distances between sets; training needs twice as many, for the floor."""

SIDES = ("input", "target")


class UnpairedData:
    """Opens, checks and loads the images of a run.

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
    def _found(self) -> UnpairedSet:
        return self._open(self._config.data.source, self._config.data.val_fraction)

    @functools.cached_property
    def _held_out_found(self) -> UnpairedSet:
        # Another folder without splits is held out as a whole.
        return self._found if self._measure_on is None else self._open(self._measure_on, 1.0)

    def _open(self, source: str | None, val_fraction: float) -> UnpairedSet:
        return open_unpaired(
            source or bundled_path(BUNDLED_SAMPLE),
            direction=self._config.task.direction,
            val_fraction=val_fraction,
            on_note=self._report,
        )

    @functools.cached_property
    def training(self) -> dict[str, ImageSide]:
        """`input` and `target`: the readable training images; others are reported."""
        sides = {side: self._readable(getattr(self._found, f"train_{side}")) for side in SIDES}
        self._check_enough(sides, least=2 * LEAST_IMAGES, purpose="train on", origin=self._found.origin)
        return sides

    @functools.cached_property
    def held_out(self) -> dict[str, ImageSide]:
        """`input` and `target`: at most `data.max_val_images` readable held-out images each."""
        found, most = self._held_out_found, self._config.data.max_val_images
        every = {side: getattr(found, f"val_{side}") for side in SIDES}
        chosen = {side: value.select(choose_by_name(value.images.names, most)) for side, value in every.items()}
        sides = {side: self._readable(value) for side, value in chosen.items()}
        self._check_enough(sides, least=LEAST_IMAGES, purpose="measure on", origin=found.origin)
        return sides

    @functools.cached_property
    def images(self) -> dict[str, np.ndarray]:
        """`input` and `target`: the held-out images, uint8 `[count, size, size, 3]`."""
        return {side: self.load(images) for side, images in self.held_out.items()}

    @functools.cached_property
    def true_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the held-out inputs and targets whose names match: two of int64 `[pairs]`."""
        inputs, targets = (self.held_out[side].images.names for side in SIDES)
        places = {name: index for index, name in enumerate(targets)}
        pairs = [(index, places[name]) for index, name in enumerate(inputs) if name in places]
        matched = np.array(pairs, np.int64).reshape(-1, 2)
        return matched[:, 0], matched[:, 1]

    def load(self, side: ImageSide) -> np.ndarray:
        """Loads images for measuring, cropped to the center square: uint8 `[count, size, size, 3]`."""
        data = self._config.data
        return load_side(side, CropSpec(data.image_size, resize=data.resize, **data.reading))

    def fingerprint(self) -> str:
        """Digest of the training images of both sides."""
        return self._digest(self.training)

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """The training batches from a step on; see `build_unpaired_dataset`."""
        data, training = self._config.data, self._config.training
        return build_unpaired_dataset(
            self.training["input"],
            self.training["target"],
            crops=CropSpec(round(data.image_size * data.load_scale), resize=data.resize, **data.reading),
            schedule=Schedule(
                batch_size=training.images_per_step, steps=training.steps, seed=seed, start_step=start_step
            ),
            cache_budget_mb=data.cache_budget_mb,
            on_progress=progress_reporter(self._report, "loaded"),
        )

    def protocol(self) -> dict[str, Any]:
        """Images that are measured, as fields of the protocol."""
        data = self._config.data
        split = "seeded hold-out" if self._held_out_found.val_is_holdout else "validation split"
        return {
            "data": self._measure_on or data.source or BUNDLED_SAMPLE,
            "split": split if self._measure_on is None else "other images",
            "split_digest": self._digest(self.held_out)[:12],
            "direction": self._config.task.direction,
            "inputs": len(self.held_out["input"]),
            "true_pairs": len(self.true_pairs[0]),
            "size_px": data.image_size,
            "resize": f"{data.resize}, center crop",
        }

    def _readable(self, side: ImageSide) -> ImageSide:
        images = readable_images(side.images, self._report, input_range=self._config.data.input_range)
        return ImageSide(images, side.half)

    def _check_enough(self, sides: dict[str, ImageSide], *, least: int, purpose: str, origin: str) -> None:
        for name, side in sides.items():
            if len(side) < least:
                raise ValueError(
                    f"Expected at least {least} {name} images to {purpose} in {origin}. Found {len(side)}; add some, "
                    "change `data.val_fraction`, or try `tfgan_app inspect`."
                )

    def _digest(self, sides: dict[str, ImageSide]) -> str:
        parts = [labeled_fingerprint(side.images) + str(side.half) for side in sides.values()]
        return hashlib.sha256("".join(parts).encode()).hexdigest()
