"""Generators and discriminators: plain functional Keras models, one architecture a file.

The tables of `tfgan_app.registry` name them and state what each kind takes and gives.
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
