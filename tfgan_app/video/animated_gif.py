"""Reads and writes animated GIFs frame by frame, holding no more than two of them in memory."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from tfgan_app.video.clip import VideoClip, VideoFrame, VideoStep

_MILLISECONDS = Fraction(1, 1000)
_CENTISECONDS_A_SECOND = 100
_LEAST_SHOWN_MS = 20
_SHOWN_INSTEAD_MS = 100
_TRANSPARENT = 255
_KEEP, _CLEAR = 1, 2
_DAMAGES = (EOFError, OSError, SyntaxError, ValueError, IndexError, struct.error)


def is_animated_gif(path: str | os.PathLike) -> bool:
    """Whether a file is a GIF of more than one frame; False too where it cannot be read."""
    try:
        with Image.open(path, formats=("GIF",)) as image:
            return bool(image.is_animated)
    except Exception:  # Decoders fail on hostile bytes with almost any exception type.
        return False


class GifReader:
    """An open GIF.

    Attributes:
        clip: What is known of it.
    """

    def __init__(self, image: Image.Image):
        """Takes an opened GIF of checked size."""
        self._image = image
        frames = image.n_frames
        image.seek(0)
        width, height = image.size
        self.clip = VideoClip(
            height=height,
            width=width,
            codec="gif",
            time_base=_MILLISECONDS,
            frame_rate=Fraction(1000, _shown_ms(image.info.get("duration", 0))),
            frames=frames,
            loops=image.info.get("loop"),
        )

    def steps(self) -> Iterator[VideoStep]:
        """Yields each frame as it is to be seen, that is with what earlier ones left of it; once.

        Raises:
            ValueError: If the file is damaged or cut off.
        """
        time = 0
        for index in range(self.clip.frames):
            try:
                self._image.seek(index)
                rgba = np.asarray(self._image.convert("RGBA"))
            except _DAMAGES as error:
                raise ValueError(f"it is damaged or cut off at frame {index + 1} of {self.clip.frames}") from error
            duration = int(self._image.info.get("duration", 0))
            opaque = rgba[..., 3] >= 128
            pixels = np.ascontiguousarray(rgba[..., :3])
            yield VideoStep((), VideoFrame(pixels, time, duration, None if opaque.all() else opaque))
            time += duration
        yield VideoStep((), None)


@contextlib.contextmanager
def open_gif(path: str | os.PathLike, *, max_pixels: int) -> Iterator[GifReader]:
    """Opens a GIF.

    Args:
        path: The file.
        max_pixels: Refuse frames with more pixels than this before decoding them.

    Yields:
        A `GifReader`.

    Raises:
        ValueError: If it is no GIF, or too large.
    """
    try:
        image = Image.open(path, formats=("GIF",))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError("it is not a GIF that can be read") from error
    with image:
        width, height = image.size
        if not 1 <= width * height <= max_pixels:
            accepted = f"1 to {max_pixels} pixels a frame: scale it down or cut it"
            raise ValueError(f"it is {width} x {height} pixels; accepted are {accepted}")
        try:
            reader = GifReader(image)
        except _DAMAGES as error:
            raise ValueError("it is damaged") from error
        yield reader


def as_shown(steps: Iterator[VideoStep]) -> Iterator[VideoStep]:
    """The frames of a GIF for a video: on white, and for as long as browsers show them."""
    time = 0
    for step in steps:
        frame = step.frame
        if frame is not None:
            pixels, duration = frame.pixels, _shown_ms(frame.duration)
            pixels = pixels if frame.alpha is None else np.where(frame.alpha[..., None], pixels, np.uint8(255))
            frame = VideoFrame(pixels, time, duration)
            time += duration
        yield VideoStep((), frame)


def enlarged_alpha(alpha: np.ndarray, scale: int) -> np.ndarray:
    """Enlarges bool [height, width] with smooth edges to [scale * height, scale * width]."""
    height, width = alpha.shape
    image = Image.fromarray(alpha.astype(np.uint8) * np.uint8(255))
    return np.asarray(image.resize((scale * width, scale * height), Image.Resampling.BICUBIC)) >= 128


def spread_colour(pixels: np.ndarray, alpha: np.ndarray, *, steps: int = 16) -> np.ndarray:
    """Continues colours into transparent places, whose own colour means nothing and would shine through at edges.

    Args:
        pixels: uint8 [height, width, 3].
        alpha: bool [height, width], False where the picture is transparent.
        steps: How far, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    known = alpha[..., None].astype(np.float32)
    colours = pixels * known
    for _ in range(steps):
        total, count = _summed_3x3(colours * known), _summed_3x3(known)
        fresh = (known == 0.0) & (count > 0.0)
        colours = np.where(fresh, total / np.maximum(count, 1.0), colours)
        known = np.maximum(known, fresh)
    return np.rint(colours).astype(np.uint8)


def _summed_3x3(values: np.ndarray) -> np.ndarray:
    for axis in range(2):
        padded = np.pad(values, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        values = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=axis).sum(axis=-1)
    return values


def _shown_ms(duration: float) -> int:
    """How long browsers show a frame."""
    return int(duration) if duration >= _LEAST_SHOWN_MS else _SHOWN_INSTEAD_MS


class GifWriter:
    """A GIF in the making; each frame has a palette of its own."""

    def __init__(self, file: IO[bytes], clip: VideoClip, *, on_note: Callable[[str], None]):
        """Writes the head of the file."""
        self._file = file
        self._time_base = clip.time_base
        self._on_note = on_note
        self._held: VideoFrame | None = None
        self._start: int | None = None
        self._written = 0
        self._delay = 0
        file.write(b"GIF89a" + struct.pack("<HHBBB", clip.width, clip.height, 0x70, 0, 0))
        if clip.loops is not None:
            file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", clip.loops) + b"\0")

    def write(self, packets: tuple[Any, ...], frame: VideoFrame | None) -> None:
        """Adds a frame, uint8 or uint16 [height, width, 3] of the clip's size; None for none."""
        del packets  # A GIF has pictures only.
        if frame is None:
            return
        self._start = frame.time if self._start is None else self._start
        if self._held is not None:
            # Only where the next frame shows through must this one be cleared away.
            self._write_held(frame.time, _KEEP if frame.alpha is None else _CLEAR)
        self._held = frame

    def finish(self) -> None:
        """Writes the last frame and the end of the file."""
        if self._held is not None:
            self._write_held(self._held.time + self._held.duration, _KEEP)
        self._file.write(b";")

    def _write_held(self, end: int, disposal: int) -> None:
        """Writes the frame that was held back until its end was known."""
        # Ends are rounded, not durations, so that errors do not add up.
        end_cs = round((end - self._start) * self._time_base * _CENTISECONDS_A_SECOND)
        is_unknown = self._held.duration == 0 and end == self._held.time
        delay = self._delay if is_unknown and self._written else end_cs - self._written
        if 0 < delay < 2:
            self._on_note("frames of less than 0.02 s are shown for 0.1 s by browsers")
        self._file.write(_encoded(self._held, min(delay, 0xFFFF), disposal))
        self._written += delay
        self._delay = delay


@contextlib.contextmanager
def open_gif_writer(path: Path, clip: VideoClip, *, on_note: Callable[[str], None]) -> Iterator[GifWriter]:
    """Begins a GIF.

    Args:
        path: Where to.
        clip: What is to be written.
        on_note: Called with each thing that cannot be kept, one clause.

    Yields:
        A `GifWriter`. Its file is whole after `finish`.

    Raises:
        ValueError: If frames are too large for a GIF.
    """
    if max(clip.width, clip.height) > 0xFFFF:
        raise ValueError(f"a GIF is at most 65535 px wide and high, and this would be {clip.width} x {clip.height}")
    for lost, what in (
        (clip.tracks, "its sound, subtitles and attachments are"),
        (clip.bits > 8, f"its {clip.bits} bits a channel are"),
        (clip.metadata.keys() - {"encoder", "major_brand", "minor_version", "compatible_brands"}, "its tags are"),
        (clip.aspect != 1, "the shape of its pixels is"),
        (clip.codec != "gif", "more than 256 colours a frame are"),
    ):
        if lost:
            on_note(f"{what} not kept in a GIF")
    with open(path, "wb") as file:
        yield GifWriter(file, clip, on_note=on_note)


def _encoded(frame: VideoFrame, delay_cs: int, disposal: int) -> bytes:
    """A frame's control block and image, with the palette of a file that Pillow wrote of it alone."""
    pixels = frame.pixels if frame.pixels.dtype == np.uint8 else (frame.pixels / 257.0 + 0.5).astype(np.uint8)
    image = Image.fromarray(pixels)
    colours = 256 if frame.alpha is None else _TRANSPARENT
    # Median cut takes ten times as long and leaves specks in dark and in strong colours.
    indexed = image.quantize(colours, method=Image.Quantize.FASTOCTREE)
    if image.getcolors(colours) is None:
        indexed = image.quantize(palette=indexed, dither=Image.Dither.FLOYDSTEINBERG)
    if frame.alpha is not None:
        indices = np.where(frame.alpha, np.asarray(indexed), np.uint8(_TRANSPARENT))
        palette = (indexed.getpalette() + [0] * 768)[:768]
        indexed = Image.fromarray(indices)
        indexed.putpalette(palette)
    buffer = io.BytesIO()
    indexed.save(buffer, format="GIF", optimize=False, interlace=0)
    table, image_data = _parts(buffer.getvalue())
    flags = disposal << 2 | (frame.alpha is not None)
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", flags, delay_cs, _TRANSPARENT, 0)
    size_code = (len(table) // 3).bit_length() - 2
    return control + image_data[:9] + bytes([0x80 | size_code]) + table + image_data[10:]


def _parts(gif: bytes) -> tuple[bytes, bytes]:
    """The colour table of a GIF of one frame, and its image from the descriptor to the last block."""
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    table = gif[13:at]
    while gif[at] == 0x21:  # Extensions: two bytes, then blocks that begin with their length, up to an empty one.
        at += 2
        while gif[at]:
            at += 1 + gif[at]
        at += 1
    return table, gif[at:-1]
