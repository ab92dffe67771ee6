"""Animations (GIF, WebP, APNG): frame-by-frame reading, and the common base of their writers."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import struct
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from tfgan_app.files import check_regular
from tfgan_app.image_io import ImageFormat, ImageMetadata, apply_orientation, fitting_metadata, open_still
from tfgan_app.image_io.png_chunks import PNG_SIGNATURE, is_animated_png
from tfgan_app.video.clip import VideoClip, VideoFrame, VideoStep

ANIMATION_SUFFIXES = frozenset({".gif", ".webp", ".png", ".apng"})
"""Lower-case suffixes of animation files."""

_CODECS = {"GIF": "gif", "WEBP": "webp", "PNG": "apng"}
ANIMATION_CODECS = frozenset(_CODECS.values())
_MILLISECONDS = Fraction(1, 1000)
_LEAST_SHOWN_MS = 20
_SHOWN_INSTEAD_MS = 100
_ANIMATED_FLAG = 0x02
_DAMAGES = (EOFError, OSError, SyntaxError, ValueError, IndexError, struct.error)
_PRIVATE_TAGS = {"encoder", "major_brand", "minor_version", "compatible_brands"}


def holds_animation(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes has a format that supports animations."""
    return head.startswith((PNG_SIGNATURE, b"GIF8")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def is_animation(path: str | os.PathLike) -> bool:
    """Returns whether a file is a GIF, WebP or PNG of more than one frame; False if it cannot be read."""
    try:
        check_regular(path)
        with open(path, "rb") as file:
            head = file.read(32)
            if head[:4] == b"RIFF":
                return head[12:16] == b"VP8X" and bool(head[20] & _ANIMATED_FLAG) and _frames_of(path) > 1
            if head.startswith(PNG_SIGNATURE):
                return is_animated_png(file)
        return head.startswith(b"GIF8") and _frames_of(path) > 1
    except Exception:  # Decoders fail on hostile bytes with almost any exception type.
        return False


def animation_suffix(path: str | os.PathLike) -> str:
    """Usual suffix of a GIF, WebP or PNG, by its content."""
    with open(path, "rb") as file:
        head = file.read(4)
    return {b"GIF8": ".gif", b"RIFF": ".webp"}.get(head, ".png")


def _frames_of(path: str | os.PathLike) -> int:
    with Image.open(path, formats=("GIF", "WEBP")) as image:
        return 1 + bool(getattr(image, "is_animated", False))


class AnimationReader:
    """An open animation.

    Attributes:
        clip: Description of the animation.
    """

    def __init__(self, image: Image.Image, metadata: ImageMetadata, orientation: int, notes: tuple[str, ...]):
        """Takes an opened image of checked size, its metadata, orientation and notes."""
        self._image, self._orientation = image, orientation
        frames = getattr(image, "n_frames", 1)
        # The default image of an APNG need not be its first frame.
        self._first = int(bool(image.info.get("default_image")))
        image.seek(self._first)
        image.load()
        sideways = orientation >= 5
        width, height = image.size[::-1] if sideways else image.size
        if self._first:
            notes += ("its image for viewers without animation was left out",)
        self.clip = VideoClip(
            height=height,
            width=width,
            codec=_CODECS[image.format],
            time_base=_MILLISECONDS,
            frame_rate=Fraction(1000, _shown_ms(image.info.get("duration", 0))),
            frames=frames - self._first,
            plays=_plays(image),
            has_alpha=image.format == "GIF" or image.has_transparency_data,
            is_lossless=image.format != "WEBP" or _is_lossless_webp(image),
            image_metadata=metadata,
            notes=notes,
        )

    def steps(self) -> Iterator[VideoStep]:
        """Yields each frame as displayed, that is composed with earlier ones; once.

        Raises:
            ValueError: If the file is damaged or truncated.
        """
        end = 0.0
        for index in range(self.clip.frames):
            try:
                self._image.seek(self._first + index)
                rgba = apply_orientation(_rgba(self._image), self._orientation)
            except _DAMAGES as error:
                raise ValueError(f"it is damaged or truncated at frame {index + 1} of {self.clip.frames}") from error
            time = round(end)
            end += float(self._image.info.get("duration", 0))
            alpha = None if rgba[..., 3].min() == 255 else np.ascontiguousarray(rgba[..., 3])
            yield VideoStep((), VideoFrame(np.ascontiguousarray(rgba[..., :3]), time, round(end) - time, alpha))
        yield VideoStep((), None)


@contextlib.contextmanager
def open_animation(path: str | os.PathLike, *, max_pixels: int) -> Iterator[AnimationReader]:
    """Opens a GIF, WebP or PNG.

    Args:
        path: The file; its content determines the format, not its suffix.
        max_pixels: Frames with more pixels are rejected before decoding.

    Yields:
        An `AnimationReader`.

    Raises:
        ValueError: If it has another format, or is too large.
    """
    notes = ["16 bits per channel were reduced to 8"] if _is_deep_png(path) else []
    try:
        image, metadata_of = open_still(path, notes)
    except (*_DAMAGES, Image.DecompressionBombError) as error:
        raise ValueError("it is not a readable animation") from error
    with image:
        width, height = image.size
        if image.format not in _CODECS:
            raise ValueError("it is not a readable animation")
        if not 1 <= width * height <= max_pixels:
            accepted = f"1 to {max_pixels} pixels a frame: scale it down or crop it"
            raise ValueError(f"it is {width} x {height} pixels; accepted are {accepted}")
        try:
            metadata, orientation = metadata_of()
            reader = AnimationReader(image, metadata, orientation, tuple(notes))
        except _DAMAGES as error:
            raise ValueError("it is damaged") from error
        yield reader


def _is_lossless_webp(image: Any) -> bool:
    """Returns whether the first frame is lossless; Pillow exposes the file only if it was opened by name."""
    with open(image.filename, "rb") as file:
        head = file.read(2**20)
    lossless, lossy = head.find(b"VP8L"), head.find(b"VP8 ")
    return lossless >= 0 and (lossy < 0 or lossless < lossy)


def _is_deep_png(path: str | os.PathLike) -> bool:
    with open(path, "rb") as file:
        head = file.read(26)
    return head.startswith(PNG_SIGNATURE) and head[24:25] == b"\x10"


def _rgba(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit gray, which Pillow would clip.
        gray = (np.asarray(image).astype(np.uint32) * 255 + 32767) // 65535
        image = Image.fromarray(gray.astype(np.uint8))
    return np.asarray(image.convert("RGBA"))


def _plays(image: Image.Image) -> int:
    """Number of plays of an animation; a GIF stores the number of repetitions."""
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    return 1 if loop is None else loop and loop + 1


def with_shown_times(steps: Iterator[VideoStep]) -> Generator[VideoStep, None, None]:
    """Frames of a GIF with the durations that browsers use."""
    time = 0
    for step in steps:
        frame = step.frame
        if frame is not None:
            frame = dataclasses.replace(frame, time=time, duration=_shown_ms(frame.duration))
            time += frame.duration
        yield VideoStep((), frame)


def _shown_ms(duration: float) -> int:
    """Duration of a frame in browsers."""
    return round(duration) if duration >= _LEAST_SHOWN_MS else _SHOWN_INSTEAD_MS


class AnimationWriter:
    """Animation being written. Each frame is held back until its end is known.

    Attributes:
        units_a_second: Time units of the format per second.
    """

    units_a_second = 1000

    def __init__(self, clip: VideoClip, *, on_note: Callable[[str], None]):
        """Takes the clip to write, and a callback for one clause on each thing that cannot be kept."""
        self._clip = clip
        self._on_note = on_note
        self._held: VideoFrame | None = None
        self._start: int | None = None
        self._written = self._duration = 0

    def write(self, packets: tuple[Any, ...], frame: VideoFrame | None) -> None:
        """Adds a frame, uint8 or uint16 [height, width, 3] of the clip's size; None adds nothing."""
        del packets  # An animation has no other tracks.
        if frame is None:
            return
        self._start = frame.time if self._start is None else self._start
        if self._held is not None:
            self._write_held(frame.time, frame)
        self._held = dataclasses.replace(frame, pixels=_eight_bits(frame.pixels))

    def finish(self) -> None:
        """Writes the last frame and the end of the file."""
        if self._held is not None:
            self._write_held(self._held.time + self._held.duration, None)
        self._write_end()

    def _write_held(self, end: int, following: VideoFrame | None) -> None:
        # Ends are rounded, not durations, so that rounding errors do not add up.
        end_units = round((end - self._start) * self._clip.time_base * self.units_a_second)
        is_unknown = self._held.duration == 0 and end == self._held.time
        duration = self._duration if is_unknown and self._written else end_units - self._written
        self._write_frame(self._held, duration, following)
        self._written += duration
        self._duration = duration

    def _write_frame(self, frame: VideoFrame, duration: int, following: VideoFrame | None) -> None:
        raise NotImplementedError

    def _write_end(self) -> None:
        raise NotImplementedError


def fitting_image_metadata(
    clip: VideoClip, image_format: ImageFormat, *, on_note: Callable[[str], None]
) -> ImageMetadata:
    """Metadata of another file that an animation can keep; the rest is noted.

    Args:
        clip: The clip to write.
        image_format: Format of the animation.
        on_note: Called with one clause for each thing that is left out.
    """
    kind = {"GIF": "a GIF", "WEBP": "an animated WebP", "PNG": "an animated PNG"}.get(image_format.name)
    for lost, what in (
        (clip.tracks, "its sound, subtitles and attachments are"),
        (clip.bits > 8, f"its {clip.bits} bits per channel are"),
        (clip.metadata.keys() - _PRIVATE_TAGS, "its tags are"),
        (clip.aspect != 1, "its pixel aspect ratio is"),
    ):
        if lost and kind:
            on_note(f"{what} not kept in {kind}")
    notes: list[str] = []
    kept = fitting_metadata(clip.image_metadata, image_format, height=clip.height, width=clip.width, notes=notes)
    for note in notes:
        on_note(note)
    return kept


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (pixels / 257.0 + 0.5).astype(np.uint8)
