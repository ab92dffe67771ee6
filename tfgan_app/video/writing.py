"""Frame-by-frame writing of videos through PyAV, with the sound, subtitles and tags of the source."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.video.clip import VideoClip, VideoFrame, load_av
from tfgan_app.video.color import from_rgb
from tfgan_app.video.tracks import copy_tracks, kept_track_tags


@dataclass(frozen=True)
class VideoEncoder:
    """Encoder settings for a codec.

    Attributes:
        name: FFmpeg's encoder.
        crf: Default quality, lower is better; hard to tell from the original.
        even: Whether it requires even sizes with chroma at half the resolution.
        options: Further options of the encoder.
    """

    name: str
    crf: int
    even: bool
    options: dict[str, str] = field(default_factory=dict)


VIDEO_ENCODERS: dict[str, VideoEncoder] = {
    "h264": VideoEncoder("libx264", 17, True),
    "hevc": VideoEncoder("libx265", 20, True, {"x265-params": "log-level=error"}),
    "vp9": VideoEncoder("libvpx-vp9", 24, False, {"row-mt": "1", "cpu-used": "2"}),
    "av1": VideoEncoder("libsvtav1", 24, True, {"preset": "6"}),
}
"""Values of `codec`."""


@dataclass(frozen=True)
class _Container:
    format: str
    codecs: tuple[str, ...]


_CONTAINERS = {
    ".mp4": _Container("mp4", ("h264", "hevc", "av1", "vp9")),
    ".m4v": _Container("mp4", ("h264", "hevc")),
    ".mov": _Container("mov", ("h264", "hevc")),
    ".mkv": _Container("matroska", ("h264", "hevc", "av1", "vp9")),
    ".webm": _Container("webm", ("vp9", "av1")),
}
_FEW_FRAMES = 8
_FOREIGN_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})


class VideoWriter:
    """Video file being written."""

    def __init__(self, container: Any, clip: VideoClip, *, codec: str, crf: int | None, on_note: Callable[[str], None]):
        """Opens the encoder, so that unsupported settings fail before anything is computed."""
        self._av = load_av()
        self._container = container
        self._clip = clip
        self._color = clip.color.as_yuv()
        encoder = VIDEO_ENCODERS[codec]
        self._pixel_format = _pixel_format(self._av, encoder, clip, on_note)
        self._durations: dict[int, int] = {}
        self._held: Any = None
        self._first_dts = self._end = 0
        self._is_mp4 = container.format.name in ("mp4", "mov")
        is_even = encoder.even and "444" not in self._pixel_format
        self._padding = (clip.height % 2, clip.width % 2) if is_even else (0, 0)
        if any(self._padding):
            on_note(f"its last row or column is repeated, since {codec} with subsampled color requires even sizes")
        self._stream = self._add_stream(encoder, codec, crf)
        self._tracks = copy_tracks(container, clip.tracks, on_note=on_note)
        container.metadata.update({k: v for k, v in clip.metadata.items() if k.lower() not in _FOREIGN_TAGS})
        if clip.chapters:
            container.set_chapters(list(clip.chapters))

    def write(self, packets: tuple[Any, ...], frame: VideoFrame | None) -> None:
        """Adds the next packets and frame.

        Args:
            packets: Packets of other tracks, to be copied.
            frame: uint8 or uint16 [height, width, 3] of the clip's size; None adds nothing.
        """
        with self._one_line():
            for packet in packets:
                self._container.mux(self._tracks.convert(packet))
            if frame is not None:
                self._encode(frame)

    def finish(self) -> None:
        """Writes the remaining packets of the encoders, and the end of the file."""
        with self._one_line():
            self._mux(self._stream.encode(None))
            if self._is_mp4 and self._held is not None:
                # MP4 adds up decoding times, so the packet that is decoded last must extend to the end.
                self._held.duration = max(1, self._end - self._held.dts + min(0, self._first_dts))
            self._mux_held()
            self._container.mux(self._tracks.flush())
            self._container.close()

    def _encode(self, frame: VideoFrame) -> None:
        below, right = self._padding
        pixels = np.pad(frame.pixels, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else frame.pixels
        encoded = from_rgb(self._av, pixels, self._color, pixel_format=self._pixel_format)
        encoded.pts, encoded.time_base = frame.time, self._clip.time_base
        self._durations[frame.time] = frame.duration
        self._end = frame.time + frame.duration
        self._mux(self._stream.encode(encoded))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)  # Encoders omit it.
            self._first_dts = packet.dts if self._held is None else self._first_dts
            self._mux_held()
            self._held = packet

    def _mux_held(self) -> None:
        if self._held is not None:
            self._container.mux(self._held)

    def _add_stream(self, encoder: VideoEncoder, codec: str, crf: int | None) -> Any:
        clip = self._clip
        stream = self._container.add_stream(encoder.name, rate=clip.frame_rate)
        context = stream.codec_context
        context.height, context.width = clip.height + self._padding[0], clip.width + self._padding[1]
        context.pix_fmt, context.time_base = self._pixel_format, clip.time_base
        context.sample_aspect_ratio = clip.aspect
        context.colorspace, context.color_range = self._color.matrix, 2 if self._color.full_range else 1
        context.color_primaries, context.color_trc = self._color.primaries, self._color.transfer
        context.thread_type = "AUTO"  # PyAV's default is slices, which cost quality.
        if (clip.frames or 0) < _FEW_FRAMES:
            context.max_b_frames = 0  # With them, x265 gives clips of one or two frames random decoding times.
        context.options = {"crf": str(encoder.crf if crf is None else crf), **encoder.options}
        if codec == "hevc" and self._is_mp4:
            context.codec_tag = "hvc1"  # Apple's players support no other.
        try:
            context.open()
        except self._av.error.FFmpegError as error:
            size = f"{clip.width} x {clip.height} px"
            raise ValueError(f"{encoder.name} does not support {size} in {self._pixel_format}: {error}") from error
        stream.metadata.update(kept_track_tags(clip.track_metadata))
        return stream

    @contextlib.contextmanager
    def _one_line(self) -> Iterator[None]:
        """Turns FFmpeg's errors into system errors, such as a full disk, or a ValueError."""
        try:
            yield
        except self._av.error.FFmpegError as error:
            if error.errno in errno.errorcode:
                raise OSError(error.errno, error.strerror, self._container.name) from error
            raise ValueError(f"the encoder fails ({error.strerror or error})") from error


@contextlib.contextmanager
def open_video_writer(
    path: str | os.PathLike,
    clip: VideoClip,
    *,
    suffix: str,
    codec: str | None,
    crf: int | None,
    on_note: Callable[[str], None],
) -> Iterator[VideoWriter]:
    """Begins a video file.

    Args:
        path: Destination; unchanged if the block fails.
        clip: The clip to write.
        suffix: Determines the container; one of `video_suffixes()`.
        codec: One of `VIDEO_ENCODERS`; None for the clip's if the container supports it, else the container's default.
        crf: Quality, lower is better; None for the encoder's default.
        on_note: Called with one clause for each thing that cannot be kept.

    Yields:
        A `VideoWriter`. Its file is whole after `finish`.

    Raises:
        ValueError: If the container cannot hold the codec, or the encoder rejects the clip.
    """
    av = load_av()
    container = _CONTAINERS[suffix]
    codec = _choose_codec(av, container, suffix, clip.codec if codec is None else codec, is_asked=codec is not None)
    options = {"movflags": "+faststart" + ("+use_metadata_tags" if _needs_free_tags(clip) else "")}
    options = options if container.format in ("mp4", "mov") else {}
    os.environ.setdefault("SVT_LOG", "1")  # Errors only; the encoder writes to stderr by itself.
    output = av.open(os.path.abspath(path), "w", format=container.format, container_options=options)
    try:
        yield VideoWriter(output, clip, codec=codec, crf=crf, on_note=on_note)
    finally:
        with contextlib.suppress(Exception):  # Closing after a failure fails again, with a worse message.
            output.close()


def video_suffixes() -> tuple[str, ...]:
    """Lower-case suffixes of the files that can be written through PyAV."""
    return tuple(_CONTAINERS)


def check_codec(path: str | os.PathLike, codec: str | None) -> None:
    """Raises ValueError if a file's suffix or its codec cannot be written."""
    suffix = Path(path).suffix.lower()
    if codec is not None and suffix in _CONTAINERS and codec not in _CONTAINERS[suffix].codecs:
        raise ValueError(
            f"`codec` for {suffix} must be one of {', '.join(_CONTAINERS[suffix].codecs)}. Received: {codec}"
        )


def _choose_codec(av: Any, container: _Container, suffix: str, codec: str, *, is_asked: bool) -> str:
    if codec not in container.codecs and not is_asked:
        codec = container.codecs[0]
    name = VIDEO_ENCODERS[codec].name
    if name not in av.codecs_available:
        raise ValueError(f"This PyAV lacks the encoder {name}: install PyAV's own wheel, or choose another codec")
    return codec


def _pixel_format(av: Any, encoder: VideoEncoder, clip: VideoClip, on_note: Callable[[str], None]) -> str:
    """Supported format nearest to the clip's; notes losses."""
    known = {it.name for it in av.Codec(encoder.name, "w").video_formats}
    # Color at full resolution is more than RGB clips gain: few players support it.
    wanted = "420" if clip.color.is_rgb else clip.chroma
    finer = dict.fromkeys([wanted, "444", "422", "420"])
    depths = sorted((8, 10, 12), key=lambda bits: (bits < clip.bits, abs(bits - clip.bits)))
    names = {f"yuv{chroma}p{'' if bits == 8 else f'{bits}le'}": (chroma, bits) for chroma in finer for bits in depths}
    chosen = next(name for name in names if name in known)
    chroma, bits = names[chosen]
    if bits < clip.bits:
        on_note(f"its {clip.bits} bits per channel become {bits}, the most that {encoder.name} supports here")
    if chroma < clip.chroma:
        on_note("its color is stored at half the resolution (4:2:0), which all players support")
    return chosen


def _needs_free_tags(clip: VideoClip) -> bool:
    """Returns whether there are tags outside MP4's fixed set, such as those of phones."""
    return any(name.startswith("com.") for name in clip.metadata)
