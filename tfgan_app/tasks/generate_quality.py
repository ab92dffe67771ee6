"""How good generated pictures are: distances between sets in the space of a named feature network."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.data.labelled import LabelledPictures
from tfgan_app.metrics import (
    FeatureNetwork,
    build_inception_features,
    build_random_features,
    build_vgg16_feature_network,
    generation_metrics,
    generation_protocol,
    train_classifier_features,
)
from tfgan_app.tasks.sampling import nearest_neighbours

MAX_CLASSIFIER_PICTURES = 60_000
MAX_NEIGHBOUR_PICTURES = 10_000


class GenerationQuality:
    """Compares generated pictures with held-out ones.

    Args:
        held_out: uint8 `[count, height, width, channels]`.
        training: the pictures that were trained on.
        load: `LabelledPictures -> uint8 [count, height, width, channels]`, as they are measured.
        classes: number of classes of the data, whether or not the run is conditional.
        features: `auto`, `classifier`, `vgg16`, `inception` or `random`.
        feature_weights: file of VGG16 weights.
        report: called with lines on the progress.
    """

    def __init__(
        self,
        *,
        held_out: np.ndarray,
        training: LabelledPictures,
        load: Callable[[LabelledPictures], np.ndarray],
        classes: int,
        features: str,
        feature_weights: str | None,
        report: Callable[[str], Any],
    ):
        self._held_out = held_out
        self._training = training
        self._load = load
        self._classes = classes
        self._weights = feature_weights
        self._report = report
        self._kind = self._choose() if features == "auto" else features
        if self._kind == "classifier" and classes < 2:
            raise ValueError(
                "`task.features=classifier` needs pictures in at least two class folders. "
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
        """The feature network; a classifier is trained the first time, and kept in the user's cache folder."""
        if self._kind == "inception":
            return build_inception_features()
        if self._kind == "vgg16":
            return build_vgg16_feature_network(weights=self._weights)
        if self._kind == "random":
            return build_random_features()
        pictures = self._subset(MAX_CLASSIFIER_PICTURES)
        self._report("features for the metrics: a classifier of the data's classes (trained once, then kept)")
        return train_classifier_features(
            self._load(pictures), pictures.labels, classes=self._classes, cache_dir=feature_cache()
        )

    def _subset(self, count: int) -> LabelledPictures:
        """The first `count` training pictures of a fixed shuffle."""
        return self._training.select(np.sort(np.random.default_rng(0).permutation(len(self._training))[:count]))

    def protocol(self, *, generated: int) -> dict[str, Any]:
        """What is measured, for a number of generated pictures."""
        counts = generation_protocol(real_count=len(self._held_out), fake_count=generated)
        return {**counts, **self.network.protocol()}

    def measure(self, generated: np.ndarray) -> dict[str, float]:
        """FID, KID, precision, recall, density and coverage of uint8 `[count, height, width, channels]`."""
        return generation_metrics(self._real_features, self.network(generated))

    @functools.cached_property
    def _real_features(self) -> np.ndarray:
        return self.network(self._held_out)

    @functools.cached_property
    def floor(self) -> dict[str, float]:
        """The same metrics of as many training pictures: what a generator without fault would score."""
        training = self._load(self._subset(len(self._held_out)))
        return {f"floor_{name}": value for name, value in self.measure(training).items()}

    def neighbours(self, generated: np.ndarray, *, count: int) -> np.ndarray:
        """The nearest training pictures in feature space: uint8 `[n, count, height, width, channels]`.

        Of more than `MAX_NEIGHBOUR_PICTURES` training pictures a fixed choice is searched.
        """
        candidates = self._load(self._subset(MAX_NEIGHBOUR_PICTURES))
        nearest, _ = nearest_neighbours(self.network(generated), self.network(candidates), count=count)
        return candidates[nearest]


def feature_cache() -> Path:
    """The folder in which trained feature networks are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tfgan_app" / "features"
