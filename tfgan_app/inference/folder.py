"""Prediction of an image or a folder tree into files with the same relative names."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tfgan_app.files import printable
from tfgan_app.image_io import MAX_OUTPUT_PIXELS, loading
from tfgan_app.image_io.file_tree import survey_folder
from tfgan_app.image_io.value_range import InputRange
from tfgan_app.inference.batch import EXPECTED, Batch, PixelProgress
from tfgan_app.inference.finishing import Finish, FinishedPredictor
from tfgan_app.inference.folder_plan import Job, plan_jobs, taken_by, with_masks
from tfgan_app.inference.moving import MovingImages
from tfgan_app.inference.number_files import predict_number_files
from tfgan_app.inference.pages import pages_of
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.styling import StyledPredictor

_WRITERS = 4


@dataclass
class PredictionSummary:
    """Outcome of a prediction.

    Attributes:
        written: Files that were written, in the order of their inputs.
        failed: Inputs that could not be read, predicted or written.
        skipped: Existing files that were kept.
    """

    written: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def predict_path(
    predictor: Predictor | StyledPredictor | FinishedPredictor,
    input: str | os.PathLike,
    output: str | os.PathLike,
    *,
    output_format: str | None = None,
    quality: int | None = None,
    skip_existing: bool = False,
    masks: str | os.PathLike | None = None,
    keep_masks: str | os.PathLike | None = None,
    input_range: InputRange | None = None,
    moving: MovingImages | None = None,
    tile_px: int | None = None,
    max_pixels: int = loading.MAX_PIXELS,
    max_output_pixels: int = MAX_OUTPUT_PIXELS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_pixels: Callable[[int, int], None] = lambda done, total: None,
    on_failure: Callable[[Path, str], None] = lambda source, reason: None,
    on_note: Callable[[Path, str], None] = lambda source, text: None,
) -> PredictionSummary:
    """Predicts one image, or each image in a folder tree; reading and writing overlap with the model.

    Results for a folder have the relative names of their inputs. A suffix that does not match the result's format is
    replaced; if that name is taken, the new suffix is appended (`a.gif` beside `a.png` becomes `a.gif.png`). Results
    of an earlier prediction are overwritten or kept; inputs are never overwritten. `predict_image` and
    `open_image_writer` state what is kept besides 8-bit color.

    Args:
        predictor: An image model.
        input: An image file, or a folder. An output folder inside it is left out.
        output: For an image: a file name with a suffix of an image, or a folder. For a folder: a folder.
        output_format: Name of a format, such as `"png"` or `"jpg"`, for all results; by default that of the input, or
            PNG if that cannot be written.
        quality: 1 to 100, for JPEG and WebP (100 is lossless there); by default 95.
        skip_existing: Keep existing results. Files are renamed into place, so they are whole, and an interrupted
            prediction continues where it stopped.
        masks: For models that fill holes: an image that is light in the holes, or a folder of such images with the
            names of the inputs. Without masks, fully transparent pixels are filled.
        keep_masks: As `masks`, but white where the input stays, and for every model and for videos. A
            `FinishedPredictor` defines the blending.
        input_range: Values of black and white in inputs of more than 8 bits; None decides by the file, by the rule of
            `tfgan_app.image_io.value_range`.
        moving: Handles videos and animations, which are predicted after the images. Without it, videos are not used,
            and only the first frame of an animation is.
        tile_px: Passed on to the predictor.
        max_pixels: Images with more pixels fail, before they are decoded.
        max_output_pixels: Images whose results would have more pixels fail, before they are computed.
        on_progress: Called after each image with the number done and the total.
        on_pixels: Called as results grow, with the input pixels done and the total; until all images are read, the
            total is an estimate.
        on_failure: Called with each failed input and one line that names it and the reason.
        on_note: Called with each input and one clause for each thing of it that could not be kept.

    Returns:
        A `PredictionSummary`.

    Raises:
        ValueError: If there is no image at `input`, an option is wrong, or a result would overwrite an input.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"`quality` must be from 1 to 100. Received: {quality}")
    if predictor.info.window is not None:
        _check_numbers(predictor, output_format, quality, masks, keep_masks, input_range)
        return predict_number_files(
            cast(Predictor, predictor),
            Path(input),
            Path(output),
            PredictionSummary(),
            skip_existing=skip_existing,
            tile_px=tile_px,
            max_pixels=max_pixels,
            max_output_pixels=max_output_pixels,
            on_progress=on_progress,
            on_failure=on_failure,
            on_note=on_note,
        )
    jobs = plan_jobs(Path(input), Path(output), output_format=output_format, moving=moving)
    if masks is not None:
        jobs = with_masks(jobs, Path(input), Path(masks))
    if keep_masks is not None:
        jobs = with_masks(jobs, Path(input), Path(keep_masks), role="keep")
        predictor = predictor if isinstance(predictor, FinishedPredictor) else FinishedPredictor(predictor, Finish())
    summary = PredictionSummary()
    if os.path.isdir(input):
        _report_leftovers(Path(input), summary, moving, on_failure, on_note)
    if skip_existing:
        summary.skipped = [job.target for job in jobs if job.target.is_file()]
    todo = [job for job in jobs if job.target not in set(summary.skipped)]
    pages = {job: found for job in todo if (found := pages_of(job))}
    moved = [job for job in todo if job.is_moving]
    stills = [job for job in todo if not job.is_moving and job not in pages]
    done = 0
    progress = PixelProgress(len(stills), on_pixels)
    batch = Batch(predictor, progress, quality, tile_px, max_pixels, max_output_pixels, input_range)
    with ThreadPoolExecutor(1) as readers, ThreadPoolExecutor(_WRITERS) as writers:
        results = batch.run(stills, readers, writers)
        for job, result in itertools.chain(results, batch.run_pages(pages), _run_moving(batch, moving, moved)):
            if isinstance(result, Exception):
                summary.failed.append(job.source)
                on_failure(job.source, _reason(job, result))
            else:
                summary.written.append(job.target)
                for note in result:
                    on_note(job.source, note)
            done += 1
            on_progress(len(summary.skipped) + done, len(jobs))
    return summary


def _check_numbers(predictor: Predictor | StyledPredictor | FinishedPredictor, *options: Any) -> None:
    """Raises ValueError for options that apply to 8-bit images only."""
    if not isinstance(predictor, Predictor) or any(option is not None for option in options):
        raise ValueError(
            "This model takes images as numbers and writes the same kind back: leave out formats, quality, masks, "
            "`--input-range`, chains and steps after the model."
        )


def _report_leftovers(
    folder: Path,
    summary: PredictionSummary,
    moving: MovingImages | None,
    on_failure: Callable[[Path, str], None],
    on_note: Callable[[Path, str], None],
) -> None:
    """Reports what is not predicted: unreadable folders, links, and files of other kinds."""
    survey = survey_folder(folder, takes=taken_by(moving))
    for path, problem in survey.problems:
        summary.failed.append(path)
        on_failure(path, problem)
    for path, note in survey.notes:
        on_note(path, note)
    if survey.left_alone:
        on_note(folder, survey.left_alone)


def _run_moving(
    batch: Batch, moving: MovingImages | None, jobs: Sequence[Job]
) -> Iterator[tuple[Job, Exception | Sequence[str]]]:
    """Yields each video with its notes or its error."""
    for job in jobs:
        notes: list[str] = []
        options: dict[str, Any] = {"tile_px": batch.tile_px, "quality": batch.quality, "on_note": notes.append}
        try:
            if job.mask is not None:
                raise ValueError("a mask applies to images, and this is a video or an animation")
            moving.predict(batch.bound(job), job.source, job.target, **options)
        except EXPECTED as error:
            yield job, error
        else:
            yield job, notes


def _reason(job: Job, error: Exception) -> str:
    """One line that names the input, whether reading, predicting or writing failed."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        text = f"{error.strerror}: '{printable(os.fsdecode(error.filename))}'"
    else:
        text = printable(" ".join(str(error).split())) or type(error).__name__
    name = printable(job.source)
    return text if name in text else f"Cannot predict the image '{name}': {text}"
