"""Prediction of videos frame by frame, with their timing, sound and color."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tfgan_app.files import atomic_path, check_regular, printable
from tfgan_app.image_io import ImageFormat
from tfgan_app.image_io.writing import to_eight_bits
from tfgan_app.video.animated_gif import open_gif_writer
from tfgan_app.video.animated_png import open_apng_writer
from tfgan_app.video.animated_webp import open_webp_writer
from tfgan_app.video.animations import (
    ANIMATION_CODECS,
    ANIMATION_SUFFIXES,
    fitting_image_metadata,
    holds_animation,
    open_animation,
    with_shown_times,
)
from tfgan_app.video.clip import VideoClip, VideoFrame, VideoStep
from tfgan_app.video.reading import open_video
from tfgan_app.video.transparency import on_white_background, resized_alpha, spread_color
from tfgan_app.video.writing import check_codec, open_video_writer, video_suffixes

VIDEO_SUFFIXES = ANIMATION_SUFFIXES | frozenset(video_suffixes())
"""Lower-case suffixes of the files that `predict_video` writes."""

MAX_FRAME_PIXELS = 2**25
"""Videos with more pixels per frame than this (34 megapixels, 8K) are rejected before they are decoded."""

MAX_RESULT_PIXELS = 16 * MAX_FRAME_PIXELS
"""Results with larger frames, which are held in memory whole, are rejected too."""

_LOOKAHEAD = 2
_HEAD_BYTES = 16


class ImagePredictor(Protocol):
    """Interface of a model that `predict_video` needs."""

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of a frame of this size."""

    def for_frame(self, index: int) -> ImagePredictor:
        """The predictor of a frame, counted from 0."""

    def remarks(self, height: int, width: int) -> list[str]:
        """Steps after the model that matter for frames of this size, one clause each."""

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """uint8 or uint16 [height, width, 3] -> strips float32 [rows, new width, 3] in [0, 1], from the top."""


def predict_video(
    predictor: ImagePredictor,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    tile_px: int | None = None,
    crf: int | None = None,
    codec: str | None = None,
    quality: int | None = None,
    max_pixels: int = MAX_FRAME_PIXELS,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> int:
    """Predicts every frame of a video.

    Each frame keeps its time, so variable frame rates are preserved. Sound, subtitles, attachments, chapters and tags
    are copied; what the target's container cannot hold is re-encoded or left out, with a note. Frames are turned
    upright. Colors keep their matrix, range, primaries and transfer, and 10 bits stay 10 if the encoder supports them.
    Decoding and encoding overlap with the model, and only a few frames are in memory at a time.

    Args:
        predictor: The model. It processes each frame separately, gamma-encoded.
        source: The file; its content determines the kind.
        target: Destination; its suffix, one of `VIDEO_SUFFIXES`, determines the kind. Written beside and renamed into
            place, so it is whole or absent.
        tile_px: As for `Predictor.rows`.
        crf: Quality of the encoder, from 0 (best) to 51 or 63; None for one hard to tell from the original.
        codec: `"h264"`, `"hevc"`, `"vp9"` or `"av1"`; None for the source's if the target supports it, else its
            default.
        quality: 1 to 100 (lossless) of an animated WebP; None for 95, or lossless if the source is.
        max_pixels: Sources with more pixels per frame are rejected.
        on_progress: Called after each frame with the number done and the total, None if unknown.
        on_note: Called with one clause for each thing that could not be kept, once.

    Returns:
        The number of frames.

    Raises:
        ValueError: If the source is damaged, truncated or not a video, the target is invalid, or PyAV is missing. One
            line; nothing is written.
        OSError: If the target cannot be written.
    """
    source, target = Path(source), Path(target)
    suffix = target.suffix.lower()
    _check_target(source, target, codec)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_one_line(source))
        if source.exists():
            check_regular(source)
        reader = stack.enter_context(_open(source, max_pixels=max_pixels))
        _check_kind(reader.clip, suffix)
        note = _once(on_note)
        size = reader.clip.height, reader.clip.width
        target_size = predictor.output_size(*size)
        _check_size(*target_size)
        clip = _result_clip(reader.clip, target_size, suffix, on_note=note)
        for each in (*clip.notes, *predictor.remarks(*size)):
            note(each)
        unfinished = stack.enter_context(atomic_path(target))
        opened: contextlib.AbstractContextManager[Any]
        if suffix == ".gif":
            opened = open_gif_writer(unfinished, clip, on_note=note)
        elif suffix == ".webp":
            opened = open_webp_writer(unfinished, clip, quality=quality, on_note=note)
        elif suffix in ANIMATION_SUFFIXES:
            opened = open_apng_writer(unfinished, clip, on_note=note)
        else:
            opened = open_video_writer(unfinished, clip, suffix=suffix, codec=codec, crf=crf, on_note=note)
        writer = stack.enter_context(opened)
        steps = _steps_for(reader, suffix)
        return _run(predictor, steps, writer, clip=clip, tile_px=tile_px, on_progress=on_progress)


def first_frame(source: str | os.PathLike, *, max_pixels: int = MAX_FRAME_PIXELS) -> np.ndarray:
    """First frame of a video or an animation, on white: uint8 [height, width, 3].

    Raises:
        ValueError: If it is damaged or not a video, or PyAV is missing. One line that names it.
    """
    source = Path(source)
    with _one_line(source), _open(source, max_pixels=max_pixels) as reader:
        with contextlib.closing(on_white_background(reader.steps())) as steps:
            frame = next((step.frame for step in steps if step.frame is not None), None)
        if frame is None:
            raise ValueError("it has no frame")
        return to_eight_bits(frame.pixels)


def _steps_for(reader: Any, suffix: str) -> Generator[VideoStep, None, None]:
    """Frames with the timing of the target's kind of file."""
    steps = reader.steps()
    if reader.clip.codec == "gif" and suffix != ".gif":
        steps = with_shown_times(steps)
    return steps if suffix in ANIMATION_SUFFIXES else on_white_background(steps)


def _run(
    predictor: ImagePredictor,
    steps: Generator[VideoStep, None, None],
    writer: Any,
    *,
    clip: VideoClip,
    tile_px: int | None,
    on_progress: Callable[[int, int | None], None],
) -> int:
    """Reads in one thread, computes in this one and writes in a third."""
    done = 0
    writings: deque[Future] = deque()
    with contextlib.closing(steps), ThreadPoolExecutor(1) as reading, ThreadPoolExecutor(1) as writing:
        for step in _ahead(steps, reading):
            frame = None if step.frame is None else _predict_frame(predictor.for_frame(done), step.frame, tile_px)
            writings.append(writing.submit(writer.write, step.packets, frame))
            if len(writings) > _LOOKAHEAD:
                writings.popleft().result()
            if frame is not None:
                done += 1
                on_progress(done, None if clip.frames is None else max(done, clip.frames))
        for each in writings:
            each.result()
    writer.finish()
    return done


def _ahead(steps: Iterator[VideoStep], pool: ThreadPoolExecutor) -> Iterator[VideoStep]:
    """Yields the steps that `pool`'s only thread takes from `steps`, a few ahead."""
    waiting = deque(pool.submit(next, steps, None) for _ in range(_LOOKAHEAD))
    while (step := waiting.popleft().result()) is not None:
        waiting.append(pool.submit(next, steps, None))
        yield step


def _predict_frame(predictor: ImagePredictor, frame: VideoFrame, tile_px: int | None) -> VideoFrame:
    size, alpha = frame.pixels.shape[:2], frame.alpha
    target = predictor.output_size(*size)
    pixels = frame.pixels if alpha is None else spread_color(frame.pixels, alpha)
    result = np.empty((*target, 3), pixels.dtype)
    peak, top = float(np.iinfo(pixels.dtype).max), 0
    for strip in predictor.rows(pixels, tile_px=tile_px):
        result[top : top + len(strip)] = np.rint(np.clip(strip, 0.0, 1.0) * peak)
        top += len(strip)
    alpha = alpha if alpha is None or target == size else resized_alpha(alpha, *target)
    return VideoFrame(result, frame.time, frame.duration, alpha)


def _open(source: Path, *, max_pixels: int) -> Any:
    try:
        with open(source, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    if not head:
        raise ValueError("the file is empty")
    return (open_animation if holds_animation(head) else open_video)(source, max_pixels=max_pixels)


def _result_clip(clip: VideoClip, size: tuple[int, int], suffix: str, *, on_note: Callable[[str], None]) -> VideoClip:
    notes = clip.notes
    if clip.codec in ANIMATION_CODECS and suffix not in ANIMATION_SUFFIXES:
        notes += ("transparency becomes white, and the number of repeats is up to the player",)
        fitting_image_metadata(clip, ImageFormat(suffix[1:].upper()), on_note=on_note)
    return dataclasses.replace(clip, height=size[0], width=size[1], notes=notes)


@contextlib.contextmanager
def _one_line(source: Path) -> Iterator[None]:
    """Prefixes errors with the source."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Cannot predict the video '{printable(source)}': {' '.join(str(error).split())}") from error


def _once(report: Callable[[str], None]) -> Callable[[str], None]:
    """Reports each text only once."""
    seen: set[str] = set()

    def report_new(text: str) -> None:
        if text not in seen:
            seen.add(text)
            report(text)

    return report_new


def _check_size(height: int, width: int) -> None:
    if height * width > MAX_RESULT_PIXELS:
        raise ValueError(
            f"its frames would become {width} x {height} pixels; accepted are at most {MAX_RESULT_PIXELS} pixels: ask "
            "for a smaller size"
        )


def _check_kind(clip: VideoClip, suffix: str) -> None:
    if suffix == ".png" and clip.codec not in ANIMATION_CODECS:
        raise ValueError("a PNG of a video would be an animation: use .apng, or another video or animation format")


def _check_target(source: Path, target: Path, codec: str | None) -> None:
    if target.suffix.lower() not in VIDEO_SUFFIXES:
        known = ", ".join(sorted(VIDEO_SUFFIXES))
        raise ValueError(f"The suffix of the output video must be one of {known}. Received: '{printable(target)}'")
    check_codec(target, codec)
    if source.exists() and target.exists() and source.samefile(target):
        raise ValueError(f"The result would overwrite its source '{printable(source)}': give it another name.")
