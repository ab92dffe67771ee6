"""Sound, subtitles and attachments, copied or re-encoded from one video file into another."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tfgan_app.video.clip import load_av

_AUDIO_ENCODERS = {"webm": "libopus", "matroska": "libopus"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_BITS_A_CHANNEL = 96_000
# Beginnings of tags, whose names may end with any language.
_FOREIGN_TAGS = (
    *("encoder", "duration", "rotate", "vendor_id", "alpha_mode"),
    *("bps", "number_of_frames", "number_of_bytes", "_statistics"),
)


class VideoTracks:
    """Tracks of a result other than video."""

    def __init__(self, copies: dict[int, Any], encodings: dict[int, _Encoding]):
        """Takes output streams and encodings by the index of the input stream."""
        self._copies = copies
        self._encodings = encodings

    def convert(self, packet: Any) -> list[Any]:
        """Converts a packet of the input to packets to be muxed: itself, re-encoded ones, or none."""
        index = packet.stream.index
        if index in self._encodings:
            return self._encodings[index].convert(packet)
        if index not in self._copies or packet.dts is None:
            return []
        packet.stream = self._copies[index]
        return [packet]

    def flush(self) -> list[Any]:
        """Returns the remaining packets of the encoders."""
        return [packet for encoding in self._encodings.values() for packet in encoding.flush()]


class _Encoding:
    """A sound track that is decoded and re-encoded."""

    def __init__(self, source: Any, target: Any):
        self._source = source
        self._target = target
        context = target.codec_context
        self._resampler = load_av().AudioResampler(
            format=context.format,
            layout=context.layout,
            rate=context.sample_rate,
            frame_size=context.frame_size or None,
        )

    def convert(self, packet: Any) -> list[Any]:
        return self._encode(packet.decode())

    def flush(self) -> list[Any]:
        packets = self._encode([*self._source.codec_context.decode(None), None])
        return [*packets, *self._target.encode(None)]

    def _encode(self, frames: Iterable[Any]) -> list[Any]:
        resampled = [it for frame in frames for it in self._resampler.resample(frame)]
        return [packet for frame in resampled for packet in self._target.encode(frame)]


def copy_tracks(container: Any, tracks: Iterable[Any], *, on_note: Callable[[str], None]) -> VideoTracks:
    """Adds the tracks to a file that is being written.

    Packets are copied unchanged if the container supports their codec. Other sound is re-encoded.

    Args:
        container: PyAV's output container, not begun.
        tracks: PyAV's input streams.
        on_note: Called with one clause for each thing that cannot be kept.

    Returns:
        Converter of the input's packets to the output's.
    """
    copies: dict[int, Any] = {}
    encodings: dict[int, _Encoding] = {}
    for track in tracks:
        added = _add_copied(container, track)
        if added is not None:
            copies[track.index] = added
        elif track.type == "audio" and track.codec_context is not None:
            added = _add_encoded(container, track)
            encodings[track.index] = _Encoding(track, added)
            on_note(f"its {_kind(track)} is re-encoded as {added.codec_context.codec.canonical_name}")
        else:
            on_note(f"its {_kind(track)} cannot be kept in this kind of file")
            continue
        added.metadata.update(kept_track_tags(track.metadata))
        added.disposition = track.disposition.value
    return VideoTracks(copies, encodings)


def kept_track_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags of a track without those that a muxer or an encoder writes, or that are wrong for a result."""
    return {name: text for name, text in tags.items() if not name.lower().startswith(_FOREIGN_TAGS)}


def _add_copied(container: Any, track: Any) -> Any | None:
    """Adds a track that takes packets unchanged; None if the container cannot hold them."""
    av = load_av()
    if track.type == "attachment" and container.format.name != "matroska":
        return None
    try:
        # Only writing its header shows whether a container supports a codec, so one is first written to nowhere.
        with av.open(io.BytesIO(), "w", format=container.format.name) as trial:
            trial.add_stream_from_template(track)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return None
    return container.add_stream_from_template(track)


def _add_encoded(container: Any, track: Any) -> Any:
    encoder = _AUDIO_ENCODERS.get(container.format.name, "aac")
    source = track.codec_context
    rates = load_av().Codec(encoder, "w").audio_rates or [source.sample_rate]
    added = container.add_stream(encoder, rate=source.sample_rate if source.sample_rate in rates else 48000)
    context = added.codec_context
    # Encoders support few of the many channel layouts.
    context.layout = _LAYOUTS.get(source.channels, "stereo")
    context.bit_rate = _BITS_A_CHANNEL * context.channels
    context.open()
    return added


def _kind(track: Any) -> str:
    codec = track.codec_context.codec.canonical_name if track.codec_context is not None else "unknown codec"
    return {"audio": "sound", "subtitle": "track of subtitles"}.get(track.type, "attachment") + f" ({codec})"
