"""Keras layers that the networks share; importing this package registers them for loading."""

import keras

from tfgan_app.layers.adaptive_instance_norm import (
    AdaptiveInstanceNorm,
    ChannelStatistics,
    channel_statistics,
    statistics_maps,
)
from tfgan_app.layers.bicubic import BicubicUpsampling
from tfgan_app.layers.binomial import BinomialFilter
from tfgan_app.layers.center_pad import CenterPad
from tfgan_app.layers.channel_slice import ChannelSlice
from tfgan_app.layers.class_conditioning import ClassGainAndBias, ConditionGainAndBias, conditional_batch_norm
from tfgan_app.layers.color_space import (
    COLOR_SPACES,
    CONVERSIONS,
    ColorConversion,
    build_color_model,
    check_conversion,
)
from tfgan_app.layers.constant_channel import ConstantChannel
from tfgan_app.layers.doubling_convolution import DoublingConv2D
from tfgan_app.layers.equalized import EqualizedConv2D, EqualizedDense, UnitPower, gained_leaky_relu
from tfgan_app.layers.fused_normalization import BatchNormalization, InstanceNormalization
from tfgan_app.layers.gating import SplitGate
from tfgan_app.layers.interpolation import FixedBilinearUpsampling
from tfgan_app.layers.latent_codes import LatentCodes
from tfgan_app.layers.metadata_layers import (
    ClassNames,
    DataWindow,
    MakesColor,
    Provenance,
    class_names_of,
    data_window_of,
    makes_color,
    provenance_of,
)
from tfgan_app.layers.minibatch_deviation import MinibatchDeviation
from tfgan_app.layers.modulation import ModulatedConv2D, PixelNoise
from tfgan_app.layers.normalization import build_normalization, spectral
from tfgan_app.layers.one_hot import OneHot
from tfgan_app.layers.padding import CropLike, PadToMultiple, ReflectPad
from tfgan_app.layers.parametric_relu import ParametricReLU
from tfgan_app.layers.pixel_unshuffle import PixelUnshuffle
from tfgan_app.layers.rational_resize import RationalResize
from tfgan_app.layers.receptive_field import (
    ReceptiveField,
    feature_bytes_per_px,
    probed_receptive_field,
    receptive_field_of,
)
from tfgan_app.layers.receptive_field_rules import POINTWISE, Window, enlarging_window, interpolation_window
from tfgan_app.layers.resampling import ICNR, BilinearUpsampling, PixelShuffle
from tfgan_app.layers.self_attention import PixelAttention, ResidualGain, self_attention
from tfgan_app.layers.spatial_basis import LearnedConstant, SpatialBasis, SpatialBasisSum
from tfgan_app.layers.style_model import StyleParts, build_style_model, style_parts
from tfgan_app.layers.styles import StyleMixing, StyleTruncation, set_truncation, truncation_of
from tfgan_app.layers.text_encoding import (
    PromptTokens,
    TokenAttention,
    TokenEmbedding,
    TokenMask,
    TokenMean,
    vocabulary_of,
)
from tfgan_app.layers.value_range import ClipToUnitRange, FromUnitRange, ToUnitRange
from tfgan_app.layers.vgg16 import build_vgg16_features

__all__ = [
    "COLOR_SPACES",
    "CONVERSIONS",
    "ICNR",
    "POINTWISE",
    "AdaptiveInstanceNorm",
    "BatchNormalization",
    "BicubicUpsampling",
    "BilinearUpsampling",
    "BinomialFilter",
    "CenterPad",
    "ChannelSlice",
    "ChannelStatistics",
    "ClassGainAndBias",
    "ClassNames",
    "ClipToUnitRange",
    "ColorConversion",
    "ConditionGainAndBias",
    "ConstantChannel",
    "CropLike",
    "DataWindow",
    "DoublingConv2D",
    "EqualizedConv2D",
    "EqualizedDense",
    "FixedBilinearUpsampling",
    "FromUnitRange",
    "InstanceNormalization",
    "LatentCodes",
    "LearnedConstant",
    "MakesColor",
    "MinibatchDeviation",
    "ModulatedConv2D",
    "OneHot",
    "PadToMultiple",
    "ParametricReLU",
    "PixelAttention",
    "PixelNoise",
    "PixelShuffle",
    "PixelUnshuffle",
    "PromptTokens",
    "Provenance",
    "RationalResize",
    "ReceptiveField",
    "ReflectPad",
    "ResidualGain",
    "SpatialBasis",
    "SpatialBasisSum",
    "SplitGate",
    "StyleMixing",
    "StyleParts",
    "StyleTruncation",
    "ToUnitRange",
    "TokenAttention",
    "TokenEmbedding",
    "TokenMask",
    "TokenMean",
    "UnitPower",
    "Window",
    "build_color_model",
    "build_normalization",
    "build_style_model",
    "build_vgg16_features",
    "channel_statistics",
    "check_conversion",
    "class_names_of",
    "conditional_batch_norm",
    "data_window_of",
    "enlarging_window",
    "feature_bytes_per_px",
    "gained_leaky_relu",
    "interpolation_window",
    "makes_color",
    "probed_receptive_field",
    "provenance_of",
    "receptive_field_of",
    "self_attention",
    "set_truncation",
    "spectral",
    "statistics_maps",
    "style_parts",
    "truncation_of",
    "vocabulary_of",
]

# `.keras` files saved by 0.6 and 0.7 name these layers differently.
keras.saving.get_custom_objects().update(
    {"tfgan_app>MakesColour": MakesColor, "tfgan_app>ColourConversion": ColorConversion}
)
