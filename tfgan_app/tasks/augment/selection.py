"""Selection of drawn images of each class: confident, no copies, no near-duplicates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tfgan_app.tasks.augment.distances import as_points, distances_between

LOW_CONFIDENCE, COPY, DUPLICATE = "low confidence", "copies of training images", "near-duplicates"
REASONS = (LOW_CONFIDENCE, COPY, DUPLICATE)


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Criteria of the selection.

    Attributes:
        confidence: Least probability of the wanted class.
        distances: For each class, the distance to a training image up to which an image is a copy.
        duplicate_share: Share of that distance to a kept image up to which it is a near-duplicate.
        max_draws: Maximum draws for each wanted image.
    """

    confidence: float
    distances: tuple[float, ...]
    duplicate_share: float
    max_draws: int


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Drawn images with their attributes; all arrays have the same length.

    Attributes:
        images: uint8 `[count, height, width, channels]`.
        labels: int32, the requested classes.
        seeds: int64, with which `tfgan_app predict` draws the same images.
        scores: float32, logits of the discriminator.
        probabilities: float32 `[count, classes]`, of a classifier trained on the real images.
        distances: float64, to the nearest training image.
        nearest: int64, index of that image.
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
        """The images at indices, or where a mask is true."""
        return Drawn(**{field.name: getattr(self, field.name)[indices] for field in dataclasses.fields(self)})

    @staticmethod
    def joined(parts: list[Drawn]) -> Drawn:
        """Concatenates parts."""
        names = [field.name for field in dataclasses.fields(Drawn)]
        return Drawn(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclasses.dataclass(frozen=True)
class ClassCount:
    """Counts of one class.

    Attributes:
        wanted: Requested images.
        kept: Images that passed.
        drawn: Images that were checked.
        dropped: Reason -> number.
    """

    wanted: int
    kept: int
    drawn: int
    dropped: dict[str, int]

    @property
    def is_short(self) -> bool:
        """Whether fewer images passed than requested."""
        return self.kept < self.wanted


@dataclasses.dataclass(frozen=True)
class Selection:
    """The kept images, class by class.

    Attributes:
        kept: The images, in the order of class and seed.
        counts: Counts of each class.
        thresholds: Criteria that they passed.
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
        per_class: Images wanted of each class.
        first_seed: First seed of every class.
        thresholds: Criteria of the selection.
        batch_size: Maximum images drawn at a time.
        on_progress: Called with the numbers of kept and of wanted images.
    """
    parts, counts = [], []
    for label in range(classes):
        # At least one image is checked: its fields give an empty selection its shapes.
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
        chosen, reasons, points = _check(candidates, points, thresholds, missing=missing)
        for reason in reasons:
            dropped[reason] += 1
        kept.append(candidates.select(np.array(chosen, np.int64)))
        drawn += len(chosen) + len(reasons)
        missing -= len(chosen)
    return Drawn.joined(kept), ClassCount(per_class, per_class - missing, drawn, dropped)


def _check(
    candidates: Drawn, points: np.ndarray | None, thresholds: Thresholds, *, missing: int
) -> tuple[list[int], list[str], np.ndarray]:
    """Indices of the passing candidates, reasons for the others, and the points of all kept images."""
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
