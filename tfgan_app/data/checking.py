"""Finds the pictures that training could not read, before training starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import tensorflow as tf

from tfgan_app.data.decoding import decode_jpeg
from tfgan_app.data.labelled import LabelledPictures
from tfgan_app.data.pairs import PicturePair
from tfgan_app.files import printable
from tfgan_app.images import MAX_PIXELS, picture_header, read_rgb

MAX_ASPECT = 64
"""A picture is at most this many times as long as wide: resized by its short side, it would outgrow memory."""

_MAX_THREADS = 4
_Item = TypeVar("_Item")


def find_readable(
    pairs: Sequence[PicturePair],
    *,
    on_skip: Callable[[PicturePair, str], Any],
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[PicturePair]:
    """Decodes every picture once and drops the pairs that training could not read.

    Args:
        pairs: Pairs to check.
        on_skip: Called with each dropped pair and one line that names the file and says what is wrong.
        on_progress: Called with the number of pairs checked so far and the number of all pairs.

    Returns:
        The readable pairs, in their order.
    """
    return _without_problems(pairs, _pair_problem, on_skip=on_skip, on_progress=on_progress)


def find_readable_pictures(
    pictures: LabelledPictures,
    *,
    on_skip: Callable[[str, str], Any],
    on_progress: Callable[[int, int], Any] | None = None,
) -> LabelledPictures:
    """Decodes every picture file once and drops those that training could not read.

    Args:
        pictures: Pictures to check; those of an array are readable as they are.
        on_skip: Called with the name of each dropped picture and one line that names the file and says what is
            wrong.
        on_progress: Called with the number of pictures checked so far and the number of all pictures.

    Returns:
        The readable pictures, in their order.
    """
    paths = pictures.paths
    if paths is None:
        return pictures
    readable = _without_problems(
        range(len(paths)),
        lambda i: picture_problem(paths[i]),
        on_skip=lambda i, problem: on_skip(pictures.names[i], problem),
        on_progress=on_progress,
    )
    return pictures.select(readable)


def picture_problem(path: str | os.PathLike) -> str | None:
    """Decodes a picture as training would.

    Args:
        path: The file.

    Returns:
        None if it can be read, else one line that names the file and says what is wrong with it.
    """
    try:
        header = picture_header(path)
        if max(header.width, header.height) > MAX_ASPECT * min(header.width, header.height):
            size = f"{header.width} x {header.height}"
            return f"Cannot use the picture '{printable(path)}': expected sides up to 1:{MAX_ASPECT}, received {size}"
        if not header.plain or header.width * header.height > MAX_PIXELS:
            read_rgb(path, max_pixels=MAX_PIXELS)
            return None
    except ValueError as error:
        return str(error)
    try:
        with tf.device("CPU:0"):
            contents = tf.io.read_file(os.fsencode(path))
            # The smallest ratio still parses all of the file, and so finds the same damage.
            tf.io.decode_png(contents) if header.format == "PNG" else decode_jpeg(contents, ratio=8)
    except tf.errors.OpError:
        return f"Cannot read the picture '{printable(path)}': its data are damaged or cut short"
    return None


def _pair_problem(pair: PicturePair) -> str | None:
    """The first problem with the one or two files of a pair."""
    paths = dict.fromkeys((pair.input_path, pair.target_path))
    return next(filter(None, map(picture_problem, paths)), None)


def _without_problems(
    items: Sequence[_Item],
    problem_of: Callable[[_Item], str | None],
    *,
    on_skip: Callable[[_Item, str], Any],
    on_progress: Callable[[int, int], Any] | None,
) -> list[_Item]:
    """The items without a problem, in their order; checks a few at a time."""
    good = []
    with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
        for done, (item, problem) in enumerate(zip(items, pool.map(problem_of, items), strict=True), start=1):
            if problem:
                on_skip(item, problem)
            else:
                good.append(item)
            if on_progress:
                on_progress(done, len(items))
    return good
