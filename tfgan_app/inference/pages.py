"""Predicts a TIFF of several pages, page by page, into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tfgan_app.inference.faithful import RowPredictor, predict_picture, with_remarks
from tfgan_app.inference.folder_plan import Job
from tfgan_app.picture_files import PICTURE_FORMATS, Picture, open_pages_writer, tiff_pages

_TIFF_SUFFIXES = frozenset(suffix for suffix, kind in PICTURE_FORMATS.items() if kind.name == "TIFF")


def pages_of(job: Job) -> list[int]:
    """The numbers of the pages that become pages of the result; none where that is a file of one image."""
    if job.is_moving or job.target.suffix.lower() not in _TIFF_SUFFIXES:
        return []
    pages = tiff_pages(job.source)
    return pages if len(pages) > 1 else []


def predict_pages(
    predictor: RowPredictor,
    target: Path,
    pages: list[int],
    *,
    read: Callable[[int], tuple[Picture, np.ndarray | None]],
    tile_px: int | None,
) -> list[str]:
    """Predicts each page as `predict_picture` does an image.

    Args:
        predictor: A model of images.
        target: The TIFF that is written.
        pages: Their numbers.
        read: Gives the image of a page and its mask, or raises ValueError.
        tile_px: Passed on to the predictor.

    Returns:
        What could not be kept, one clause each.

    Raises:
        ValueError: If a page cannot be read or predicted. Nothing is written.
        OSError: If the file cannot be written. Nothing is left behind.
    """
    notes: dict[str, None] = {}
    with open_pages_writer(target, pages=len(pages)) as file:
        for page in pages:
            picture, mask = read(page)
            height, width = picture.pixels.shape[:2]
            channels, strips = predict_picture(predictor, picture, mask=mask, tile_px=tile_px)
            picture = with_remarks(picture, predictor, target, tile_px=tile_px)
            size = dict(zip(("height", "width"), predictor.output_size(height, width), strict=True))
            kind = {"channels": channels, "dtype": picture.pixels.dtype, "metadata": picture.metadata}
            with file.page(**size, **kind) as writer:
                for strip in strips:
                    writer.write(strip)
            notes |= dict.fromkeys([*picture.notes, *writer.notes])
    return list(notes)
