"""Prediction of images as numbers: files of any depth and channels into files of the same kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfgan_app.files import printable
from tfgan_app.image_io.loading import find_images
from tfgan_app.image_io.samples import (
    SampleImage,
    clipped_note,
    from_unit,
    read_samples,
    sample_format,
    sample_suffixes,
    to_unit,
    write_samples,
)
from tfgan_app.inference.predictor import Predictor

if TYPE_CHECKING:
    from tfgan_app.inference.folder import PredictionSummary


def predict_numbers(predictor: Predictor, pixels: np.ndarray, *, tile_px: int | None = None) -> np.ndarray:
    """Runs a model of images as numbers.

    Args:
        predictor: A model with a window.
        pixels: `[height, width, channels]` in data values, integers or floats.
        tile_px: As for `Predictor.rows`.

    Returns:
        `[scale * height, scale * width, channels]` in data values and the dtype of `pixels`: integers are rounded to
        the nearest, floats are not clipped.
    """
    window = predictor.info.window
    unit = to_unit(pixels, window)
    return np.concatenate([from_unit(rows, window, pixels.dtype) for rows in predictor.rows(unit, tile_px=tile_px)])


def plan_number_files(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Pairs of inputs and results, which have the format of their input.

    Raises:
        ValueError: If there is no such image, or a result would overwrite an input or have another format.
    """
    if source.is_dir():
        out = target.resolve()
        found = [path for path in find_images(source, suffixes=sample_suffixes()) if out not in path.resolve().parents]
        if not found:
            known = ", ".join(sorted(sample_suffixes()))
            raise ValueError(f"There is no image as numbers in '{printable(source)}'. Expected files of {known}.")
        pairs = [(path, target / path.relative_to(source)) for path in found]
    elif not os.path.lexists(source):
        raise ValueError(f"The input must be an image or a folder of images. There is none at '{printable(source)}'.")
    elif target.is_dir() or not target.suffix:
        pairs = [(source, target / source.name)]
    else:
        pairs = [(source, target)]
        if sample_format(target) is not sample_format(source):
            raise ValueError(
                f"The output must have the format of the input, {source.suffix}, so that its numbers are kept. "
                f"Received: '{printable(target)}'."
            )
    inputs = {path.resolve() for path, _ in pairs}
    for _, result in pairs:
        if result.resolve() in inputs:
            raise ValueError(f"The output would overwrite the input '{printable(result)}': choose another output.")
    return pairs


def predict_number_files(
    predictor: Predictor,
    source: Path,
    target: Path,
    summary: PredictionSummary,
    *,
    skip_existing: bool,
    tile_px: int | None,
    max_pixels: int,
    max_output_pixels: int,
    on_progress: Callable[[int, int], None],
    on_failure: Callable[[Path, str], None],
    on_note: Callable[[Path, str], None],
) -> PredictionSummary:
    """Predicts an image or each image of a folder tree; arguments and result as for `predict_path`."""
    pairs = plan_number_files(source, target)
    for done, (path, result) in enumerate(pairs, start=1):
        if skip_existing and result.is_file():
            summary.skipped.append(result)
        else:
            try:
                image = read_samples(path, channels=predictor.info.channels, max_pixels=max_pixels)
                _check_output(predictor, image, path, max_output_pixels)
                result.parent.mkdir(parents=True, exist_ok=True)
                write_samples(result, predict_numbers(predictor, image.pixels, tile_px=tile_px), source=image)
            except (ValueError, OSError, MemoryError) as error:
                summary.failed.append(path)
                text = printable(" ".join(str(error).split())) or type(error).__name__
                name = printable(path)
                on_failure(path, text if name in text else f"Cannot predict the image '{name}': {text}")
            else:
                summary.written.append(result)
                blended = predictor.blends(*image.pixels.shape[:2], tile_px=tile_px)
                for note in filter(None, [*image.notes, clipped_note(image.pixels, predictor.info.window), blended]):
                    on_note(path, note)
        on_progress(done, len(pairs))
    return summary


def _check_output(predictor: Predictor, image: SampleImage, path: Path, max_output_pixels: int) -> None:
    height, width = predictor.output_size(*image.pixels.shape[:2])
    if height * width > max_output_pixels:
        raise ValueError(
            f"Cannot predict the image '{printable(path)}': its result would be {width} x {height} pixels; "
            f"accepted are at most {max_output_pixels} pixels: crop it"
        )
