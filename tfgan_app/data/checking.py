"""Check for unreadable images before training."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from tfgan_app.data.decoding import decode_jpeg
from tfgan_app.data.image_pairs import ImagePair, RecordPairs
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.records import RecordFiles
from tfgan_app.files import printable
from tfgan_app.image_io import read_image
from tfgan_app.image_io.loading import MAX_PIXELS, ImageHeader, image_header
from tfgan_app.image_io.value_range import InputRange, RangeNote

MAX_ASPECT = 64
"""Limit of the aspect ratio: a longer image, resized by its short side, would need too much memory."""

_MAX_THREADS = 4
_SHOWN_RANGES = 3
_Item = TypeVar("_Item")


def find_readable(
    pairs: Sequence[ImagePair],
    *,
    on_skip: Callable[[ImagePair, str], Any],
    on_progress: Callable[[int, int], Any] | None = None,
    on_note: Callable[[str], Any] | None = None,
    input_range: InputRange | None = None,
) -> Sequence[ImagePair]:
    """Decodes every image once and drops pairs that cannot be read; records were decoded when they were prepared.

    Args:
        pairs: Pairs to check.
        on_skip: Called with each dropped pair and a line that names the file and the problem.
        on_progress: Called with the number of pairs checked and the total.
        on_note: Called with a line for each value range assumed for floats or wide integers.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Returns:
        The readable pairs, in the same order.
    """
    if isinstance(pairs, RecordPairs):
        return pairs.take(_sound_positions(pairs, lambda i, problem: on_skip(pairs[i], problem)))
    return _without_problems(
        pairs,
        lambda pair: [check_image(path, input_range=input_range) for path in _files_of(pair)],
        on_skip=on_skip,
        on_progress=on_progress,
        on_note=on_note,
    )


def find_readable_images(
    images: LabeledImages,
    *,
    on_skip: Callable[[str, str], Any],
    on_progress: Callable[[int, int], Any] | None = None,
    on_note: Callable[[str], Any] | None = None,
    input_range: InputRange | None = None,
) -> LabeledImages:
    """Decodes every image file once and drops those that cannot be read; records were decoded when prepared.

    Args:
        images: Images to check; an array needs no check.
        on_skip: Called with the name of each dropped image and a line that names the file and the problem.
        on_progress: Called with the number of images checked and the total.
        on_note: Called with a line for each value range assumed for floats or wide integers.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Returns:
        The readable images, in the same order.
    """
    paths = images.paths
    if paths is None:
        return images
    if isinstance(paths, RecordFiles):
        return images.select(_sound_positions(paths, lambda i, problem: on_skip(images.names[i], problem)))
    readable = _without_problems(
        range(len(paths)),
        lambda i: [check_image(paths[i], input_range=input_range)],
        on_skip=lambda i, problem: on_skip(images.names[i], problem),
        on_progress=on_progress,
        on_note=on_note,
    )
    return images.select(readable)


@dataclass(frozen=True)
class FileCheck:
    """Result of decoding one file.

    Attributes:
        header: The file's header; None if it has none.
        problem: A line that names the file and the reason why it cannot be read; None if it can.
        value_range: Note about the value range assumed for floats or wide integers; None for other files.
    """

    header: ImageHeader | None
    problem: str | None = None
    value_range: str | None = None


def image_problem(path: str | os.PathLike) -> str | None:
    """Returns the problem of an image that `check_image` finds, or None."""
    return check_image(path).problem


def check_image(path: str | os.PathLike, *, input_range: InputRange | None = None) -> FileCheck:
    """Decodes an image as training does.

    Args:
        path: The file.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.

    Returns:
        A `FileCheck`.
    """
    header = None
    try:
        header = image_header(path)
        if max(header.width, header.height) > MAX_ASPECT * min(header.width, header.height):
            size = f"{header.width} x {header.height}"
            expected = f"expected sides up to 1:{MAX_ASPECT}, received {size}"
            return FileCheck(header, f"Cannot use the image '{printable(path)}': {expected}")
        if not header.plain or header.width * header.height > MAX_PIXELS:
            notes = read_image(path, max_pixels=MAX_PIXELS, input_range=input_range).notes
            taken = next((note.range_alone for note in notes if isinstance(note, RangeNote)), None)
            return FileCheck(header, value_range=taken)
    except ValueError as error:
        return FileCheck(header, str(error))
    try:
        with tf.device("CPU:0"):
            contents = tf.io.read_file(os.fsencode(path))
            # Decoding at the smallest size still parses the whole file, so it finds the same damage.
            tf.io.decode_png(contents) if header.format == "PNG" else decode_jpeg(contents, ratio=8)
    except tf.errors.OpError:
        return FileCheck(header, f"Cannot read the image '{printable(path)}': its data is damaged or truncated")
    return FileCheck(header)


def _sound_positions(records: RecordFiles | RecordPairs, on_skip: Callable[[int, str], Any]) -> np.ndarray:
    """Returns the positions of the records without a problem; `prepare` has decoded every one of them."""
    problems = records.problems()
    for position, problem in sorted(problems.items()):
        on_skip(position, problem)
    return np.delete(np.arange(len(records)), list(problems))


def _files_of(pair: ImagePair) -> Sequence[os.PathLike]:
    """Returns the one or two files of a pair."""
    return list(dict.fromkeys((pair.input_path, pair.target_path)))


def _without_problems(
    items: Sequence[_Item],
    checks_of: Callable[[_Item], Sequence[FileCheck]],
    *,
    on_skip: Callable[[_Item, str], Any],
    on_progress: Callable[[int, int], Any] | None,
    on_note: Callable[[str], Any] | None,
) -> list[_Item]:
    """Returns the items without a problem, in the same order; several are checked in parallel."""
    good: list[_Item] = []
    ranges: Counter[str] = Counter()
    with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
        for done, (item, checks) in enumerate(zip(items, pool.map(checks_of, items), strict=True), start=1):
            if problem := next((check.problem for check in checks if check.problem), None):
                on_skip(item, problem)
            else:
                good.append(item)
                ranges.update(check.value_range for check in checks if check.value_range)
            if on_progress:
                on_progress(done, len(items))
    for line in range_lines(ranges):
        if on_note:
            on_note(line)
    return good


def range_lines(ranges: Mapping[str, int]) -> list[str]:
    """Returns lines with the assumed value ranges and their counts, most frequent first.

    Args:
        ranges: Note -> number of files.
    """
    ranked = Counter(ranges).most_common()
    lines = [f"{note}: {count} of the files" for note, count in ranked[:_SHOWN_RANGES]]
    if left := sum(count for _, count in ranked[_SHOWN_RANGES:]):
        lines.append(f"other ranges: {left} of the files; data.input_range=LOW,HIGH sets one range for all")
    return lines
