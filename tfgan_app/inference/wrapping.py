"""Seamless textures: images that continue at the opposite edge."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tfgan_app.inference.predictor import Predictor

INEXACT_MARGIN_PX = 128
"""Margin around images for models that are not local."""


def wrapped_rows(
    predictor: Predictor, pixels: np.ndarray, *, margin: int = 0, tile_px: int | None = None
) -> Iterator[np.ndarray]:
    """Predicts an image with periodic borders along both axes.

    The model receives the image continued periodically by its halo, and the result is cropped. For a local model, a
    rolled image gives the rolled result if the image and the shift are multiples of its strides.

    Args:
        predictor: The model.
        pixels: uint8 or uint16 [height, width, channels].
        margin: Output pixels around the image to include, also continued periodically.
        tile_px: As for `Predictor.rows`.

    Yields:
        float32 [rows, scale * width + 2 * margin, 3], together scale * height + 2 * margin of them.
    """
    scale = predictor.scale
    sides = [_margins(predictor, side, math.ceil(margin / scale)) for side in pixels.shape[:2]]
    padded = np.pad(pixels, (*sides, (0, 0)), mode="wrap")
    top, left = (before * scale - margin for before, _ in sides)
    height, width = (scale * side + 2 * margin for side in pixels.shape[:2])
    at = 0
    for rows in predictor.rows(padded, tile_px=tile_px):
        kept = rows[max(top - at, 0) : max(top + height - at, 0), left : left + width]
        at += len(rows)
        if len(kept):
            yield kept


def padded_size(predictor: Predictor, height: int, width: int) -> tuple[int, int]:
    """Approximate size of the image that `wrapped_rows` passes to the model."""
    rows, columns = (side + sum(_margins(predictor, side, 0)) for side in (height, width))
    return rows, columns


def _margins(predictor: Predictor, side: int, extra: int) -> tuple[int, int]:
    """Input pixels before and after, so that the model begins at a multiple and sees a multiple if possible."""
    receptive_field = predictor.info.receptive_field
    needed = extra + (receptive_field.halo_px if predictor.local else INEXACT_MARGIN_PX)
    multiple = receptive_field.multiple
    before = -(-needed // multiple) * multiple
    return before, needed + -(side + needed) % multiple
