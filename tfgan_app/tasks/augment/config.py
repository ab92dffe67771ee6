"""Settings and named recipes of the task `augment`."""

from __future__ import annotations

import dataclasses
from typing import Literal

from tfgan_app.config.typed_fields import bounded, setting
from tfgan_app.tasks.generate.config import DEFAULT_PRESET as GENERATE_PRESET
from tfgan_app.tasks.generate.config import R3GAN, GenerateConfig
from tfgan_app.tasks.preset import Preset

DRAWING_SETTINGS = (
    "task.min_confidence",
    "task.copy_quantile",
    "task.duplicate_share",
    "task.max_draws",
    "task.classifier_steps",
    "task.classifier_width",
)
"""Keys of `tfgan_app augment --set`: settings that the trained networks do not depend on."""


@dataclasses.dataclass(frozen=True)
class AugmentConfig(GenerateConfig):
    """Settings of `augment`: those of `generate`, conditional, and of the selection and study of its images.

    Attributes:
        conditional: Always true.
        per_class: Train on this many images of each class, chosen by `subset_seed`; none takes all.
        subset_seed: Seed of that choice; a smaller subset of the same seed is part of a larger one.
        min_confidence: Least probability of its class for a drawn image, by a classifier trained on the real images;
            others are dropped.
        copy_quantile: A drawn image is dropped as a copy if it is as near to a training image as this share
            of the training images of its class are to their nearest neighbor.
        duplicate_share: It is dropped as a near-duplicate if it is nearer to a kept image than this share of that
            distance: many images lie closer together than few.
        max_draws: Maximum draws for each wanted image.
        classifier_steps: Updates of each training of the classifier, in every arm of the study.
        classifier_width: Channels of its first convolution.
        study_seeds: Trainings of each arm.
        study_sizes: Numbers of real images of each class for the study, one after the other; empty for all.
        study_synthetic: Synthetic images of each class for the study.
        synthetic_share: Share of synthetic images in a batch that has any.
        synthetic_until: Share of the updates with synthetic images; the rest uses real ones alone.
        synthetic_labels: `wanted` is the requested class; `soft` the mean of it and the predictions of classifiers
            trained on the real images with classic augmentation: a gain may then come from these.
        classic_flip: Classic augmentation mirrors left and right.
        classic_shift: It moves by up to this share of the side.
        classic_scale: It enlarges or shrinks by up to this share.
        classic_rotation_degrees: It turns by up to this angle.
        classic_erase: It erases a rectangle in this share of images.
    """

    conditional: bool = True
    per_class: int | None = bounded(None, minimum=1)
    subset_seed: int = bounded(0, minimum=0)
    min_confidence: float = bounded(0.5, minimum=0.0, maximum=1.0, on_resume="may_change")
    copy_quantile: float = bounded(0.01, minimum=0.0, maximum=1.0, on_resume="may_change")
    duplicate_share: float = bounded(0.5, minimum=0.0, on_resume="may_change")
    max_draws: int = bounded(10, minimum=1, on_resume="may_change")
    classifier_steps: int = bounded(800, minimum=1, on_resume="may_change")
    classifier_width: int = bounded(16, minimum=1, on_resume="may_change")
    study_seeds: int = bounded(5, minimum=2, on_resume="may_change")
    study_sizes: tuple[int, ...] = bounded((), minimum=1, on_resume="may_change")
    study_synthetic: int = bounded(200, minimum=1, on_resume="may_change")
    synthetic_share: float = bounded(0.5, above=0.0, below=1.0, on_resume="may_change")
    synthetic_until: float = bounded(0.5, above=0.0, maximum=1.0, on_resume="may_change")
    synthetic_labels: Literal["wanted", "soft"] = setting("wanted", on_resume="may_change")
    classic_flip: bool = setting(False, on_resume="may_change")
    classic_shift: float = bounded(0.1, minimum=0.0, maximum=0.5, on_resume="may_change")
    classic_scale: float = bounded(0.1, minimum=0.0, below=1.0, on_resume="may_change")
    classic_rotation_degrees: float = bounded(0.0, minimum=0.0, maximum=180.0, on_resume="may_change")
    classic_erase: float = bounded(0.5, minimum=0.0, maximum=1.0, on_resume="may_change")


PRESETS = {
    "default": Preset({**GENERATE_PRESET, "training.steps": 3000}, summary="best per minute on two CPU cores"),
    "r3gan": R3GAN,
}
"""Those of `generate`, whose `task.augmentation=auto` is DiffAugment for few images."""
