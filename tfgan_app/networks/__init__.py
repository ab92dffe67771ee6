"""Generators and discriminators: plain functional Keras models, one architecture per file.

The tables of `tfgan_app.registry` list them and state the inputs and outputs of each kind.
"""

from tfgan_app.registry import (
    CROP_DISCRIMINATORS,
    DISCRIMINATORS,
    GENERATORS,
    IMAGE_DISCRIMINATORS,
    INPAINTERS,
    NOISE_GENERATORS,
    RESTORERS,
    UPSCALERS,
)

__all__ = [
    "CROP_DISCRIMINATORS",
    "DISCRIMINATORS",
    "GENERATORS",
    "IMAGE_DISCRIMINATORS",
    "INPAINTERS",
    "NOISE_GENERATORS",
    "RESTORERS",
    "UPSCALERS",
]
