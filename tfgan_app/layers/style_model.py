"""The inference model of style transfer, as one graph and in two parts for large images."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from tfgan_app.layers.adaptive_instance_norm import AdaptiveInstanceNorm, ChannelStatistics
from tfgan_app.layers.padding import CropLike, PadToMultiple
from tfgan_app.layers.value_range import FromUnitRange, ToUnitRange

_PROBE_PX = 64
_STYLE = "style"
_PARTS = ("encoder", "statistics", "moved", "decoder")


def build_style_model(encoder: keras.Model, decoder: keras.Model) -> keras.Model:
    """Builds the inference model between images in [0, 1]; it shares the weights of both.

    Args:
        encoder: float `[batch, height, width, 3]` in [-1, 1] -> a list of features, the last at an eighth or a
            quarter of the size.
        decoder: Such features -> float32 `[batch, height, width, 3]`, about in [-1, 1].

    Returns:
        Model of `[images, style, strength]`: float32 `[batch, height, width, 3]` in [0, 1], style images of any size,
        and float32 `[batch]` in [0, 1] -> float32 in [0, 1] of the size of `images`.
    """
    features = keras.Model(encoder.inputs[0], encoder.outputs[-1], name="encoder")
    images, style = (keras.Input((None, None, 3), name=name) for name in ("images", _STYLE))
    strength = keras.Input((), name="strength")
    statistics = ChannelStatistics(name="statistics")
    content_features, style_features = (features(_padded(image, _stride(features))) for image in (images, style))
    moved = AdaptiveInstanceNorm(name="moved")(
        [content_features, statistics(content_features), statistics(style_features), strength]
    )
    return keras.Model([images, style, strength], _image(decoder(moved), images), name="style_transfer")


@dataclass(frozen=True)
class StyleParts:
    """The model in two parts, of which the second is local: its tiles are those of the whole image.

    Attributes:
        statistics: `images` float32 `[batch, height, width, 3]` in [0, 1] -> float32 `[batch, 2, channels]`.
        stylize: `[images, content_statistics, style_statistics, strength]` -> images as those of the model.
        path: `images` -> images, by the layers of the second part that are not pointwise; its graph can be
            followed, and gives the receptive field of the second part.
    """

    statistics: keras.Model
    stylize: keras.Model
    path: keras.Model


def style_parts(model: keras.Model) -> StyleParts:
    """Takes a model of `build_style_model` apart; the parts share its weights.

    Raises:
        ValueError: For any other model.
    """
    names = {layer.name for layer in model.layers}
    if missing := [name for name in _PARTS if name not in names]:
        raise ValueError(f"A model that takes a style must have the layers {', '.join(_PARTS)}. Missing: {missing}.")
    encoder, statistics, moved, decoder = (model.get_layer(name) for name in _PARTS)
    images = keras.Input((None, None, 3), name="images")
    # The multiple that the model was saved with, which may be larger than its encoder needs.
    multiple = next(layer.multiple for layer in model.layers if isinstance(layer, PadToMultiple))
    features = encoder(_padded(images, multiple))
    measured = statistics(features)
    shape = measured.shape[1:]
    given = [keras.Input(shape, name=f"{name}_statistics") for name in ("content", _STYLE)]
    strength = keras.Input((), name="strength")
    outputs = _image(decoder(moved([features, *given, strength])), images)
    # Without pointwise layers of several inputs, the graph can be followed.
    path = keras.Model(images, _image(decoder(features), images))
    return StyleParts(
        keras.Model(images, measured, name="statistics_of"),
        keras.Model([images, *given, strength], outputs, name="stylize"),
        path,
    )


def _stride(encoder: keras.Model) -> int:
    """Ratio of the height of images to that of their features."""
    return _PROBE_PX // encoder.compute_output_shape((1, _PROBE_PX, _PROBE_PX, 3))[1]


def _padded(images, multiple: int):
    return PadToMultiple(multiple)(FromUnitRange()(images))


def _image(decoded, images):
    return ToUnitRange()(CropLike()([decoded, images]))
