"""Caveats of an evaluation's figures, as texts for the user."""

from __future__ import annotations

from collections.abc import Mapping

LEAST_MEANS = 10
"""Held-out images below which a mean is not worth three digits."""

LEAST_SETS = 200
"""Images below which precision, recall and coverage have an error of 5 % or more."""

LEAST_CLASSIFIED = 1000
"""Training images below which a classifier has hardly learned useful features."""

_ABOVE_REAL = 0.02


def few_held_out(count: int) -> list[str]:
    """Caveats of means over a number of held-out images."""
    if count >= LEAST_MEANS:
        return []
    images = "1 held-out image" if count == 1 else f"{count} held-out images"
    return [
        f"they are means of {images}: with others they would differ. Hold out {LEAST_MEANS} or more "
        "(data.val_fraction, or a folder val/)"
    ]


def set_caveats(*, count: int, dim: int, neighbors: bool = True) -> list[str]:
    """Caveats of distances between sets.

    Args:
        count: Images on the smaller side.
        dim: Number of features.
        neighbors: Whether precision, recall, density and coverage are measured.
    """
    found = []
    if count < LEAST_SETS and neighbors:
        found.append(
            f"{count} held-out images are too few for precision, recall, density and coverage: hold out {LEAST_SETS} "
            "or more (data.val_fraction, data.max_val_images), and look at their intervals"
        )
    if count < 2 * dim:
        found.append(
            f"FID of {count} images in {dim} features is mostly the bias of few images: compare it with that of "
            "real images, and only with runs of the same count"
        )
    return found


def feature_caveats(*, kind: str, trained_on: int) -> list[str]:
    """Caveats of the features of set metrics.

    Args:
        kind: `classifier`, `random`, `vgg16` or `inception`.
        trained_on: Number of training images of a classifier.
    """
    if kind == "random":
        return ["features are those of a random network: use them only to compare runs on one data set"]
    if kind == "classifier" and trained_on < LEAST_CLASSIFIED:
        return [
            f"features are those of a classifier of {trained_on} images, which may not separate good images from bad "
            f"ones: use {LEAST_CLASSIFIED} or more, or task.features=vgg16 with task.feature_weights"
        ]
    return []


def above_real(measured: Mapping[str, float]) -> list[str]:
    """Caveats of generated images that score better than real ones."""
    found = []
    for name in ("precision", "density"):
        value, real = measured.get(name), measured.get(f"floor_{name}")
        if value is not None and real is not None and value > real + _ABOVE_REAL:
            found.append(
                f"{name} {value:.3f} is above that of real images, {real:.3f}: these features and images do not "
                "separate the two, or all generated images are of the most common kind. Look at them"
            )
    return found
