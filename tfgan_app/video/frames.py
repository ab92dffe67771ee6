"""Animations and videos of frames in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.files import atomic_path
from tfgan_app.video.animated_gif import open_gif_writer
from tfgan_app.video.animated_png import open_apng_writer
from tfgan_app.video.animated_webp import open_webp_writer
from tfgan_app.video.clip import VideoClip, VideoFrame
from tfgan_app.video.writing import open_video_writer


def write_frames(
    path: str | os.PathLike,
    frames: np.ndarray,
    *,
    frame_rate: int = 20,
    on_note: Callable[[str], None] = lambda note: None,
) -> None:
    """Writes frames as an endless animation, or as a video.

    Args:
        path: Destination; its suffix, one of `VIDEO_SUFFIXES`, determines the kind. It is whole or absent.
        frames: uint8 `[frames, height, width, 3]`.
        frame_rate: Frames per second.
        on_note: Called with one clause for each thing that cannot be kept.

    Raises:
        ValueError: If the frames do not fit the format, or PyAV is missing.
        OSError: If the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    clip = VideoClip(
        height=frames.shape[1],
        width=frames.shape[2],
        codec="gif" if suffix == ".gif" else "",
        time_base=Fraction(1, frame_rate),
        frame_rate=Fraction(frame_rate),
        frames=len(frames),
        plays=0,
        is_lossless=True,
    )
    with atomic_path(path) as unfinished, _opened(unfinished, clip, suffix, on_note) as writer:
        for time, pixels in enumerate(frames):
            writer.write((), VideoFrame(pixels, time, 1))
        writer.finish()


def _opened(path: Path, clip: VideoClip, suffix: str, on_note: Callable[[str], None]) -> AbstractContextManager[Any]:
    if suffix == ".gif":
        return open_gif_writer(path, clip, on_note=on_note)
    if suffix == ".webp":
        return open_webp_writer(path, clip, quality=None, on_note=on_note)
    if suffix in (".apng", ".png"):
        return open_apng_writer(path, clip, on_note=on_note)
    return open_video_writer(path, clip, suffix=suffix, codec=None, crf=None, on_note=on_note)
