"""Prediction of a multi-page TIFF, page by page, into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.image_io import IMAGE_FORMATS, DecodedImage, open_pages_writer, tiff_pages
from tfgan_app.inference.folder_plan import Job
from tfgan_app.inference.image_pipeline import RowPredictor, predict_image, with_remarks

_TIFF_SUFFIXES = frozenset(suffix for suffix, kind in IMAGE_FORMATS.items() if kind.name == "TIFF")


def pages_of(job: Job) -> list[int]:
    """Indices of the pages that become pages of the result; none if the result is a single image."""
    if job.is_moving or job.target.suffix.lower() not in _TIFF_SUFFIXES:
        return []
    pages = tiff_pages(job.source)
    return pages if len(pages) > 1 else []


def predict_pages(
    predictor: RowPredictor,
    target: Path,
    pages: list[int],
    *,
    read: Callable[[int], tuple[DecodedImage, np.ndarray | None]],
    tile_px: int | None,
) -> list[str]:
    """Predicts each page as `predict_image` does an image.

    Args:
        predictor: An image model.
        target: The TIFF that is written.
        pages: Indices of the pages.
        read: Returns the image of a page and its mask, or raises ValueError.
        tile_px: Passed on to the predictor.

    Returns:
        One clause for each thing that could not be kept.

    Raises:
        ValueError: If a page cannot be read or predicted. Nothing is written.
        OSError: If the file cannot be written. Nothing is left behind.
    """
    notes: dict[str, None] = {}
    with open_pages_writer(target, pages=len(pages)) as file:
        for page in pages:
            image, mask = read(page)
            height, width = image.pixels.shape[:2]
            channels, strips = predict_image(predictor, image, mask=mask, tile_px=tile_px)
            image = with_remarks(image, predictor, target, tile_px=tile_px)
            new_height, new_width = predictor.output_size(height, width)
            kind: dict[str, Any] = {"channels": channels, "dtype": image.pixels.dtype, "metadata": image.metadata}
            with file.page(height=new_height, width=new_width, **kind) as writer:
                for strip in strips:
                    writer.write(strip)
            notes |= dict.fromkeys([*image.notes, *writer.notes])
    return list(notes)
