"""Description of a video apart from its frames, and the frames and packets passed from file to file."""

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
        height: Height in pixels.
        width: Width in pixels.
        codec: FFmpeg's name of the codec, such as `"h264"`.
        time_base: Duration of a time unit in seconds.
        frame_rate: Average number of frames per second.
        frames: Number of frames, according to the file; None if unknown.
        chroma: Chroma subsampling: `"420"`, `"422"` or `"444"`.
        bits: Bits per channel.
        color: Color description of its values.
        aspect: Pixel aspect ratio (width over height).
        plays: Number of plays of an animation, 0 for endless.
        has_alpha: Whether frames may be transparent.
        is_lossless: Whether its frames are compressed without loss.
        image_metadata: Metadata that an animation has in common with images.
        metadata: Tags of the file.
        track_metadata: Tags of the video track.
        chapters: Chapters from PyAV.
        tracks: PyAV's streams of sound, subtitles and attachments.
        notes: One clause for each thing that cannot be kept.
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
        time: Time of display, in units of the clip's `time_base`.
        duration: Duration in the same units; 0 if unknown.
        alpha: uint8 [height, width], 0 where the frame is transparent; None if it is opaque.
    """

    pixels: np.ndarray
    time: int
    duration: int
    alpha: np.ndarray | None = None


@dataclass(frozen=True)
class VideoStep:
    """One frame of a file with the packets before it.

    Attributes:
        packets: PyAV's packets of other tracks, to be copied.
        frame: The frame after them; None at the end of the file.
    """

    packets: tuple[Any, ...]
    frame: VideoFrame | None


def load_av() -> ModuleType:
    """Imports PyAV, which includes FFmpeg.

    Raises:
        ValueError: If it is not installed. One line with the command that installs it.
    """
    try:
        import av
    except ImportError as error:
        raise ValueError("Videos need PyAV. Install it with: pip install 'tfgan_app[video]'") from error
    return av
