"""Transparency of animations: compositing on white, resizing, and color that does not bleed at edges."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator

import numpy as np
from PIL import Image

from tfgan_app.video.clip import VideoStep


def on_white_background(steps: Iterator[VideoStep]) -> Generator[VideoStep, None, None]:
    """Composites the frames of an animation on white for a video, which has no transparency."""
    for step in steps:
        frame = step.frame
        if frame is not None and frame.alpha is not None:
            alpha = frame.alpha[..., None].astype(np.uint16)
            pixels = (frame.pixels * alpha + 255 * (255 - alpha) + 127) // 255
            frame = dataclasses.replace(frame, pixels=pixels.astype(np.uint8), alpha=None)
        yield dataclasses.replace(step, frame=frame)


def resized_alpha(alpha: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes uint8 [old height, old width] with smooth edges to [height, width]."""
    return np.asarray(Image.fromarray(alpha).resize((width, height), Image.Resampling.BICUBIC))


def spread_color(pixels: np.ndarray, alpha: np.ndarray, *, steps: int = 16) -> np.ndarray:
    """Extends colors into transparent areas, whose own color is undefined and would show at edges.

    Args:
        pixels: uint8 [height, width, 3].
        alpha: uint8 [height, width], 0 where the image is transparent.
        steps: Distance in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    known = (alpha[..., None] > 0).astype(np.float32)
    colors = pixels * known
    for _ in range(steps):
        total, count = _summed_3x3(colors * known), _summed_3x3(known)
        fresh = (known == 0.0) & (count > 0.0)
        colors = np.where(fresh, total / np.maximum(count, 1.0), colors)
        known = np.maximum(known, fresh)
    return np.rint(colors).astype(np.uint8)


def _summed_3x3(values: np.ndarray) -> np.ndarray:
    for axis in range(2):
        padded = np.pad(values, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        values = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=axis).sum(axis=-1)
    return values
