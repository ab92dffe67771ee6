"""Frame-by-frame reading of videos through PyAV: upright RGB, with timing and all other tracks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from tfgan_app.video.clip import VideoClip, VideoFrame, VideoStep, load_av
from tfgan_app.video.color import VideoColor, color_of, to_rgb

# No playlists and no formats composed of other files: a video is one file, for any suffix.
_DEMUXERS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf"

_ATTACHED_IMAGE = 0x400
_IDENTITY = ((1, 0), (0, 1))


class VideoReader:
    """An open video file.

    Attributes:
        clip: Description of the video.
    """

    def __init__(self, container: Any, stream: Any, *, max_pixels: int):
        """Decodes the first frame of `stream`, since only frames have orientation and color properties."""
        self._stream = stream
        self._container = container
        self._end = Fraction(0)
        if stream.codec_context is None:
            raise ValueError("its codec is not supported by this FFmpeg")
        _check_size(stream.codec_context.width, stream.codec_context.height, max_pixels)
        stream.thread_type = "AUTO"
        # Frames may be larger than the header states.
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        self._tracks = tuple(it for it in container.streams if it.type in ("audio", "subtitle", "attachment"))
        self._decoded = self._decode()
        self._first = next(self._decoded)
        frame = self._first[1]
        if frame is None:
            raise ValueError("no frame of it can be decoded")
        self._size = frame.width, frame.height
        self._orientation = _orientation(frame)
        self._color = color_of(frame)
        self._bits = max(component.bits for component in frame.format.components)
        self.clip = self._clip(frame)

    def steps(self) -> Iterator[VideoStep]:
        """Yields each frame in order with the packets before it; once.

        Raises:
            ValueError: If the file is damaged or ends too early. Then the frames before are invalid too.
        """
        packets, frame = self._first
        with _one_line():
            time = frame.pts or 0
            while frame is not None:
                next_packets, next_frame = next(self._decoded)
                # Encoders reject two frames with one time. A file's own durations are wrong for variable rates.
                end = self._end_time(frame, time) if next_frame is None else max(next_frame.pts or 0, time + 1)
                yield VideoStep(tuple(packets), VideoFrame(self._upright(frame), time, end - time))
                packets, frame, time = next_packets, next_frame, end
            self._check_end()
        yield VideoStep(tuple(packets), None)

    def _decode(self) -> Iterator[tuple[list[Any], Any]]:
        """Yields (packets of other tracks, the frame after them); the last frame is None."""
        packets: list[Any] = []
        for packet in self._container.demux(self._stream, *(it for it in self._tracks if it.type != "attachment")):
            self._note_end(packet)
            if packet.stream.index != self._stream.index:
                if packet.size:
                    packets.append(packet)
                continue
            for frame in packet.decode():
                if packet.is_corrupt or frame.is_corrupt:
                    raise ValueError(f"it is damaged at {float(frame.time or 0):.3f} s")
                yield packets, frame
                packets = []
        yield packets, None

    def _note_end(self, packet: Any) -> None:
        if packet.is_corrupt:
            raise ValueError(f"it is damaged or truncated at {float((packet.pts or 0) * packet.time_base):.3f} s")
        if packet.pts is not None:
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * packet.time_base)

    def _check_end(self) -> None:
        """Raises ValueError if the file stops before the end that it announces."""
        duration = Fraction(self._container.duration or 0, 1_000_000)
        announced = duration + Fraction(max(0, self._container.start_time or 0), 1_000_000)
        tolerance = max(Fraction(1, 2), 2 / self.clip.frame_rate)
        if any(it.type == "data" for it in self._container.streams):
            tolerance = max(tolerance, duration / 20)  # Other tracks are not read, and may be a little longer.
        if announced - self._end > tolerance:
            raise ValueError(f"it is truncated: it ends at {float(self._end):.2f} s of {float(announced):.2f} s")

    def _end_time(self, frame: Any, time: int) -> int:
        """End time of the last frame."""
        announced = (self._stream.start_time or 0) + (self._stream.duration or 0)
        return max(announced, time + (frame.duration or round(1 / (self.clip.frame_rate * self.clip.time_base))))

    def _upright(self, frame: Any) -> np.ndarray:
        if (frame.width, frame.height) != self._size:
            sizes = f"from {self._size[0]} x {self._size[1]} to {frame.width} x {frame.height}"
            raise ValueError(f"its frame size changes {sizes} px: split the video there")
        return _turned(to_rgb(frame, self._color, deep=self._bits > 8), self._orientation)

    def _clip(self, frame: Any) -> VideoClip:
        stream, container = self._stream, self._container
        sideways = self._orientation[0][0] == 0
        width, height = self._size[::-1] if sideways else self._size
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
        return VideoClip(
            height=height,
            width=width,
            codec=stream.codec_context.codec.canonical_name,
            time_base=stream.time_base,
            frame_rate=_frame_rate(stream),
            frames=stream.frames or _estimated_frames(stream, container),
            chroma=_chroma(frame.format),
            bits=self._bits,
            color=self._color,
            aspect=1 / aspect if sideways else aspect,
            metadata=dict(container.metadata),
            track_metadata=dict(stream.metadata),
            chapters=tuple(container.chapters()),
            tracks=self._tracks,
            notes=tuple(_losses(frame, stream, container, self._color)),
        )


@contextlib.contextmanager
def open_video(path: str | os.PathLike, *, max_pixels: int) -> Iterator[VideoReader]:
    """Opens a video file of any kind that FFmpeg reads by itself.

    Args:
        path: The file; its content determines the format, not its suffix.
        max_pixels: Frames with more pixels are rejected before decoding.

    Yields:
        A `VideoReader`.

    Raises:
        ValueError: If the file is missing, too large, damaged or not a video; also raised inside the block.
    """
    av = load_av()
    options = {"format_whitelist": _DEMUXERS}
    with _one_line():
        container = av.open(os.path.abspath(path), metadata_errors="replace", container_options=options)
    with container:
        streams = [it for it in container.streams.video if not it.disposition.value & _ATTACHED_IMAGE]
        if not streams:
            raise ValueError("it has no video track")
        with _one_line():
            reader = VideoReader(container, streams[0], max_pixels=max_pixels)
        yield reader


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Turns FFmpeg's errors into a ValueError without its numbers and paths."""
    failures = load_av().error.FFmpegError
    try:
        yield
    except failures as error:
        raise ValueError(f"it is damaged or not a video ({error.strerror or error})") from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if not 1 <= width * height <= max_pixels:
        accepted = f"1 to {max_pixels} pixels a frame: scale it down or crop it"
        raise ValueError(f"it is {width} x {height} pixels; accepted are {accepted}")


def _frame_rate(stream: Any) -> Fraction:
    """Frames per second; headers may claim thousands, but not in both places."""
    return min((it for it in (stream.average_rate, stream.guessed_rate) if it), default=Fraction(25))


def _estimated_frames(stream: Any, container: Any) -> int | None:
    duration = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
    return round(duration * _frame_rate(stream)) or None


def _orientation(frame: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Directions of the frame's right and down on the screen, as steps (right, down)."""
    block = frame.side_data.get("DISPLAYMATRIX")
    if block is None:
        return _IDENTITY
    a, b, _, c, d = (round(int(it) / 65536) for it in np.frombuffer(bytes(block), "<i4", 5))
    return ((a, b), (c, d)) if {(abs(a), abs(b)), (abs(c), abs(d))} == {(1, 0), (0, 1)} else _IDENTITY


def _turned(pixels: np.ndarray, orientation: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    right, down = orientation
    if right[0] == 0:
        # The screen's right is the frame's up or down, so swap the axes first.
        pixels, right, down = pixels.transpose(1, 0, 2), down, right
    return np.ascontiguousarray(pixels[:: down[1], :: right[0]])


def _chroma(pixel_format: Any) -> str:
    halved = pixel_format.chroma_width(16) == 8, pixel_format.chroma_height(16) == 8
    if pixel_format.name in ("yuv410p", "yuv411p"):
        return "422"
    return {(True, True): "420", (True, False): "422"}.get(halved, "444")


def _losses(frame: Any, stream: Any, container: Any, color: VideoColor) -> Iterator[str]:
    """Properties of a file that results do not keep, one clause each."""
    if len(container.streams.video) > 1:
        yield "only the first of several video tracks is kept"
    if any(it.type == "data" for it in container.streams):
        yield "data tracks, such as time codes and positions, are not kept"
    name = frame.format.name
    if stream.metadata.get("alpha_mode") == "1" or name.startswith(
        ("yuva", "rgba", "bgra", "argb", "abgr", "gbra", "ya")
    ):
        yield "its transparency is not kept"
    if frame.interlaced_frame:
        yield "it is interlaced, and lines of two moments are processed as one image: deinterlace it first"
    if color.is_hdr:
        yield "it is HDR: its brightness is kept as coded, which models do not expect, and its mastering data is lost"
    block = frame.side_data.get("DISPLAYMATRIX")
    if block is not None and _orientation(frame) == _IDENTITY and frame.rotation % 360:
        yield f"it is rotated by {frame.rotation} degrees, which is not kept"
