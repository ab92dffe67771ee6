"""`predict --compare`: several models over the same crops of the same images."""

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
from tfgan_app.commands.predict_models import check_image_models, sizing_of
from tfgan_app.files import atomic_path, printable
from tfgan_app.image_io.grid import spread_indices
from tfgan_app.image_io.loading import IMAGE_SUFFIXES, find_images, read_rgb, write_image
from tfgan_app.inference import Predictor
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
    """A model of a comparison, and how long it took.

    Attributes:
        name: How it is called there.
        path: Where it lies.
        predictor: The model.
        file_bytes: Of its file or folder.
        seconds: That all crops took, with what the model has to see around them.
        megapixels: Of output in that time.
    """

    name: str
    path: str
    predictor: Predictor
    file_bytes: int
    seconds: float = 0.0
    megapixels: float = 0.0


@dataclass(frozen=True)
class ComparedCrop:
    """A crop by the input and by each model.

    Attributes:
        crop: Where it lies.
        bicubic: uint8 [size, size, 3], the input enlarged.
        results: The same of each model.
    """

    crop: Crop
    bicubic: np.ndarray
    results: list[np.ndarray]


@dataclass(frozen=True)
class ComparedImage:
    """An input, by its crops.

    Attributes:
        name: Of the file.
        size: Height and width.
        overview: uint8 [height, width, 3], reduced.
        crops: What is shown of it.
    """

    name: str
    size: tuple[int, int]
    overview: np.ndarray
    crops: list[ComparedCrop]


@dataclass
class Comparison:
    """What is shown.

    Attributes:
        models: In the order of the flags.
        scale: Output pixels per input pixel of all that is shown.
        images: Those that could be compared.
        failed: Inputs that could not be compared.
    """

    models: list[ComparedModel]
    scale: float
    images: list[ComparedImage] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)


def compare(
    models: Sequence[Predictor],
    args: argparse.Namespace,
    *,
    on_failure: Callable[[Path, str], None],
    on_note: Callable[[Path, str], None],
    on_progress: Callable[[int, int], None],
) -> Comparison:
    """Writes a page or a sheet of several models over the same crops.

    Args:
        models: What `load_models` loaded.
        args: The parsed flags of `predict`.
        on_failure: Called with each input that failed, and a line that names it.
        on_note: Called with each input of which not all is shown, and a clause.
        on_progress: Called after each image with the number done and that of all.

    Returns:
        What was compared.

    Raises:
        ValueError: If a flag or a model does not fit, or nothing could be compared.
        OSError: If the output cannot be written.
    """
    output = Path(args.output)
    if output.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"`--output` of `--compare` must be a page, .html, or a sheet, .png. Received: '{printable(output)}'."
        )
    check_image_models(models, args.model, use="`--compare` lays results side by side")
    for model, path in zip(models, args.model, strict=True):
        if model.info.kind == "inpainting":
            raise ValueError(f"`--compare` is for models that need no mask. Received: '{path}', which fills holes.")
    sizing = sizing_of(args)
    scale = sizing.scale if sizing else max(model.scale for model in models)
    found = _inputs(Path(args.input), output, on_note)
    comparison = Comparison([_compared(*pair) for pair in zip(models, args.model, strict=True)], scale)
    _tell_apart(comparison.models)
    for model in models:  # So that seconds are of the work, not of its preparation.
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
    """The files to compare, a few of a large folder; without an earlier sheet, which may lie among them."""
    if source.is_file():
        if output.exists() and output.samefile(source):
            raise ValueError(f"The output would overwrite the input '{printable(source)}': choose another output.")
        return [source]
    if not source.is_dir():
        place = printable(source)
        raise ValueError(f"`--input` must be an image, a video or a folder of them. There is none at '{place}'.")
    known = {path: None for suffixes in (IMAGE_SUFFIXES, VIDEO_INPUT_SUFFIXES) for path in _find(source, suffixes)}
    found = [path for path in known if not (output.exists() and path.exists() and output.samefile(path))]
    if not found:
        raise ValueError(f"`--input` must hold images or videos. Found none in '{printable(source)}'.")
    if len(found) > _MOST_IMAGES:
        on_note(source, f"{_MOST_IMAGES} of its {len(found)} images are compared")
    return [found[index] for index in spread_indices(len(found), _MOST_IMAGES)]


def _find(folder: Path, suffixes: Set[str]) -> list[Path]:
    """Files of those suffixes; of those that other files have too, videos alone."""
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


def _tell_apart(models: list[ComparedModel]) -> None:
    """Models of the same name are called by their paths."""
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
            raise ValueError(f"the crop {crop} does not lie within its {width} x {height} pixels")
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
            margin = max(pixels.shape[:2])  # It looks at whole images.
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
        results.append(_sized(made, tuple(scale * at for at in inside), scale * crop.size, target))
    return ComparedCrop(crop, bicubic, results)


def _floats(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate(list(float_rows(pixels)))


def _sized(values: np.ndarray, inside: tuple[int, int], size: int, target: tuple[int, int]) -> np.ndarray:
    """Cuts a square out of what was made around it, and resizes it: uint8 [new height, new width, 3]."""
    top, left = inside
    # What is beside the square continues it, as far as there is anything.
    margin = min(_BICUBIC_MARGIN_PX, top, left, values.shape[0] - top - size, values.shape[1] - left - size)
    around = values[top - margin : top + size + margin, left - margin : left + size + margin]
    if target == (size, size):
        around, margin = values[top : top + size, left : left + size], 0
    rows = resized_rows([around], source=(size, size), target=target, margin=margin)
    return np.rint(np.concatenate(list(rows)) * 255.0).astype(np.uint8)
