"""Prediction of whole images: gray stays gray, 16 bits stay 16 bits, and transparency gets no halos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from tfgan_app.image_io import DecodedImage, format_of
from tfgan_app.image_io.embedded import comment_of_texts
from tfgan_app.inference.alpha_bleed import fill_hidden_color
from tfgan_app.inference.levels import peak_of, to_levels
from tfgan_app.inference.resizing import float_rows, resized_rows
from tfgan_app.inference.rows import aligned
from tfgan_app.model_info import ModelInfo


class RowPredictor(Protocol):
    """Interface of a `Predictor` that is needed here."""

    scale: int
    info: ModelInfo

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        """Reason why rows are blended from tiles without their full context; None if they are exact."""

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of an image of this size."""

    def for_alpha(self) -> RowPredictor:
        """The predictor of an alpha channel."""

    def remarks(self, height: int, width: int) -> list[str]:
        """Steps after the model that matter for an image of this size, one clause each."""

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """Levels [height, width, channels] -> float32 [count, new width, 3] in [0, 1], from the top."""


def predict_image(
    predictor: RowPredictor, image: DecodedImage, *, mask: np.ndarray | None = None, tile_px: int | None = None
) -> tuple[int, Iterator[np.ndarray]]:
    """Predicts color and transparency, strip by strip.

    Gray is predicted as three equal channels, whose mean is taken unless the model makes color. Fully transparent
    pixels get the color of their visible neighbors before the model sees them, and color is predicted straight.
    If the size stays, alpha and the color of fully transparent pixels are unchanged. If a model keeps the size and its
    result is resized, alpha is resized with it. Any other model predicts alpha as a gray image; regions that are all
    opaque or all transparent stay exactly so, up to one input pixel from their edge.

    An inpainting model fills the pixels of the mask, or fully transparent pixels if there is no mask; then the result
    has no alpha.

    Colors are not matched to those of the input: such a correction needs the whole result before its first row can be
    written, and would undo intended changes. Measure the shift instead.

    Args:
        predictor: An image model.
        image: The result of `read_image`.
        mask: bool [height, width], True in holes, for a model that fills them.
        tile_px: Passed on to `predictor.rows`.

    Returns:
        The number of channels, 1 to 4 with alpha last, and the rows: [count, new width, channels] of the image's dtype,
        together as many as `predictor.output_size` states. They are computed lazily.

    Raises:
        ValueError: If a mask is given to a model that fills no holes, or is missing for one that does; or, while the
            rows are consumed, if the model fails.
    """
    color_channels = 3 if predictor.info.makes_color else image.pixels.shape[2]
    if predictor.info.kind == "inpainting":
        return _fill_holes(predictor, image, mask, tile_px)
    if mask is not None:
        raise ValueError("A mask applies only to models that fill holes. This model does not: leave out the mask.")
    if image.alpha is None:
        return color_channels, _predicted(predictor, image.pixels, tile_px, keeps_color=predictor.info.makes_color)
    filled = fill_hidden_color(image.pixels, image.alpha)
    color = _predicted(predictor, filled, tile_px, keeps_color=predictor.info.makes_color)
    return color_channels + 1, _with_alpha(predictor, color, image, tile_px)


def with_remarks(image: DecodedImage, predictor: RowPredictor, target: Path, *, tile_px: int | None) -> DecodedImage:
    """Records the applied steps in an image's notes, and in its comment if the result's format has one.

    Args:
        image: The input image.
        predictor: The model.
        target: Path of the result; its suffix determines the format.
        tile_px: As for `predict_image`.

    Returns:
        The image with further notes.
    """
    height, width = image.pixels.shape[:2]
    remarks = predictor.remarks(height, width)
    blended = predictor.blends(height, width, tile_px=tile_px)
    metadata, history = image.metadata, getattr(predictor, "history", "")
    places = format_of(target).metadata
    if history and "comment" in places:
        # Texts of a PNG become the comment of formats without texts.
        own = metadata.comment or (None if "texts" in places else comment_of_texts(metadata.texts))
        applied = "; ".join([history, *remarks]).encode()
        metadata = replace(metadata, comment=b"; ".join(filter(None, [own, applied])))
    notes = (*image.notes, *filter(None, [blended]), *remarks)
    return replace(image, notes=notes, metadata=metadata)


def _fill_holes(
    predictor: RowPredictor, image: DecodedImage, mask: np.ndarray | None, tile_px: int | None
) -> tuple[int, Iterator[np.ndarray]]:
    pixels, alpha = image.pixels, image.alpha
    if mask is None and alpha is None:
        raise ValueError("A model that fills holes needs a mask: give `--mask`, or make the holes transparent.")
    if mask is None:
        filled = _predicted(predictor, pixels, tile_px, known=alpha > 0)
        return pixels.shape[2], filled
    if mask.shape != pixels.shape[:2]:
        sizes = [f"{width} x {height}" for height, width in (mask.shape, pixels.shape[:2])]
        raise ValueError(f"The mask must be as large as its image. It has {sizes[0]} pixels, the image {sizes[1]}.")
    filled = _predicted(predictor, pixels, tile_px, known=~mask)
    if alpha is None:
        return pixels.shape[2], filled
    return pixels.shape[2] + 1, _with_alpha(predictor, filled, image, tile_px)


def _predicted(
    predictor: RowPredictor,
    pixels: np.ndarray,
    tile_px: int | None,
    *,
    known: np.ndarray | None = None,
    keeps_color: bool = False,
) -> Iterator[np.ndarray]:
    """Rows like `pixels` [height, width, 1 or 3]; `known` bool [height, width] is for models that fill holes."""
    peak = peak_of(pixels.dtype)
    is_gray = pixels.shape[2] == 1
    inputs = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) if is_gray else pixels
    if known is not None:
        inputs = np.concatenate([inputs, np.where(known, peak, 0).astype(pixels.dtype)[..., None]], axis=-1)
    for rows in predictor.rows(inputs, tile_px=tile_px):
        values = rows.mean(axis=-1, keepdims=True) if is_gray and not keeps_color else rows
        yield to_levels(np.clip(values, 0.0, 1.0) * peak, pixels.dtype)


def _with_alpha(
    predictor: RowPredictor, color: Iterator[np.ndarray], image: DecodedImage, tile_px: int | None
) -> Iterator[np.ndarray]:
    """Color and alpha [count, new width, 2 or 4]."""
    size = image.alpha.shape
    target = predictor.output_size(*size)
    if target == size:
        return _with_own_alpha(color, image)
    if predictor.scale == 1 or predictor.info.kind == "inpainting":
        # Only the size has changed, or the model does not predict alpha.
        alpha = _resized_alpha(image.alpha, target)
    else:
        alpha = _predicted_alpha(predictor.for_alpha(), image.alpha, tile_px)
    return (np.concatenate(pair, axis=-1) for pair in aligned(color, alpha))


def _with_own_alpha(color: Iterator[np.ndarray], image: DecodedImage) -> Iterator[np.ndarray]:
    top = 0
    for rows in color:
        alpha = image.alpha[top : top + len(rows), :, None]
        kept = np.where(alpha == 0, image.pixels[top : top + len(rows)], rows)
        yield np.concatenate([kept, alpha], axis=-1)
        top += len(rows)


def _resized_alpha(alpha: np.ndarray, target: tuple[int, int]) -> Iterator[np.ndarray]:
    peak = np.iinfo(alpha.dtype).max
    for rows in resized_rows(float_rows(alpha[..., None]), source=alpha.shape, target=target):
        yield np.rint(rows * peak).astype(alpha.dtype)


def _predicted_alpha(predictor: RowPredictor, alpha: np.ndarray, tile_px: int | None) -> Iterator[np.ndarray]:
    size, target = alpha.shape, predictor.output_size(*alpha.shape)
    if alpha.min() == alpha.max():
        for _ in range(target[0]):
            yield np.full((1, target[1], 1), alpha[0, 0], alpha.dtype)
        return
    is_larger = target[0] >= size[0] and target[1] >= size[1]
    columns = np.arange(target[1]) * size[1] // target[1]
    top = 0
    for rows in _predicted(predictor, alpha[..., None], tile_px):
        sources = np.arange(top, top + len(rows)) * size[0] // target[0]
        top += len(rows)
        if is_larger:  # Otherwise a pixel of the result covers more than one.
            flat = _flat_pixels(alpha, sources[0], sources[-1] + 1)[sources - sources[0]][:, columns]
            rows = np.where(flat, alpha[sources][:, columns], rows[..., 0])[..., None]
        yield rows


def _flat_pixels(alpha: np.ndarray, first: int, last: int) -> np.ndarray:
    """Mask of pixels in rows `first` to `last` that are fully opaque or transparent together with their neighbors."""
    around = alpha[max(first - 1, 0) : last + 1]
    padded = np.pad(around, ((int(first == 0), int(last == len(alpha))), (1, 1)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    lowest, highest = windows.min(axis=(2, 3)), windows.max(axis=(2, 3))
    return (lowest == highest) & ((lowest == 0) | (lowest == peak_of(alpha.dtype)))
