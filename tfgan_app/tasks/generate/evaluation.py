"""Quality of generated images: distances between sets in the space of a feature network."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.caches import cache_folder
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.metrics import (
    FeatureNetwork,
    build_inception_features,
    build_random_features,
    build_vgg16_feature_network,
    generation_metrics,
    generation_protocol,
    train_classifier_features,
)
from tfgan_app.tasks.caveats import feature_caveats, set_caveats
from tfgan_app.tasks.generate.sampling import nearest_neighbors

MAX_CLASSIFIER_IMAGES, MAX_CLASSIFIER_STEPS, CLASSIFIER_EPOCHS, CLASSIFIER_BATCH = 50_000, 1800, 20, 128
MAX_CLASSIFIER_PX = 64
MAX_NEIGHBOR_IMAGES = 10_000
CHUNK = 1000
"""Images in memory at a time."""


class GenerationQuality:
    """Compares generated images with held-out ones.

    Args:
        held_out: Held-out images to compare with.
        training: Training images.
        load: `LabeledImages -> uint8 [count, height, width, channels]`, as for measuring.
        classes: Number of classes of the data, whether or not the run is conditional.
        features: `auto`, `classifier`, `vgg16`, `inception` or `random`.
        feature_weights: File of VGG16 weights.
        floor_count: Training images measured in place of generated ones; at most the number of these.
        kept_back: Training images withheld from a classifier, so that some are new to it; `floor_count` by default. It
            must stay the same within a run, or figures on other images would be based on other features.
        report: Called with progress messages.
        shared: Another comparison by the same features, whose network is reused.
    """

    def __init__(
        self,
        *,
        held_out: LabeledImages,
        training: LabeledImages,
        load: Callable[[LabeledImages], np.ndarray],
        classes: int,
        features: str,
        feature_weights: str | None,
        floor_count: int,
        report: Callable[[str], Any],
        kept_back: int | None = None,
        shared: GenerationQuality | None = None,
    ):
        self._held_out = held_out
        self._load = load
        self._classes = classes
        self._weights = feature_weights
        self._report = report
        self._shared = shared
        shuffled = training.select(np.random.default_rng(0).permutation(len(training)).tolist())
        # Images that a classifier has memorized would look unlike any new ones.
        kept_back = min(floor_count if kept_back is None else kept_back, len(training) // 2)
        self._floor_images = shuffled.select(range(min(floor_count, kept_back)))
        self._other_images = shuffled.select(range(kept_back, len(training)))
        self._kind = self._choose() if features == "auto" else features
        if self._kind == "classifier" and classes < 2:
            raise ValueError(
                "`task.features=classifier` needs images in at least two class folders. "
                f"Received: {classes} classes; use vgg16 (with `task.feature_weights`), inception or random."
            )
        if self._kind == "vgg16" and not feature_weights:
            raise ValueError("`task.features=vgg16` needs `task.feature_weights`, an .npz of VGG16. Received: none.")

    def _choose(self) -> str:
        if self._classes >= 2:
            return "classifier"
        return "vgg16" if self._weights else "random"

    @functools.cached_property
    def network(self) -> FeatureNetwork:
        """The feature network; a classifier is trained the first time and kept in the user's cache folder."""
        if self._shared is not None:
            return self._shared.network
        if self._kind == "inception":
            return build_inception_features()
        if self._kind == "vgg16":
            return build_vgg16_feature_network(weights=self._weights)
        if self._kind == "random":
            return build_random_features()
        images = self._other_images.select(range(self._classified))
        self._report("features for the metrics: a classifier of the data's classes (trained once, then kept)")
        return train_classifier_features(
            np.concatenate(list(self._chunks(images))),
            images.labels,
            classes=self._classes,
            steps=min(MAX_CLASSIFIER_STEPS, 1 + CLASSIFIER_EPOCHS * len(images) // CLASSIFIER_BATCH),
            cache_dir=feature_cache(self._report),
        )

    @property
    def _classified(self) -> int:
        """Number of training images of a classifier."""
        return min(MAX_CLASSIFIER_IMAGES, len(self._other_images))

    def caveats(self, *, generated: int, neighbors: bool = True) -> list[str]:
        """Caveats of the figures, as texts.

        Args:
            generated: Number of generated images.
            neighbors: Whether precision, recall, density and coverage are used.
        """
        count = min(len(self._held_out), generated)
        return [
            *set_caveats(count=count, dim=self.network.dim, neighbors=neighbors),
            *feature_caveats(kind=self._kind, trained_on=self._classified),
        ]

    def protocol(self, *, generated: int) -> dict[str, Any]:
        """Protocol of the metrics, for a number of generated images."""
        counts = generation_protocol(real_count=len(self._held_out), fake_count=generated)
        return {**counts, "floor_images": len(self._floor_images), **self.network.protocol()}

    def measure(self, generated: Iterable[np.ndarray]) -> dict[str, float]:
        """FID, KID, precision, recall, density and coverage.

        Args:
            generated: Batches of images uint8 `[count, height, width, channels]`.
        """
        return self._measured(generated, intervals=True)

    def _measured(self, images: Iterable[np.ndarray], *, intervals: bool) -> dict[str, float]:
        return generation_metrics(self._real_features, self._features(images), intervals=intervals)

    @functools.cached_property
    def _real_features(self) -> np.ndarray:
        return self._features(self._chunks(self._held_out))

    @functools.cached_property
    def floor(self) -> dict[str, float]:
        """The same metrics for training images: the score of a perfect generator."""
        measured = self._measured(self._chunks(self._floor_images), intervals=False)
        return {f"floor_{name}": value for name, value in measured.items()}

    def neighbors(self, generated: np.ndarray, *, count: int) -> np.ndarray:
        """The nearest training images in feature space: uint8 `[n, count, height, width, channels]`.

        Of more than `MAX_NEIGHBOR_IMAGES` training images a fixed subset is searched.

        Args:
            generated: uint8 `[n, height, width, channels]`.
            count: Number of neighbors for each.
        """
        candidates = self._other_images.select(range(min(MAX_NEIGHBOR_IMAGES, len(self._other_images))))
        features = self._features(self._chunks(candidates))
        nearest, _ = nearest_neighbors(self._features([generated]), features, count=count)
        return np.stack([self._load(candidates.select(row)) for row in nearest])

    def _features(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate([self.network(self._reduced(images)) for images in batches])

    def _chunks(self, images: LabeledImages) -> Iterator[np.ndarray]:
        """Yields images in chunks, as inputs of the feature network."""
        for start in range(0, len(images), CHUNK):
            yield self._reduced(self._load(images.select(range(start, min(start + CHUNK, len(images))))))

    def _reduced(self, images: np.ndarray) -> np.ndarray:
        """Images reduced to the input size of a classifier."""
        if self._kind != "classifier" or max(images.shape[1:3]) <= MAX_CLASSIFIER_PX:
            return images
        size = (MAX_CLASSIFIER_PX, MAX_CLASSIFIER_PX)
        return np.rint(tf.image.resize(images, size, method="area").numpy()).astype(np.uint8)


def feature_cache(report: Callable[[str], Any]) -> Path | None:
    """Cache folder of trained feature networks; `None` if it cannot be written.

    Args:
        report: Called with a message if there is none.
    """
    try:
        return cache_folder("features")
    except OSError as error:
        report(f"the classifier is not kept for the next time: {error}; set XDG_CACHE_HOME to a folder for it")
        return None
