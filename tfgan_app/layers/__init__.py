"""Keras layers that the networks share; importing this package registers them for loading."""

from tfgan_app.layers.center_pad import CenterPad
from tfgan_app.layers.class_conditioning import ClassGainAndBias, conditional_batch_norm
from tfgan_app.layers.class_names import ClassNames, class_names_of
from tfgan_app.layers.interpolation import FixedBilinearUpsampling
from tfgan_app.layers.latent_codes import LatentCodes
from tfgan_app.layers.normalization import build_normalization, spectral
from tfgan_app.layers.one_hot import OneHot
from tfgan_app.layers.padding import CropLike, PadToMultiple
from tfgan_app.layers.resampling import ICNR, BilinearUpsampling, PixelShuffle
from tfgan_app.layers.spatial_basis import SpatialBasis, SpatialBasisSum
from tfgan_app.layers.value_range import FromUnitRange, ToUnitRange
from tfgan_app.layers.vgg16 import build_vgg16_features

__all__ = [
    "ICNR",
    "BilinearUpsampling",
    "CenterPad",
    "ClassGainAndBias",
    "ClassNames",
    "CropLike",
    "FixedBilinearUpsampling",
    "FromUnitRange",
    "LatentCodes",
    "OneHot",
    "PadToMultiple",
    "PixelShuffle",
    "SpatialBasis",
    "SpatialBasisSum",
    "ToUnitRange",
    "build_normalization",
    "build_vgg16_features",
    "class_names_of",
    "conditional_batch_norm",
    "spectral",
]
