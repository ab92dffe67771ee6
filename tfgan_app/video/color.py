"""Color conversion of videos from any YUV to RGB and back, without a shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_RGB, _BT709, _UNKNOWN, _BT601 = 0, 1, 2, 6
_SRGB_TRANSFER = 13
_HDR_TRANSFERS = frozenset({16, 18})

# H.273's matrices, which files name, and swscale's names for them. It has neither YCgCo nor ICtCp.
_SWSCALE_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}

_LIMITED, _FULL = 1, 2

_BICUBIC, _FULL_CHROMA_IN, _FULL_CHROMA_OUT, _ACCURATE = 4, 0x4000, 0x2000, 0x40000
# Without these flags, swscale repeats the nearest chroma sample, and rounds down.
_INTERPOLATION = _BICUBIC | _FULL_CHROMA_IN | _FULL_CHROMA_OUT | _ACCURATE


@dataclass(frozen=True)
class VideoColor:
    """Color description of a video, in the code points of ITU-T H.273.

    Attributes:
        matrix: YUV matrix; 0 for RGB.
        full_range: Whether black and white are at the ends of the value range.
        primaries: Color primaries; 2 if unspecified.
        transfer: Transfer function ("gamma"); 2 if unspecified.
    """

    matrix: int
    full_range: bool
    primaries: int
    transfer: int

    @property
    def is_rgb(self) -> bool:
        """Whether frames are stored as RGB, or as an RGB palette."""
        return self.matrix == _RGB

    @property
    def is_hdr(self) -> bool:
        """Whether brightness is coded as PQ or HLG."""
        return self.transfer in _HDR_TRANSFERS

    def as_yuv(self) -> VideoColor:
        """The same color in YUV: BT.709 with limited range for RGB, which all players support."""
        return VideoColor(_BT709, False, self.primaries, self.transfer) if self.is_rgb else self


SRGB = VideoColor(_RGB, True, 1, _SRGB_TRANSFER)


def color_of(frame: Any) -> VideoColor:
    """Determines the color description of a frame.

    A file without a matrix is read as in players: BT.709 from 1280 x 577 px on, otherwise BT.601. The result states the
    matrix, since a small clip would otherwise change color once it is upscaled.

    Args:
        frame: A decoded frame of PyAV.

    Raises:
        ValueError: If its YUV matrix cannot be converted.
    """
    name, matrix = frame.format.name, frame.colorspace
    if frame.format.is_rgb or name == "pal8" or matrix == _RGB:
        tagged = frame.color_primaries != _UNKNOWN or frame.color_trc != _UNKNOWN
        return VideoColor(_RGB, True, frame.color_primaries, frame.color_trc) if tagged else SRGB
    if matrix == _UNKNOWN:
        matrix = _BT709 if frame.width >= 1280 or frame.height > 576 else _BT601
    if matrix not in _SWSCALE_MATRICES:
        known = ", ".join(map(str, _SWSCALE_MATRICES))
        raise ValueError(f"its color matrix must be one of {known} (ITU-T H.273). Received: {matrix}")
    untagged_full = frame.color_range == 0 and name.startswith(("yuvj", "gray", "ya"))
    return VideoColor(matrix, untagged_full or frame.color_range == _FULL, frame.color_primaries, frame.color_trc)


def to_rgb(frame: Any, color: VideoColor, *, deep: bool) -> np.ndarray:
    """Converts a decoded frame.

    Args:
        frame: PyAV's frame.
        color: Color description of its values.
        deep: Whether to keep more than 8 bits.

    Returns:
        uint8 (uint16 if `deep`) [height, width, 3], full range.
    """
    target = "rgb48le" if deep else "rgb24"
    return _converted(frame, color, target, to_full=True).to_ndarray()


def from_rgb(av: Any, pixels: np.ndarray, color: VideoColor, *, pixel_format: str) -> Any:
    """Creates a frame to encode.

    Args:
        av: The module PyAV.
        pixels: uint8 or uint16 [height, width, 3], full range.
        color: Color description of the frame; not RGB.
        pixel_format: FFmpeg's name of its pixel format.

    Returns:
        PyAV's frame.
    """
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le" if pixels.dtype == np.uint16 else "rgb24")
    return _converted(frame, color, pixel_format, to_full=color.full_range, from_full=True)


def _converted(frame: Any, color: VideoColor, target: str, *, to_full: bool, from_full: bool | None = None) -> Any:
    # Some versions of PyAV use the frame's own color properties, some use the arguments. Primaries and transfer are
    # hidden, since swscale would convert between them.
    frame.color_primaries = frame.color_trc = _UNKNOWN
    if color.is_rgb:
        return frame.reformat(format=target, interpolation=_INTERPOLATION)
    from_full = color.full_range if from_full is None else from_full
    matrix = _SWSCALE_MATRICES[color.matrix]
    frame.colorspace, frame.color_range = color.matrix, _FULL if from_full else _LIMITED
    return frame.reformat(
        format=target,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=_FULL if from_full else _LIMITED,
        dst_color_range=_FULL if to_full else _LIMITED,
        interpolation=_INTERPOLATION,
    )
