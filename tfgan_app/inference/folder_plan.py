"""Mapping of inputs to results: an image or a tree of images and the names of their results."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfgan_app.files import printable
from tfgan_app.image_io import IMAGE_FORMATS, format_of, loading
from tfgan_app.image_io.file_tree import survey_folder
from tfgan_app.inference.moving import MovingImages

_DEFAULT_SUFFIX = ".png"


@dataclass(frozen=True)
class Job:
    """One image to predict.

    Attributes:
        source: The image.
        target: Path of its result.
        mask: The image that marks its holes, or None.
        keep: The image that is white where the input stays, or None.
        is_moving: Whether its result is a video or an animation.
    """

    source: Path
    target: Path
    mask: Path | None = None
    keep: Path | None = None
    is_moving: bool = False


def with_masks(jobs: list[Job], source: Path, masks: Path, *, role: str = "mask") -> list[Job]:
    """Assigns its mask to each job.

    Args:
        jobs: The result of `plan_jobs`.
        source: The input of the jobs.
        masks: One image for all jobs, or a folder of images with the names of the inputs and any suffix.
        role: The attribute of `Job` to set.

    Raises:
        ValueError: If there is no mask at all. A single missing mask is reported with its image.
    """
    if masks.is_file():
        return [_with_mask(job, role, masks) for job in jobs]
    root = source if source.is_dir() else source.parent
    by_name = {path.relative_to(masks).with_suffix(""): path for path in loading.find_images(masks)}
    if not by_name:
        raise ValueError(f"The mask must be an image or a folder of images. There is none at '{printable(masks)}'.")
    found = [(job, job.source.relative_to(root)) for job in jobs]
    return [_with_mask(job, role, by_name.get(name.with_suffix(""), masks / name)) for job, name in found]


def _with_mask(job: Job, role: str, mask: Path) -> Job:
    changes: dict[str, Any] = {role: mask}
    return replace(job, **changes)


def plan_jobs(
    source: Path, target: Path, *, output_format: str | None = None, moving: MovingImages | None = None
) -> list[Job]:
    """Pairs each input with its result.

    Args:
        source: An image, or a folder of images.
        target: A file or a folder, or a folder.
        output_format: Name of the results' format, such as `"png"` or `"jpg"`; by default that of the input.
        moving: Handles videos and animations; without it, an animation counts as an image of its first frame.

    Returns:
        The jobs, in the order of `loading.find_images`.

    Raises:
        ValueError: If there is no image, the format cannot be written, or a result would overwrite an input.
    """
    suffix = None if output_format is None else f".{output_format.lower().removeprefix('.')}"
    known_suffixes = IMAGE_FORMATS.keys() | (moving.target_suffixes if moving else set())
    if suffix is not None and suffix not in known_suffixes:
        known = ", ".join(sorted(known.removeprefix(".") for known in known_suffixes))
        raise ValueError(f"The output format must be one of {known}. Received: {output_format}")
    if source.is_dir():
        jobs = _plan_folder(source, target, suffix, moving)
    elif os.path.lexists(source):  # An irregular file is reported with the images.
        jobs = [_plan_file(source, target, suffix, moving)]
    else:
        raise ValueError(f"The input must be an image or a folder of images. There is none at '{printable(source)}'.")
    inputs = {_resolved(job.source) for job in jobs}
    for job in jobs:
        if _resolved(job.target) in inputs:
            raise ValueError(f"The output would overwrite the input '{printable(job.target)}': choose another output.")
    return jobs


def _plan_file(source: Path, target: Path, suffix: str | None, moving: MovingImages | None) -> Job:
    named = target.suffix.lower()
    if moving is None or not moving.takes(source):
        _check_still(suffix)
        names_video = moving is not None and named in moving.suffixes | moving.target_suffixes
        if names_video and source.is_file() and not target.is_dir():
            format_of(target)  # A folder would not be called `b.mp4`.
        return Job(source, _file_target(source, target, suffix))
    if target.is_dir() or named not in loading.IMAGE_SUFFIXES | moving.suffixes | moving.target_suffixes:
        result = moving.result_suffix(source, suffix)
        if result is not None:
            name = source.name if result == source.suffix.lower() else f"{source.stem}{result}"
            return Job(source, target / name, is_moving=True)
    elif moving.moves(source, named):
        if suffix not in (None, named):
            raise ValueError(
                f"The output's suffix must fit the output format {suffix[1:]}. Received: '{printable(target)}'"
            )
        return Job(source, target, is_moving=True)
    _check_still(suffix)
    return Job(source, _file_target(source, target, suffix))


def _check_still(suffix: str | None) -> None:
    """Raises ValueError for a format of videos or animations."""
    if suffix is not None and suffix not in IMAGE_FORMATS:
        known = ", ".join(sorted(known.removeprefix(".") for known in IMAGE_FORMATS))
        raise ValueError(f"The output format of images must be one of {known}. Received: {suffix[1:]}")


def _still(suffix: str | None) -> str | None:
    """The suffix, unless it is that of videos or animations."""
    return suffix if suffix in IMAGE_FORMATS else None


def _file_target(source: Path, target: Path, suffix: str | None) -> Path:
    if target.is_dir() or target.suffix.lower() not in loading.IMAGE_SUFFIXES:
        return target / (source.name if _keeps_name(source, suffix) else f"{source.stem}{suffix or _DEFAULT_SUFFIX}")
    if suffix is not None and format_of(target) != IMAGE_FORMATS[suffix]:
        raise ValueError(
            f"The output's suffix must fit the output format {suffix[1:]}. Received: '{printable(target)}'"
        )
    format_of(target)
    return target


def _plan_folder(source: Path, target: Path, suffix: str | None, moving: MovingImages | None) -> list[Job]:
    if target.exists() and not target.is_dir():
        raise ValueError(f"The output for a folder must be a folder. Received the file '{printable(target)}'.")
    inside = _resolved(target)
    found, results = _find(source, suffix, moving)
    if found and not results:
        _check_still(suffix)
    suffix = _still(suffix)
    if inside != _resolved(source):  # Results of an earlier prediction among the inputs.
        found = [path for path in found if inside not in _resolved(path).parents]
    if not found:
        survey = survey_folder(source, takes=taken_by(moving))
        others = "; ".join([*(problem for _, problem in survey.problems), *filter(None, [survey.left_alone])])
        kinds = "images or videos" if moving else "images"
        raise ValueError(f"The input must hold {kinds}. Found none in '{printable(source)}'. {others}".rstrip())
    kept = {path for path in found if _keeps(path, suffix, results.get(path))}
    # Compared in lower case: many file systems ignore case.
    taken = {str(path.relative_to(source)).lower() for path in kept}
    jobs = []
    for path in found:
        name = path.relative_to(source)
        if path not in kept:
            name = _free_name(name, results.get(path) or suffix or _DEFAULT_SUFFIX, taken)
            taken.add(str(name).lower())
        jobs.append(Job(path, target / name, is_moving=path in results))
    return jobs


def taken_by(moving: MovingImages | None) -> Callable[[Path], bool]:
    """Returns a function that decides by its suffix whether a file in a folder is predicted."""
    suffixes = loading.IMAGE_SUFFIXES | (moving.suffixes if moving else set())
    return lambda path: path.suffix.lower() in suffixes


def _resolved(path: Path) -> Path:
    """Target of links; `Path.resolve` raises for a link to itself."""
    return Path(os.path.realpath(path))


def _find(source: Path, suffix: str | None, moving: MovingImages | None) -> tuple[list[Path], dict[Path, str]]:
    """Files to predict, and the suffixes of the results of videos and animations."""
    if moving is None:
        return loading.find_images(source), {}
    results, found = {}, []
    for path in loading.find_images(source, suffixes=loading.IMAGE_SUFFIXES | moving.suffixes):
        own = path.suffix.lower()
        is_regular = path.is_file()
        # Other image files are not opened to look: they fail with their name if they are videos.
        is_moving = own in moving.suffixes | moving.target_suffixes and is_regular and moving.takes(path)
        if is_moving and (result := moving.result_suffix(path, suffix)):
            results[path] = result
        # Pipes and broken links fail with their name. An image may be called `a.mp4`; `a.ts` may be a program.
        if is_moving or not is_regular or own in loading.IMAGE_SUFFIXES | (moving.suffixes - moving.shared_suffixes):
            found.append(path)
    return found, results


def _keeps(path: Path, suffix: str | None, result: str | None) -> bool:
    return _keeps_name(path, suffix) if result is None else result == path.suffix.lower()


def _keeps_name(path: Path, suffix: str | None) -> bool:
    own = IMAGE_FORMATS.get(path.suffix.lower())
    return own is not None and (suffix is None or own == IMAGE_FORMATS[suffix])


def _free_name(name: Path, suffix: str, taken: set[str]) -> Path:
    """A name for a file that cannot keep its own: `a.png`, `a.gif.png`, `a.gif.2.png`..."""
    free, count = name.with_suffix(suffix), 1
    while str(free).lower() in taken:
        free = name.with_name(f"{name.name}{suffix}" if count == 1 else f"{name.name}.{count}{suffix}")
        count += 1
    return free
