"""The images of an `upscale` or `restore` run: training crops, and held-out images or their centers."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.decoding import image_sizes
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import LabeledImages, LabeledSet, labeled_fingerprint
from tfgan_app.data.partners import Partners, build_partner_dataset, find_partners
from tfgan_app.data.pipeline import build_labeled_dataset
from tfgan_app.data.record_index import is_prepared
from tfgan_app.data.sample_files import find_readable_samples, read_unit
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.files import printable
from tfgan_app.image_io.grid import spread_indices
from tfgan_app.image_io.loading import IMAGE_SUFFIXES, read_rgb
from tfgan_app.image_io.samples import Window, chosen_window, parse_value_range, sample_shape, sample_suffixes
from tfgan_app.tasks.progress import LeftOut, progress_reporter, readable_images

BUNDLED_SAMPLE = "photos"


class ImageData:
    """Training crops and held-out images of one source, or held-out ones of another.

    Args:
        config: The run's configuration.
        crop_px: Side of the training crops; smaller images are reported and left out.
        multiple: Sides of held-out images are cropped to multiples of this.
        least_px: Held-out images with a shorter side are reported and left out.
        low_res: Folder of the same images, `multiple` times smaller; None if they are computed.
        teacher: Folder of a teacher's outputs for the training images, of equal size; None without one.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training; they are measured whole.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        crop_px: int,
        multiple: int = 1,
        least_px: int = 1,
        low_res: str | None = None,
        teacher: str | None = None,
        report: Callable[[str], Any],
        measure_on: str | None = None,
    ):
        self._config = config
        self._crop_px = crop_px
        self._multiple = multiple
        self._least_px = least_px
        # Images to measure from another source have no partners there.
        self.low_res = None if measure_on is not None else low_res
        self._teacher = None if measure_on is not None else teacher
        self.report = report
        self._measure_on = measure_on

    @functools.cached_property
    def images(self) -> LabeledSet:
        """The training and the held-out images of the run's data source; classes are ignored."""
        data = self._config.data
        return self._open(data.source or bundled_path(BUNDLED_SAMPLE), val_fraction=data.val_fraction)

    def _open(self, source: str | Path, *, val_fraction: float) -> LabeledSet:
        numbers = self._config.data.channels is not None
        if numbers and is_prepared(source):
            raise ValueError(
                f"`data.channels` needs a folder of image files: sets of `tfgan_app prepare` hold 8-bit images. "
                f"Received: '{printable(source)}'."
            )
        suffixes = sample_suffixes() if numbers else IMAGE_SUFFIXES
        return open_images(source, val_fraction=val_fraction, suffixes=suffixes, on_note=self.report)

    @functools.cached_property
    def window(self) -> Window | None:
        """Data values that 0 and 1 stand for, of images as numbers; None for 8-bit RGB."""
        data = self._config.data
        if data.channels is None:
            return None
        if data.value_range is not None and not parse_value_range(data.value_range)[1]:
            return parse_value_range(data.value_range)[0]
        return chosen_window(self.training.paths, channels=data.channels, value_range=data.value_range)

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return self._config.data.channels or 3

    @property
    def training(self) -> LabeledImages:
        """The training images: readable and large enough for a crop."""
        return self._training[0]

    @functools.cached_property
    def _training(self) -> tuple[LabeledImages, dict[str, Partners]]:
        """The training images, and their partners by name."""
        readable = self._readable(self.images.train, smallest_px=self._crop_px)
        partners: dict[str, Partners] = {}
        for name, folder, scale in (("low_res", self.low_res, self._multiple), ("teacher", self._teacher, 1)):
            if folder is not None:
                kept, found = self._partners_of(readable, "train", folder=folder, scale=scale)
                readable = readable.select(kept)
                partners = {other: each.select(kept) for other, each in partners.items()} | {name: found}
        if not len(readable):
            raise ValueError(
                f"Expected training images of at least {self._crop_px} x {self._crop_px} px in "
                f"{self.images.origin}. Found none; lower `--image-size`, or try `tfgan_app inspect`."
            )
        return readable, partners

    @property
    def held_out(self) -> LabeledImages:
        """At most `data.max_val_images` readable held-out images, evenly spread."""
        return self._held_out[0]

    @functools.cached_property
    def _held_out(self) -> tuple[LabeledImages, list[Path]]:
        if self._measure_on is None:
            candidates, origin = self.images.val, self.images.origin
        else:
            found = self._open(self._measure_on, val_fraction=0.0)
            candidates, origin = (found.val if len(found.val) else found.train), found.origin
        chosen = candidates.select(spread_indices(len(candidates), self._config.data.max_val_images))
        readable, partners = self._with_low_res(self._readable(chosen, smallest_px=self._least_px))
        if not len(readable):
            raise ValueError(
                f"Expected held-out images of at least {self._least_px} px a side to measure on in {origin}. "
                "Found none; raise `data.val_fraction`, or add a folder val/ beside train/."
            )
        return readable, partners

    def _with_low_res(self, images: LabeledImages) -> tuple[LabeledImages, list[Path]]:
        if self.low_res is None:
            return images, []
        kept, partners = self._partners_of(images, "val", folder=self.low_res, scale=self._multiple)
        return images.select(kept), partners.paths

    def _partners_of(
        self, images: LabeledImages, split: Literal["train", "val"], **options
    ) -> tuple[list[int], Partners]:
        """Indices of the images that have a partner, and the partners."""

        def say(line: str):
            self.report(LeftOut(line))

        return find_partners(images, split=split, on_skip=say, **options)

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"image": [batch, crop, crop, channels], "position": int64 [batch]}` from a step on; see `measured`.

        Of every `task.candidates` crops the one with most detail is kept. Partners are included as `low_res` and
        `teacher`.
        """
        data, training, candidates = self._config.data, self._config.training, self._config.task.candidates
        crops = CropSpec(self._crop_px, resize="none", channels=self.channels, window=self.window, **data.reading)
        schedule = Schedule(
            batch_size=training.images_per_step * candidates, steps=training.steps, seed=seed, start_step=start_step
        )
        options: dict[str, Any] = {
            "cache_budget_mb": data.cache_budget_mb,
            "on_progress": progress_reporter(self.report, "loaded"),
        }
        images, partners = self._training
        if partners:
            options |= {"crops": crops, "schedule": schedule, "stride_px": self._multiple}
            dataset = build_partner_dataset(images, partners, **options)
        else:
            images, scales = self._at_scales(images)
            dataset = build_labeled_dataset(images, crops, schedule, scales=scales, **options)
        choose = functools.partial(_most_detailed, candidates=candidates)
        return dataset.map(choose, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    def _at_scales(self, images: LabeledImages) -> tuple[LabeledImages, np.ndarray]:
        """Each image at each of the settings' scales at which it holds a crop, or at the largest of them."""
        scales = sorted(self._config.task.image_scales, reverse=True)
        if scales == [1.0]:
            return images, np.ones(len(images))
        if images.paths is None:
            sides = np.full(len(images), min(images.images.shape[1:3]))
        else:
            sides = self._sizes(images.paths).min(axis=1)
        holds = np.rint(sides[:, None] * scales) >= self._crop_px
        holds[:, 0] = True
        indices, chosen = np.nonzero(holds)
        return images.select(indices.tolist()), np.array(scales)[chosen]

    def measured(self) -> Iterator[np.ndarray]:
        """Yields the held-out images, sides multiples of `multiple`.

        uint8 `[height, width, 3]`, or float32 `[height, width, channels]` in [0, 1] of images as numbers.
        """
        for image in self._decoded(self.held_out):
            yield _center(image, limit=self._limit, multiple=self._multiple)

    def measured_low_res(self) -> Iterator[np.ndarray]:
        """Yields their low-resolution partners, if these are given."""
        limit = None if self._limit is None else self._limit // self._multiple
        for path in self._held_out[1]:
            yield _center(read_rgb(path, **self._config.data.reading), limit=limit, multiple=1)

    @property
    def _limit(self) -> int | None:
        """Largest side of the held-out images, a multiple of `multiple`."""
        limit = self._config.task.val_crop_px
        return None if self._measure_on is not None or limit is None else limit // self._multiple * self._multiple

    def protocol(self) -> dict[str, Any]:
        """Images that the figures are based on."""
        whole = self._measure_on is not None or self._config.task.val_crop_px is None
        split = "other images"
        if self._measure_on is None:
            split = "seeded hold-out" if self.images.val_is_holdout else "validation split"
        return {
            "images": len(self.held_out),
            "data": self._measure_on or self._config.data.source or BUNDLED_SAMPLE,
            "split": split,
            "split_digest": labeled_fingerprint(self.held_out)[:12],
            "cut": "none" if whole else f"center, at most {self._config.task.val_crop_px} px a side",
            "background": self._config.data.background,
            **({} if self.window is None else {"channels": self.channels, "value_range": list(self.window)}),
        }

    def fingerprint(self) -> str:
        """Digest of the training images, their partners and their crops."""
        partners = [(path.name, path.stat().st_size) for given in self._training[1].values() for path in given.paths]
        facts = (labeled_fingerprint(self.training), self._crop_px, *([partners] if partners else []))
        return hashlib.sha256(" ".join(map(str, facts)).encode()).hexdigest()

    def _decoded(self, images: LabeledImages) -> Iterator[np.ndarray]:
        if images.paths is None:
            yield from np.broadcast_to(images.images, (*images.images.shape[:3], 3))
        else:
            for path in images.paths:
                if self.window is not None:
                    yield read_unit(path, channels=self.channels, window=self.window)
                else:
                    yield read_rgb(path, **self._config.data.reading)

    def _readable(self, images: LabeledImages, *, smallest_px: int) -> LabeledImages:
        if self._config.data.channels is not None:
            readable = find_readable_samples(
                images,
                channels=self.channels,
                on_skip=lambda name, problem: self.report(LeftOut(problem)),
                on_progress=progress_reporter(self.report, "checked"),
            )
        else:
            readable = readable_images(images, self.report, input_range=self._config.data.input_range)
        if readable.paths is None:
            height, width = readable.images.shape[1:3]
            if min(height, width) >= smallest_px:
                return readable
            self.report(LeftOut(f"all {len(readable)} are smaller than {smallest_px} px: {width} x {height}"))
            return readable.select([])
        sizes = self._sizes(readable.paths)
        is_large = sizes.min(axis=1) >= smallest_px
        for index in np.flatnonzero(~is_large).tolist():
            height, width = sizes[index]
            path = printable(readable.paths[index])
            self.report(
                LeftOut(f"'{path}' is smaller than {smallest_px} x {smallest_px} px: it has {width} x {height}")
            )
        return readable.select(np.flatnonzero(is_large))

    def _sizes(self, paths: Sequence[Path]) -> np.ndarray:
        """Returns height and width of each image, int64 `[images, 2]`."""
        if self._config.data.channels is None:
            return image_sizes(paths)
        return np.array([sample_shape(path, channels=self.channels)[:2] for path in paths], np.int64).reshape(-1, 2)


def _most_detailed(batch: dict[str, tf.Tensor], *, candidates: int) -> dict[str, tf.Tensor]:
    """Selects from every `candidates` consecutive examples the one whose neighboring pixels differ most."""
    images = {name: batch[name] for name in ("image", "low_res", "teacher") if name in batch}
    if candidates == 1:
        return images | {"position": batch["position"]}
    # Green of RGB.
    green = tf.cast(batch["image"][..., batch["image"].shape[-1] // 2], tf.float32)
    detail = tf.reduce_mean(tf.abs(green[:, 1:] - green[:, :-1]), axis=(1, 2))
    detail += tf.reduce_mean(tf.abs(green[:, :, 1:] - green[:, :, :-1]), axis=(1, 2))
    best = tf.argmax(tf.reshape(detail, [-1, candidates]), axis=1)
    chosen = tf.range(tf.size(best, tf.int64)) * candidates + best
    chosen_images = {name: tf.gather(values, chosen) for name, values in images.items()}
    return chosen_images | {"position": batch["position"][::candidates] // candidates}


def _center(image: np.ndarray, *, limit: int | None, multiple: int) -> np.ndarray:
    """The center of an image, at most `limit` on a side, that begins and ends at multiples of `multiple`.

    A whole image loses only its last rows and columns, as in the literature.
    """
    units = [side // multiple for side in image.shape[:2]]
    kept = [min(count, count if limit is None else limit // multiple) for count in units]
    top, left = ((have - keep) // 2 * multiple for have, keep in zip(units, kept, strict=True))
    sides = [keep * multiple for keep in kept]
    return np.ascontiguousarray(image[top : top + sides[0], left : left + sides[1]])
