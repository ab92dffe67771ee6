"""Augmentation on the accelerator: stateless, inside the compiled train step."""

from tfgan_app.augmentation.paired import PairedAugmentation

__all__ = ["PairedAugmentation"]
