"""Augmentation on the accelerator: stateless, inside the compiled train step."""

from tfgan_app.augmentation.adaptive import AdaptiveAugmentation
from tfgan_app.augmentation.classic import ClassicAugmentation
from tfgan_app.augmentation.diff_augment import DiffAugment
from tfgan_app.augmentation.paired import PairedAugmentation
from tfgan_app.registry import DISCRIMINATOR_AUGMENTATIONS

__all__ = [
    "DISCRIMINATOR_AUGMENTATIONS",
    "AdaptiveAugmentation",
    "ClassicAugmentation",
    "DiffAugment",
    "PairedAugmentation",
]
