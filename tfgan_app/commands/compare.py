"""`predict --compare`: several models on the same crops of the same images."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_app.commands.compare_crops import Crop, choose_crops
from tfgan_app.commands.compare_page import comparison_page, comparison_sheet
from tfgan_app.commands.predict_models import image_models, sizing_of
from tfgan_app.files import atomic_path, printable
from tfgan_app.image_io.grid import spread_indices
from tfgan_app.image_io.loading import IMAGE_SUFFIXES, find_images, read_rgb, write_image
from tfgan_app.inference import Predictor, Sampler, Stylist
from tfgan_app.inference.resizing import Sizing, float_rows, resized_rows
from tfgan_app.shipped import located
from tfgan_app.video import SHARED_SUFFIXES, VIDEO_INPUT_SUFFIXES, first_frame, is_video

_MOST_IMAGES = 6
_CROPS_OF_ONE = 3
_SHOWN_PX = 384
_OVERVIEW_PX = 320
_LEAST_CROP_PX = 32
_INEXACT_MARGIN_PX = 128
_BICUBIC_MARGIN_PX = 8
_WARM_UP_PX = 64
_SUFFIXES = (".html", ".png")


@dataclass
class ComparedModel:
    """A model of a comparison, with its time.

    Attributes:
        name: Name in the comparison.
        path: Path of the model.
        predictor: The loaded model.
        file_bytes: Size of its file or folder.
        seconds: Time of all crops, including the receptive field around them.
        megapixels: Output in that time.
    """

    name: str
    path: str
    predictor: Predictor
    file_bytes: int
    seconds: float = 0.0
    megapixels: float = 0.0


@dataclass(frozen=True)
class ComparedCrop:
    """A crop of the input and the same crop from each model.

    Attributes:
        crop: Its place in the input.
        bicubic: uint8 [size, size, 3], the input resized bicubically.
        results: The same of each model.
    """

    crop: Crop
    bicubic: np.ndarray
    results: list[np.ndarray]


@dataclass(frozen=True)
class ComparedImage:
    """An input image and its crops.

    Attributes:
        name: File name.
        size: Height and width in pixels.
        overview: uint8 [height, width, 3], the image scaled down.
        crops: Its crops.
    """

    name: str
    size: tuple[int, int]
    overview: np.ndarray
    crops: list[ComparedCrop]


@dataclass
class Comparison:
    """Content of a comparison page or sheet.

    Attributes:
        models: The models, in the order of the flags.
        scale: Output pixels per input pixel of all crops.
        images: The compared images.
        failed: Inputs that could not be compared.
    """

    models: list[ComparedModel]
    scale: float
    images: list[ComparedImage] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)


def compare(
    models: Sequence[Predictor | Sampler | Stylist],
    args: argparse.Namespace,
    *,
    on_failure: Callable[[Path, str], None],
    on_note: Callable[[Path, str], None],
    on_progress: Callable[[int, int], None],
) -> Comparison:
    """Writes a page or a sheet of several models on the same crops.

    Args:
        models: Models from `load_models`.
        args: Parsed flags of `predict`.
        on_failure: Called with each input that failed, and a line that names it.
        on_note: Called with each input that is shown only in part, and a clause about it.
        on_progress: Called after each image with the number done and the total.

    Returns:
        The comparison.

    Raises:
        ValueError: If a flag or a model is not suitable, or no image could be compared.
        OSError: If the output cannot be written.
    """
    output = Path(args.output)
    if output.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"`--output` of `--compare` must be a page, .html, or a sheet, .png. Received: '{printable(output)}'."
        )
    predictors = image_models(models, args.model, use="`--compare` shows results side by side")
    for model, path in zip(predictors, args.model, strict=True):
        if model.info.kind == "inpainting":
            raise ValueError(f"`--compare` is for models without a mask. Received: '{path}', an inpainting model.")
    sizing = sizing_of(args)
    scale = sizing.scale if sizing else max(model.scale for model in predictors)
    found = _inputs(Path(args.input), output, on_note)
    comparison = Comparison([_compared(*pair) for pair in zip(predictors, args.model, strict=True)], scale)
    _make_names_unique(comparison.models)
    for model in predictors:  # The first call compiles, which must not count as inference time.
        list(model.rows(np.zeros((_WARM_UP_PX, _WARM_UP_PX, 3), np.uint8), tile_px=args.tile))
    for done, path in enumerate(found):
        try:
            pixels = _read(path, args)
            crops = _crops(pixels, args, scale=max(scale, 1.0), count=1 if len(found) > 1 else _CROPS_OF_ONE)
            compared = [_compare_crop(comparison, pixels, crop, args.tile) for crop in crops]
            comparison.images.append(ComparedImage(path.name, pixels.shape[:2], _reduced(pixels), compared))
        except (ValueError, OSError, MemoryError) as error:
            comparison.failed.append(path)
            reason = " ".join(str(error).split())
            on_failure(path, reason if str(path) in reason else f"Cannot compare '{printable(path)}': {reason}")
        on_progress(done + 1, len(found))
    if not comparison.images:
        raise ValueError(f"There is nothing to compare: none of the images at '{printable(args.input)}' could be used.")
    if output.suffix.lower() == ".png":
        write_image(output, comparison_sheet(comparison))
    else:
        with atomic_path(output) as unfinished:
            unfinished.write_text(comparison_page(comparison), encoding="utf-8")
    return comparison


def _inputs(source: Path, output: Path, on_note: Callable[[Path, str], None]) -> list[Path]:
    """Returns the files to compare: a few of a large folder, without the sheet of an earlier comparison."""
    if source.is_file():
        if output.exists() and output.samefile(source):
            raise ValueError(f"The output would overwrite the input '{printable(source)}': choose another output.")
        return [source]
    if not source.is_dir():
        place = printable(source)
        raise ValueError(f"`--input` must be an image, a video or a folder of them. There is nothing at '{place}'.")
    known = {path: None for suffixes in (IMAGE_SUFFIXES, VIDEO_INPUT_SUFFIXES) for path in _find(source, suffixes)}
    found = [path for path in known if not (output.exists() and path.exists() and output.samefile(path))]
    if not found:
        raise ValueError(f"`--input` must hold images or videos. Found none in '{printable(source)}'.")
    if len(found) > _MOST_IMAGES:
        on_note(source, f"{_MOST_IMAGES} of its {len(found)} images are compared")
    return [found[index] for index in spread_indices(len(found), _MOST_IMAGES)]


def _find(folder: Path, suffixes: Set[str]) -> list[Path]:
    """Returns files with these suffixes; under a suffix that other files share, only videos."""
    found = find_images(folder, suffixes=suffixes)
    return [path for path in found if path.suffix.lower() not in SHARED_SUFFIXES or is_video(path)]


def _reduced(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((_OVERVIEW_PX, _OVERVIEW_PX), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _compared(model: Predictor, path: str) -> ComparedModel:
    place = located(path)
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    return ComparedModel(Path(path).name, path, model, sum(file.stat().st_size for file in files))


def _make_names_unique(models: list[ComparedModel]) -> None:
    """Names models of the same name by their paths."""
    names = [model.name for model in models]
    for model in models:
        if names.count(model.name) > 1:
            model.name = model.path


def _read(path: Path, args: argparse.Namespace) -> np.ndarray:
    return first_frame(path) if is_video(path) else read_rgb(path, input_range=args.input_range)


def _crops(pixels: np.ndarray, args: argparse.Namespace, *, scale: float, count: int) -> list[Crop]:
    height, width = pixels.shape[:2]
    if not args.crop:
        size = min(height, width, max(_LEAST_CROP_PX, round(_SHOWN_PX / scale)))
        return choose_crops(pixels, size=size, count=count)
    crops = [Crop(*crop) for crop in args.crop]
    for crop in crops:
        if crop.x + crop.size > width or crop.y + crop.size > height:
            raise ValueError(f"the crop {crop} is not inside its {width} x {height} pixels")
    return crops


def _compare_crop(comparison: Comparison, pixels: np.ndarray, crop: Crop, tile_px: int | None) -> ComparedCrop:
    target = Sizing(scale=comparison.scale).size(crop.size, crop.size)
    rows, columns, inside = crop.with_margin(pixels.shape[:2], margin=_BICUBIC_MARGIN_PX)
    bicubic = _sized(_floats(pixels[rows, columns]), inside, crop.size, target)
    results = []
    for model in comparison.models:
        predictor = model.predictor
        halo_px, multiple = predictor.info.receptive_field.halo_px, predictor.info.receptive_field.multiple
        if halo_px is None:
            margin = max(pixels.shape[:2])  # Its receptive field is the whole image.
        else:
            margin = halo_px if predictor.local else min(halo_px, _INEXACT_MARGIN_PX)
        rows, columns, inside = crop.with_margin(
            pixels.shape[:2], margin=margin + _BICUBIC_MARGIN_PX, multiple=multiple
        )
        start = time.perf_counter()
        made = np.concatenate(list(predictor.rows(np.ascontiguousarray(pixels[rows, columns]), tile_px=tile_px)))
        model.seconds += time.perf_counter() - start
        model.megapixels += made.shape[0] * made.shape[1] / 1e6
        scale = predictor.scale
        results.append(_sized(made, (scale * inside[0], scale * inside[1]), scale * crop.size, target))
    return ComparedCrop(crop, bicubic, results)


def _floats(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate(list(float_rows(pixels)))


def _sized(values: np.ndarray, inside: tuple[int, int], size: int, target: tuple[int, int]) -> np.ndarray:
    """Crops a square out of a larger result and resizes it: uint8 [new height, new width, 3]."""
    top, left = inside
    # Resampling sees the pixels around the square, as far as there are any.
    margin = min(_BICUBIC_MARGIN_PX, top, left, values.shape[0] - top - size, values.shape[1] - left - size)
    around = values[top - margin : top + size + margin, left - margin : left + size + margin]
    if target == (size, size):
        around, margin = values[top : top + size, left : left + size], 0
    rows = resized_rows([around], source=(size, size), target=target, margin=margin)
    return np.rint(np.concatenate(list(rows)) * 255.0).astype(np.uint8)
