"""What is known of a video apart from its frames, and how its frames travel from file to file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np

from tfgan_app.image_io import ImageMetadata
from tfgan_app.video.color import SRGB, VideoColor


@dataclass(frozen=True)
class VideoClip:
    """A video without its frames, upright.

    Attributes:
        height: In pixels.
        width: In pixels.
        codec: FFmpeg's name of the kind of compression, such as `"h264"`.
        time_base: Seconds in a unit of time.
        frame_rate: Frames a second, on average.
        frames: How many there are, as far as the file says; None where it does not.
        chroma: How finely color is stored: `"420"`, `"422"` or `"444"`.
        bits: Bits a channel.
        color: What its numbers mean.
        aspect: Width of a pixel over its height.
        plays: How often an animation is shown, 0 for ever.
        has_alpha: Whether frames may be transparent.
        is_lossless: Whether its frames are compressed without loss.
        image_metadata: What an animation says as images do.
        metadata: Tags of the file.
        track_metadata: Tags of the track of images.
        chapters: As PyAV gives them.
        tracks: PyAV's streams of sound, subtitles and attachments.
        notes: What cannot be kept, one clause each.
    """

    height: int
    width: int
    codec: str
    time_base: Fraction
    frame_rate: Fraction
    frames: int | None
    chroma: str = "444"
    bits: int = 8
    color: VideoColor = SRGB
    aspect: Fraction = Fraction(1)
    plays: int = 1
    has_alpha: bool = False
    is_lossless: bool = False
    image_metadata: ImageMetadata = field(default_factory=ImageMetadata)
    metadata: Mapping[str, str] = field(default_factory=dict)
    track_metadata: Mapping[str, str] = field(default_factory=dict)
    chapters: tuple[Any, ...] = ()
    tracks: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VideoFrame:
    """A frame in memory.

    Attributes:
        pixels: uint8 or uint16 [height, width, 3], full range, upright.
        time: When it is shown, in units of the clip's `time_base`.
        duration: For how long, in the same units; 0 where that is not known.
        alpha: uint8 [height, width], 0 where the frame is transparent; None for an opaque one.
    """

    pixels: np.ndarray
    time: int
    duration: int
    alpha: np.ndarray | None = None


@dataclass(frozen=True)
class VideoStep:
    """What lies between one frame and the next in a file.

    Attributes:
        packets: PyAV's packets of other tracks, to be copied.
        frame: The frame behind them; None at the end of the file.
    """

    packets: tuple[Any, ...]
    frame: VideoFrame | None


def load_av() -> ModuleType:
    """Imports PyAV, which brings FFmpeg along.

    Raises:
        ValueError: If it is not installed. One line that says what to install.
    """
    try:
        import av
    except ImportError as error:
        raise ValueError("Videos need PyAV, which is not installed. Try: pip install 'tfgan_app[video]'") from error
    return av
