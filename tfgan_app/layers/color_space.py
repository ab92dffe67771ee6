"""Color spaces: exact conversions from RGB and back, as layers of models that need no training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from tfgan_app.layers.metadata_layers import MakesColor
from tfgan_app.layers.receptive_field_rules import POINTWISE, Window

RGB = "rgb"

BT601 = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in luma: ITU-R BT.601-7, section 2.5.1; JFIF takes them too."""

BT709 = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in luma: ITU-R BT.709-6, item 3.2."""

_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_D65 = (0.3127, 0.3290)
"""Chromaticities x, y of red, green, blue and white: IEC 61966-2-1 (sRGB), which has those of BT.709."""

_CUBE_FROM = 6.0 / 29.0
"""Limit below which the cube root of CIE L*a*b* becomes a straight line: CIE 15:2004, section 8.2.1."""

_MIDDLE_LEVEL = 128.0 / 255.0
"""Value of neutral chroma in 8 bits: 256 levels around the middle one."""

Channels = Sequence


@dataclass(frozen=True)
class ColorSpace:
    """Conversions of a color space from and to RGB.

    Both take and give three channels `[..., 1]` as stored in an image, in [0, 1]; values outside are clipped by
    the layer.

    Attributes:
        forward: Conversion from non-linear sRGB.
        backward: Conversion to non-linear sRGB.
        stored: Contents of the three channels of an image.
        is_gray: Whether all three are the same.
    """

    forward: Callable[[Channels], Channels]
    backward: Callable[[Channels], Channels]
    stored: str
    is_gray: bool = False


def _combined(
    channels: Channels, matrix: np.ndarray, offset: Sequence[float] | np.ndarray = (0.0, 0.0, 0.0)
) -> Channels:
    """Weighted sums of channels. No matrix product: GPUs may take those with 10 bits of precision (TF32)."""
    return [
        functools.reduce(lambda total, term: total + term, (float(w) * c for w, c in zip(row, channels, strict=True)))
        + float(shift)
        for row, shift in zip(matrix, offset, strict=True)
    ]


def _color_difference(
    luma: Sequence[float], *, levels: tuple[float, float], middle: tuple[float, float]
) -> tuple[Callable[[Channels], Channels], Callable[[Channels], Channels]]:
    """Luma and two color differences, of which each is divided by its largest value.

    Args:
        luma: Shares of red, green and blue in luma.
        levels: Ranges of the stored luma and of the stored color differences.
        middle: Stored values of luma 0, and of no color difference.
    """
    shares = np.array(luma)
    blue, red = (np.eye(3)[i] - shares for i in (2, 0))
    matrix = np.stack([shares, 0.5 * blue / (1.0 - luma[2]), 0.5 * red / (1.0 - luma[0])])
    matrix *= np.array([levels[0], levels[1], levels[1]])[:, None]
    offset = np.array([middle[0], middle[1], middle[1]])
    inverse = np.linalg.inv(matrix)
    return (
        functools.partial(_combined, matrix=matrix, offset=offset),
        functools.partial(_combined, matrix=inverse, offset=-inverse @ offset),
    )


def _yuv(luma: Sequence[float]) -> ColorSpace:
    return ColorSpace(
        *_color_difference(luma, levels=(1.0, 1.0), middle=(0.0, 0.5)),
        stored="Y, U / 0.872 + 0.5, V / 1.23 + 0.5, with U in +-0.436 and V in +-0.615",
    )


def _ycbcr(luma: Sequence[float]) -> ColorSpace:
    return ColorSpace(
        *_color_difference(luma, levels=(1.0, 1.0), middle=(0.0, _MIDDLE_LEVEL)),
        stored="Y, Cb and Cr of 8-bit levels 0 to 255, no color at 128",
    )


def _studio(luma: Sequence[float]) -> ColorSpace:
    return ColorSpace(
        *_color_difference(luma, levels=(219 / 255, 224 / 255), middle=(16 / 255, _MIDDLE_LEVEL)),
        stored="Y of 8-bit levels 16 to 235, Cb and Cr of 16 to 240, no color at 128",
    )


def _gray(luma: Sequence[float]) -> ColorSpace:
    return ColorSpace(
        functools.partial(_combined, matrix=np.tile(luma, (3, 1))),
        lambda channels: [channels[0]] * 3,
        stored="luma, three times",
        is_gray=True,
    )


def _rgb_to_hsv(channels: Channels) -> Channels:
    red, green, blue = channels
    value = ops.maximum(ops.maximum(red, green), blue)
    spread = value - ops.minimum(ops.minimum(red, green), blue)
    divisor = ops.where(spread > 0.0, spread, 1.0)
    sector = ops.where(
        red >= value,
        (green - blue) / divisor,
        ops.where(green >= value, (blue - red) / divisor + 2.0, (red - green) / divisor + 4.0),
    )
    hue = ops.where(sector < 0.0, sector + 6.0, sector) / 6.0
    return [hue, spread / ops.where(value > 0.0, value, 1.0), value]


def _hsv_to_rgb(channels: Channels) -> Channels:
    hue, saturation, value = channels

    def channel(turn: float):
        place = hue * 6.0 + turn
        place = ops.where(place >= 6.0, place - 6.0, place)
        return value - value * saturation * ops.clip(ops.minimum(place, 4.0 - place), 0.0, 1.0)

    return [channel(5.0), channel(3.0), channel(1.0)]


def srgb_to_xyz() -> tuple[np.ndarray, np.ndarray]:
    """The matrix from linear sRGB to CIE XYZ, and XYZ of its white: float64 `[3, 3]` and `[3]`."""
    columns = np.array([[x / y, 1.0, (1.0 - x - y) / y] for x, y in _PRIMARIES]).T
    white = np.array([_D65[0] / _D65[1], 1.0, (1.0 - sum(_D65)) / _D65[1]])
    return columns * np.linalg.solve(columns, white), white


def _rgb_to_lab(channels: Channels) -> Channels:
    matrix, white = srgb_to_xyz()
    linear = [
        ops.where(c > 0.04045, ops.power((ops.maximum(c, 0.04045) + 0.055) / 1.055, 2.4), c / 12.92) for c in channels
    ]

    def rooted(ratio):
        # The maximum keeps the root away from 0, where its gradient is infinite.
        root = ops.power(ops.maximum(ratio, _CUBE_FROM**3), 1.0 / 3.0)
        return ops.where(ratio > _CUBE_FROM**3, root, ratio / (3.0 * _CUBE_FROM**2) + 4.0 / 29.0)

    x, y, z = (rooted(c) for c in _combined(linear, matrix / white[:, None]))
    return [1.16 * y - 0.16, (500.0 * (x - y) + 128.0) / 255.0, (200.0 * (y - z) + 128.0) / 255.0]


def _lab_to_rgb(channels: Channels) -> Channels:
    matrix, white = srgb_to_xyz()
    lightness, a, b = channels
    y = (lightness + 0.16) / 1.16
    x, z = y + (a * 255.0 - 128.0) / 500.0, y - (b * 255.0 - 128.0) / 200.0

    def cubed(root):
        return ops.where(root > _CUBE_FROM, root * root * root, 3.0 * _CUBE_FROM**2 * (root - 4.0 / 29.0))

    linear = _combined([cubed(c) for c in (x, y, z)], np.linalg.inv(matrix) * white)
    return [
        ops.where(c > 0.0031308, 1.055 * ops.power(ops.maximum(c, 0.0031308), 1.0 / 2.4) - 0.055, c * 12.92)
        for c in linear
    ]


COLOR_SPACES: dict[str, ColorSpace] = {
    "yuv": _yuv(BT601),
    "yuv_bt709": _yuv(BT709),
    "ycbcr": _ycbcr(BT601),
    "ycbcr_bt709": _ycbcr(BT709),
    "ycbcr_studio": _studio(BT601),
    "ycbcr_studio_bt709": _studio(BT709),
    "lab": ColorSpace(_rgb_to_lab, _lab_to_rgb, stored="L* / 100, (a* + 128) / 255, (b* + 128) / 255, under D65"),
    "gray": _gray(BT601),
    "gray_bt709": _gray(BT709),
    "hsv": ColorSpace(_rgb_to_hsv, _hsv_to_rgb, stored="hue as a share of a full turn from red, saturation, value"),
}
"""Name -> its conversions. `ycbcr` is that of JPEG files (JFIF 1.02: BT.601, full range); `lab` is CIE 1976."""

CONVERSIONS = tuple(name for space in COLOR_SPACES for name in (f"{RGB}_to_{space}", f"{space}_to_{RGB}"))
"""Names of all conversions."""


def check_conversion(name: str) -> str:
    """Returns the name of a conversion.

    Raises:
        ValueError: For an unknown name; lists the valid ones.
    """
    if name not in CONVERSIONS:
        raise ValueError(f"The color conversion must be one of {', '.join(CONVERSIONS)}. Received: {name}.")
    return name


@keras.saving.register_keras_serializable(package="tfgan_app")
class ColorConversion(keras.layers.Layer):
    """Converts images between RGB and another color space, in float32.

    An 8-bit image stored in 8 bits comes back within 1 level from `yuv` and `ycbcr`, within 2 from their narrower
    `studio` ranges, within 3 from `hsv`, and within 26 in the strongest colors from `lab`, whose channels reach far
    beyond RGB. Stored in 16 bits it comes back exactly, except the purest blue and red of `ycbcr`, which JPEG puts
    half a level beyond its largest one.

    Args:
        conversion: One of `CONVERSIONS`, such as `rgb_to_lab`.

    Call arguments:
        inputs: float32 `[..., 3]` in [0, 1], stored as `ColorSpace.stored` says.

    Returns:
        float32 `[..., 3]` in [0, 1]; colors that RGB cannot hold are clipped.
    """

    def __init__(self, conversion: str, **kwargs):
        # Half precision has fewer levels than an image file.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.conversion = check_conversion(conversion)

    def call(self, inputs):
        source, _, target = self.conversion.partition("_to_")
        convert = COLOR_SPACES[target].forward if source == RGB else COLOR_SPACES[source].backward
        return ops.clip(ops.concatenate(convert(ops.split(inputs, 3, axis=-1)), axis=-1), 0.0, 1.0)

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "conversion": self.conversion}


def build_color_model(conversion: str) -> keras.Model:
    """The inference model of a conversion; it has no weights.

    Args:
        conversion: One of `CONVERSIONS`.

    Returns:
        Model from `images` float32 `[batch, height, width, 3]` in [0, 1] to the same.

    Raises:
        ValueError: For an unknown conversion.
    """
    images = keras.Input((None, None, 3), name="images")
    outputs = ColorConversion(conversion, name="conversion")(images)
    source, _, target = conversion.partition("_to_")
    if source != RGB or not COLOR_SPACES[target].is_gray:
        outputs = MakesColor(name="makes_color")(outputs)
    return keras.Model(images, outputs, name=conversion)
