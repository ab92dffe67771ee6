"""Small videos made with PyAV, and what is in one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from tfgan_app.inference.rows import ScaledRows


def moving_images(count=12, *, height=48, width=64, seed=0):
    """Smooth images that move, uint8 [height, width, 3] each, no two alike."""
    rng = np.random.default_rng(seed)
    phases, speeds = rng.uniform(0, 6, (2, 3))
    y, x = np.mgrid[:height, :width][..., None] / 12.0
    waves = (np.sin(x + phases + index * speeds / 9) * np.cos(y) for index in range(count))
    return [np.rint(127 + 90 * wave).astype(np.uint8) for wave in waves]


def write_video(
    path,
    images,
    *,
    times=None,
    time_base=Fraction(1, 12800),
    codec="libx264",
    pixel_format="yuv420p",
    color=None,
    sound=None,
    tags=None,
    **context,
):
    """Writes images, RGB or (2-D, as PyAV lays planes) of `pixel_format` itself; `sound` is (encoder, seconds)."""
    times = [512 * index for index in range(len(images))] if times is None else times
    with av.open(str(path), "w") as output:
        if tags:
            output.metadata.update(tags)
        stream = output.add_stream(codec, rate=25)
        height, width = images[0].shape[:2]
        stream.width, stream.height = width, height if images[0].ndim == 3 else height * 2 // 3
        stream.pix_fmt, stream.codec_context.time_base = pixel_format, time_base
        stream.options = {"crf": "4", "x265-params": "log-level=error"} if codec != "ffv1" else {}
        for name, value in {**(color or {}), **context}.items():
            setattr(stream.codec_context, name, value)
        audio = output.add_stream(sound[0], rate=48000) if sound else None
        for time, image in zip(times, images, strict=True):
            rgb = {np.dtype(np.uint8): "rgb24", np.dtype(np.uint16): "rgb48le"}[image.dtype]
            frame = av.VideoFrame.from_ndarray(image, format=rgb if image.ndim == 3 else pixel_format)
            frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = time, time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if audio is not None:
            _write_sine(output, audio, seconds=sound[1])
    return path


def _write_sine(output, stream, *, seconds):
    wave = np.sin(np.arange(int(48000 * seconds)) * 2 * np.pi * 440 / 48000).astype(np.float32)
    for start in range(0, len(wave), 960):
        part = (wave[None, start : start + 960].repeat(2, 0).T * 20000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def rotate(path, matrix):
    """Writes a display matrix (a, b, c, d) into the image track of an MP4, as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # Version 0: the matrix comes 40 bytes after the name.
    a, b, c, d = (int(value * 65536) for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@dataclass
class Seen:
    """What a player would find."""

    frames: list
    times: list
    duration: float
    codec: str
    pixel_format: str
    color: tuple
    aspect: Fraction
    rotation: int
    tags: dict
    packets: dict
    kinds: list


def read_video(path, *, pixel_format="rgb24"):
    """Decodes a video; `frames` are arrays of `pixel_format`, times are seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames, packets = [], {}
        for packet in container.demux():
            if packet.stream.type == "video":
                frames.extend(packet.decode())
            elif packet.size:
                packets.setdefault(packet.stream.type, []).append((float(packet.pts * packet.time_base), bytes(packet)))
        first = frames[0]
        return Seen(
            frames=[frame.to_ndarray(format=pixel_format) for frame in frames],
            times=[float(frame.time) for frame in frames],
            duration=float((stream.duration or 0) * stream.time_base) or container.duration / 1e6,
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            color=(first.colorspace, first.color_range, first.color_primaries, first.color_trc),
            aspect=stream.sample_aspect_ratio,
            rotation=first.rotation,
            tags=dict(container.metadata),
            packets=packets,
            kinds=[it.type for it in container.streams],
        )


class Enlarger(ScaledRows):
    """Repeats pixels; a predictor whose results are known."""

    def __init__(self, scale=1):
        self.scale = scale
        self.seen = []
        self.first = None

    def rows(self, pixels, *, tile_px=None):
        self.seen.append((pixels.shape, pixels.dtype, tile_px))
        self.first = pixels if self.first is None else self.first
        values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
        values = values.repeat(self.scale, axis=0).repeat(self.scale, axis=1)
        for start in range(0, len(values), 7):
            yield values[start : start + 7]
