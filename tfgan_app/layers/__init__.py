"""Keras layers that the networks share; importing this package registers them for loading."""

from tfgan_app.layers.normalization import build_normalization
from tfgan_app.layers.padding import CropLike, PadToMultiple
from tfgan_app.layers.resampling import ICNR, BilinearUpsampling, PixelShuffle
from tfgan_app.layers.value_range import FromUnitRange, ToUnitRange
from tfgan_app.layers.vgg16 import build_vgg16_features

__all__ = [
    "ICNR",
    "BilinearUpsampling",
    "CropLike",
    "FromUnitRange",
    "PadToMultiple",
    "PixelShuffle",
    "ToUnitRange",
    "build_normalization",
    "build_vgg16_features",
]
