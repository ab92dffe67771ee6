"""Draws images of each class until enough of them pass: sure of their class, no copies, unlike each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tfgan_app.tasks.augment.distances import as_points, distances_between

LOW_CONFIDENCE, COPY, DUPLICATE = "low confidence", "copies of training images", "near-duplicates"
REASONS = (LOW_CONFIDENCE, COPY, DUPLICATE)


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """What a drawn image must pass.

    Attributes:
        confidence: Least probability of the wanted class.
        distances: Of each class: as near as this to a training image, an image is a copy.
        duplicate_share: This share of that distance to a kept one makes it a near-duplicate.
        max_draws: Draws for each image that is wanted.
    """

    confidence: float
    distances: tuple[float, ...]
    duplicate_share: float
    max_draws: int


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Images and what is known of each; all arrays are of one length.

    Attributes:
        images: uint8 `[count, height, width, channels]`.
        labels: int32, the classes that were asked for.
        seeds: int64, of which `tfgan_app predict` draws the same images.
        scores: float32, logits of the discriminator.
        probabilities: float32 `[count, classes]`, of a classifier trained on the real images.
        distances: float64, to the nearest training image.
        nearest: int64, which one that is.
    """

    images: np.ndarray
    labels: np.ndarray
    seeds: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    distances: np.ndarray
    nearest: np.ndarray

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def confidences(self) -> np.ndarray:
        """Probability of the wanted class, float32 `[count]`."""
        return self.probabilities[np.arange(len(self)), self.labels]

    def select(self, indices: np.ndarray) -> Drawn:
        """Those at some indices, or where a mask is true."""
        return Drawn(**{field.name: getattr(self, field.name)[indices] for field in dataclasses.fields(self)})

    @staticmethod
    def joined(parts: list[Drawn]) -> Drawn:
        """All of them, one after the other."""
        names = [field.name for field in dataclasses.fields(Drawn)]
        return Drawn(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclasses.dataclass(frozen=True)
class ClassCount:
    """How the drawing of one class went.

    Attributes:
        wanted: Images that were asked for.
        kept: Images that passed.
        drawn: Images that were looked at.
        dropped: Reason -> number.
    """

    wanted: int
    kept: int
    drawn: int
    dropped: dict[str, int]

    @property
    def is_short(self) -> bool:
        """Whether fewer passed than were asked for."""
        return self.kept < self.wanted


@dataclasses.dataclass(frozen=True)
class Selection:
    """The kept images, class by class.

    Attributes:
        kept: The images, in the order of class and seed.
        counts: Of each class.
        thresholds: What they passed.
    """

    kept: Drawn
    counts: list[ClassCount]
    thresholds: Thresholds


def select_images(
    draw: Callable[[np.ndarray, np.ndarray], Drawn],
    *,
    classes: int,
    per_class: int,
    first_seed: int,
    thresholds: Thresholds,
    batch_size: int,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> Selection:
    """Draws seed after seed of each class until enough pass, or `max_draws` times as many have been drawn.

    Args:
        draw: `(seeds int64 [count], labels int32 [count]) -> Drawn`.
        classes: Number of classes.
        per_class: Images wanted of each.
        first_seed: Every class begins with this seed.
        thresholds: What an image must pass.
        batch_size: Most images that are drawn at a time.
        on_progress: Called with the number of images kept and of all that are wanted.
    """
    parts, counts = [], []
    for label in range(classes):
        # One image at least is looked at, and its fields tell an empty selection its shapes.
        part, count = _select_class(
            draw, label, per_class=per_class, first_seed=first_seed, thresholds=thresholds, batch_size=batch_size
        )
        parts.append(part)
        counts.append(count)
        on_progress(sum(each.kept for each in counts), classes * per_class)
    return Selection(Drawn.joined(parts), counts, thresholds)


def _select_class(
    draw: Callable[[np.ndarray, np.ndarray], Drawn],
    label: int,
    *,
    per_class: int,
    first_seed: int,
    thresholds: Thresholds,
    batch_size: int,
) -> tuple[Drawn, ClassCount]:
    limit, drawn, kept = per_class * thresholds.max_draws, 0, []
    dropped = dict.fromkeys(REASONS, 0)
    missing, points = per_class, None
    while missing and drawn < limit:
        count = min(batch_size, 2 * missing, limit - drawn)
        seeds = np.arange(first_seed + drawn, first_seed + drawn + count, dtype=np.int64)
        candidates = draw(seeds, np.full(count, label, np.int32))
        chosen, reasons, points = _judge(candidates, points, thresholds, missing=missing)
        for reason in reasons:
            dropped[reason] += 1
        kept.append(candidates.select(np.array(chosen, np.int64)))
        drawn += len(chosen) + len(reasons)
        missing -= len(chosen)
    return Drawn.joined(kept), ClassCount(per_class, per_class - missing, drawn, dropped)


def _judge(
    candidates: Drawn, points: np.ndarray | None, thresholds: Thresholds, *, missing: int
) -> tuple[list[int], list[str], np.ndarray]:
    """Indices of the candidates that pass, why others do not, and the points of all that are kept by now."""
    own = as_points(candidates.images)
    points = own[:0] if points is None else points
    limits = np.array(thresholds.distances)[candidates.labels]
    apart = thresholds.duplicate_share * limits[:, None]
    near_kept = (distances_between(own, points) <= apart).any(axis=1)
    near_each_other = distances_between(own, own) <= apart
    chosen: list[int] = []
    reasons: list[str] = []
    for index, confidence in enumerate(candidates.confidences):
        if len(chosen) == missing:
            break
        if confidence < thresholds.confidence:
            reasons.append(LOW_CONFIDENCE)
        elif candidates.distances[index] <= limits[index]:
            reasons.append(COPY)
        elif near_kept[index] or near_each_other[index, chosen].any():
            reasons.append(DUPLICATE)
        else:
            chosen.append(index)
    return chosen, reasons, np.concatenate([points, own[chosen]])
