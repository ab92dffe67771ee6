"""The images of a style transfer: contents and styles."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import LabeledImages, choose_by_name, labeled_fingerprint
from tfgan_app.data.overlap import count_shared
from tfgan_app.data.pipeline import build_labeled_dataset, load_labeled
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.tasks.progress import progress_reporter, readable_images

BUNDLED_SAMPLE = "photos"

_STYLE_SEED = 104_729
"""Added to the run's seed, so that contents and styles are paired differently in every epoch."""


class StyleImages:
    """Contents and styles of a run, for training and held out.

    Args:
        config: The run's configuration, its `task` section a `TranslateConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out contents, if not that of the training; all of it is used.
    """

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any], measure_on: str | None = None):
        self._config = config
        self._report = report
        self._measure_on = measure_on

    @property
    def content_source(self) -> str:
        """Source of the contents."""
        return self._config.data.source or str(bundled_path(BUNDLED_SAMPLE))

    @property
    def style_source(self) -> str:
        """Source of the styles."""
        return self._config.task.styles or self.content_source

    @functools.cached_property
    def training(self) -> tuple[LabeledImages, LabeledImages]:
        """The readable training contents and styles."""
        contents = self._readable(self._opened(self.content_source).train, self.content_source)
        if _is_one_place(self.content_source, self.style_source):
            return contents, contents
        return contents, self._readable(self._opened(self.style_source).train, self.style_source)

    def fingerprint(self) -> str:
        """Digest of the training images."""
        facts = " ".join(labeled_fingerprint(images) for images in self.training)
        return hashlib.sha256(facts.encode()).hexdigest()

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"content", "style": uint8 [batch, load, load, 3], "position": int64 [batch]}` from a step on."""
        data, training = self._config.data, self._config.training
        contents, styles = (
            build_labeled_dataset(
                images,
                CropSpec(round(data.image_size * data.load_scale), resize=data.resize, **data.reading),
                Schedule(
                    batch_size=training.images_per_step,
                    steps=training.steps,
                    seed=seed + shift,
                    start_step=start_step,
                ),
                cache_budget_mb=data.cache_budget_mb // 2,
                on_progress=progress_reporter(self._report, "loaded"),
            )
            for images, shift in zip(self.training, (0, _STYLE_SEED), strict=True)
        )
        return tf.data.Dataset.zip(contents, styles).map(
            lambda content, style: {
                "content": content["image"],
                "style": style["image"],
                "position": content["position"],
            }
        )

    @functools.cached_property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a held-out content and a held-out style: uint8 `[count, size, size, 3]` each.

        Each image is in at least one pair; if both come from one folder, none is paired with itself.
        """
        contents, styles = (self._squares(images) for images in self._held_out_images)
        count = max(len(contents), len(styles))
        first = int(self._held_out_images[0] is self._held_out_images[1])
        return contents[np.arange(count) % len(contents)], styles[(np.arange(count) + first) % len(styles)]

    @functools.cached_property
    def _held_out_images(self) -> tuple[LabeledImages, LabeledImages]:
        source = self._measure_on or self.content_source
        if self._measure_on is None:
            contents = self._chosen(self._opened(source).val, source)
        else:
            found = self._opened(source, val_fraction=0.0)
            contents = self._chosen(found.val if len(found.val) else found.train, source)
        if not _is_one_place(source, self.style_source):
            return contents, self._chosen(self._opened(self.style_source).val, self.style_source)
        if len(contents) < 2:
            raise ValueError(
                f"Expected at least 2 held-out images in {source}, for one to take the style of another. "
                f"Found {len(contents)}; add some, raise `data.val_fraction`, or set `task.styles`."
            )
        return contents, contents

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out contents that are training contents, and of all held-out ones."""
        contents = self._held_out_images[0]
        return count_shared(contents, self._opened(self.content_source).train), len(contents)

    def protocol(self) -> dict[str, Any]:
        """Images that the figures are based on."""
        data = self._config.data
        digests = [labeled_fingerprint(images)[:12] for images in self._held_out_images]
        return {
            "pairs": len(self.held_out[0]),
            "contents": len(self._held_out_images[0]),
            "styles": len(self._held_out_images[1]),
            "data": self._measure_on or data.source or BUNDLED_SAMPLE,
            "contents_digest": digests[0],
            "styles_digest": digests[1],
            "size_px": data.image_size,
            "resize": f"{data.resize}, center crop",
        }

    def _squares(self, images: LabeledImages) -> np.ndarray:
        data = self._config.data
        return load_labeled(images, CropSpec(data.image_size, resize=data.resize, **data.reading))

    def _opened(self, source: str, *, val_fraction: float | None = None):
        share = self._config.data.val_fraction if val_fraction is None else val_fraction
        return open_images(source, val_fraction=share, on_note=self._report)

    def _chosen(self, images: LabeledImages, source: str) -> LabeledImages:
        return self._readable(images.select(choose_by_name(images.names, self._config.data.max_val_images)), source)

    def _readable(self, images: LabeledImages, source: str) -> LabeledImages:
        readable = readable_images(images, self._report, input_range=self._config.data.input_range)
        if not len(readable):
            raise ValueError(
                f"Expected readable images to train and to measure on in {source}. Found none for one of the "
                "two; add images, or raise `data.val_fraction`."
            )
        return readable


def _is_one_place(first: str, second: str) -> bool:
    """Whether two sources are the same place, in any notation."""
    return len({str(Path(source).resolve()) if Path(source).exists() else source for source in (first, second)}) == 1
