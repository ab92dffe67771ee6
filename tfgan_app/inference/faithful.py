"""Predicts a picture as it is: gray stays gray, 16 bits stay 16 bits, and transparency gets no halos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tfgan_app.inference.hidden_colour import fill_hidden_colour
from tfgan_app.inference.levels import peak_of, to_levels
from tfgan_app.model_info import ModelInfo
from tfgan_app.picture_files import Picture


class RowPredictor(Protocol):
    """What of a `Predictor` is needed here."""

    scale: int
    info: ModelInfo

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        """Why rows are blended from tiles that do not see all that they should, None where they are not."""

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """Levels [height, width, channels] -> float32 [count, scale * width, 3] in [0, 1], from the top."""


def predict_picture(
    predictor: RowPredictor, picture: Picture, *, mask: np.ndarray | None = None, tile_px: int | None = None
) -> tuple[int, Iterator[np.ndarray]]:
    """Predicts colour and transparency, strip by strip.

    Gray is predicted as three equal channels, whose mean is taken unless the model makes colour. Fully transparent
    pixels get the colour of their visible neighbours before the model sees them, and colour is predicted straight. A
    model that keeps the size leaves alpha as it is, and the colour of what is fully transparent too; another predicts
    alpha as a gray picture, where regions that are all opaque or all transparent stay exactly so, up to one input pixel
    from their edge.

    An inpainting model fills the pixels of the mask, or what is fully transparent where there is
    none; then the result has no alpha.

    Colours are not pulled back to those of the input: such a correction needs the whole result before its
    first row can be written, and would undo what a model is meant to change. Measure the shift instead.

    Args:
        predictor: A model of pictures.
        picture: What `read_picture` returned.
        mask: bool [height, width], True in holes, for a model that fills them.
        tile_px: Passed on to `predictor.rows`.

    Returns:
        The number of channels, 1 to 4 with alpha last, and the rows, of the picture's dtype
        [count, scale * width, channels], together scale * height of them. They are computed as they are taken.

    Raises:
        ValueError: If a mask is given to a model that fills no holes, or is missing for one that does. While the rows
            are taken, if the model fails.
    """
    colour_channels = 3 if predictor.info.makes_color else picture.pixels.shape[2]
    if predictor.info.kind == "inpainting":
        return _fill_holes(predictor, picture, mask, tile_px)
    if mask is not None:
        raise ValueError("A mask is for models that fill holes. This one does not: leave it out.")
    if picture.alpha is None:
        return colour_channels, _predicted(predictor, picture.pixels, tile_px, keeps_colour=predictor.info.makes_color)
    filled = fill_hidden_colour(picture.pixels, picture.alpha)
    colour = _predicted(predictor, filled, tile_px, keeps_colour=predictor.info.makes_color)
    if predictor.scale == 1:
        return colour_channels + 1, _with_own_alpha(colour, picture)
    alpha = _predicted_alpha(predictor, picture.alpha, tile_px)
    return colour_channels + 1, (np.concatenate(pair, axis=-1) for pair in _aligned(colour, alpha))


def _fill_holes(
    predictor: RowPredictor, picture: Picture, mask: np.ndarray | None, tile_px: int | None
) -> tuple[int, Iterator[np.ndarray]]:
    pixels, alpha = picture.pixels, picture.alpha
    if mask is None and alpha is None:
        raise ValueError("A model that fills holes needs to know them: give `--mask`, or make them transparent.")
    if mask is None:
        filled = _predicted(predictor, pixels, tile_px, known=alpha > 0)
        return pixels.shape[2], filled
    if mask.shape != pixels.shape[:2]:
        sizes = [f"{width} x {height}" for height, width in (mask.shape, pixels.shape[:2])]
        raise ValueError(f"The mask must be as large as its picture. It has {sizes[0]} pixels, the picture {sizes[1]}.")
    filled = _predicted(predictor, pixels, tile_px, known=~mask)
    if alpha is None:
        return pixels.shape[2], filled
    return pixels.shape[2] + 1, _with_own_alpha(filled, picture)


def _predicted(
    predictor: RowPredictor,
    pixels: np.ndarray,
    tile_px: int | None,
    *,
    known: np.ndarray | None = None,
    keeps_colour: bool = False,
) -> Iterator[np.ndarray]:
    """Rows like `pixels` [height, width, 1 or 3]; `known` bool [height, width] is for models that fill holes."""
    peak = peak_of(pixels.dtype)
    is_gray = pixels.shape[2] == 1
    inputs = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) if is_gray else pixels
    if known is not None:
        inputs = np.concatenate([inputs, np.where(known, peak, 0).astype(pixels.dtype)[..., None]], axis=-1)
    for rows in predictor.rows(inputs, tile_px=tile_px):
        values = rows.mean(axis=-1, keepdims=True) if is_gray and not keeps_colour else rows
        yield to_levels(np.clip(values, 0.0, 1.0) * peak, pixels.dtype)


def _with_own_alpha(colour: Iterator[np.ndarray], picture: Picture) -> Iterator[np.ndarray]:
    top = 0
    for rows in colour:
        alpha = picture.alpha[top : top + len(rows), :, None]
        kept = np.where(alpha == 0, picture.pixels[top : top + len(rows)], rows)
        yield np.concatenate([kept, alpha], axis=-1)
        top += len(rows)


def _predicted_alpha(predictor: RowPredictor, alpha: np.ndarray, tile_px: int | None) -> Iterator[np.ndarray]:
    height, width = alpha.shape
    scale = predictor.scale
    if alpha.min() == alpha.max():
        for _ in range(height):
            yield np.full((scale, scale * width, 1), alpha[0, 0], alpha.dtype)
        return
    top = 0
    for rows in _predicted(predictor, alpha[..., None], tile_px):
        sources = np.arange(top, top + len(rows)) // scale
        flat = _flat_pixels(alpha, sources[0], sources[-1] + 1)[sources - sources[0]].repeat(scale, axis=1)
        own = alpha[sources].repeat(scale, axis=1)
        yield np.where(flat, own, rows[..., 0])[..., None]
        top += len(rows)


def _flat_pixels(alpha: np.ndarray, first: int, last: int) -> np.ndarray:
    """Which pixels of rows `first` to `last` are fully opaque or transparent together with all around them."""
    around = alpha[max(first - 1, 0) : last + 1]
    padded = np.pad(around, ((int(first == 0), int(last == len(alpha))), (1, 1)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    lowest, highest = windows.min(axis=(2, 3)), windows.max(axis=(2, 3))
    return (lowest == highest) & ((lowest == 0) | (lowest == peak_of(alpha.dtype)))


def _aligned(first: Iterator[np.ndarray], second: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Strips of equal height out of two streams whose strips need not be."""
    left, right = next(first, None), next(second, None)
    while left is not None and right is not None:
        count = min(len(left), len(right))
        yield left[:count], right[:count]
        left = left[count:] if count < len(left) else next(first, None)
        right = right[count:] if count < len(right) else next(second, None)
