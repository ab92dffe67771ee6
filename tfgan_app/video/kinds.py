"""Detection of video files by their first bytes."""

from __future__ import annotations

import os
from pathlib import Path

from tfgan_app.files import check_regular
from tfgan_app.video.animations import holds_animation, is_animation

VIDEO_INPUT_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".wmv", ".asf", ".flv"),
        *(".f4v", ".ts", ".mts", ".m2ts", ".m2t", ".mpg", ".mpeg", ".mpe", ".vob", ".ogv"),
        *(".gif", ".webp", ".apng"),
    }
)
"""Lower-case suffixes of the files that a folder is searched for; their content decides their kind."""

SHARED_SUFFIXES = frozenset({".ts", ".mts", ".qt", ".webp", ".gif", ".apng"})
"""Suffixes among them that other files share, such as TypeScript, text and images: not broken videos."""

_HEAD_BYTES = 1024
_SIGNATURES = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    b"\x00\x00\x01\xba",  # MPEG program stream: MPG, VOB
)
_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_IMAGE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Packets of transport streams begin with this byte; those of cameras and discs (M2TS) have a time before it.
_SYNC_BYTE, _PACKETS = 0x47, ((0, 188), (4, 192), (0, 204))


def is_video(path: str | os.PathLike) -> bool:
    """Returns whether a file is handled as a video, by its content.

    An animation (GIF, WebP, PNG of more than one frame) is handled as a video. So is a file with a video suffix and
    unknown content, such as a damaged one.
    """
    try:
        check_regular(path)
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except ValueError:  # Opening a pipe would block; the image reader reports it.
        return False
    except OSError:
        head = b""
    if holds_animation(head):
        return is_animation(path)
    if holds_video(head):
        return True
    suffix = Path(path).suffix.lower()
    return suffix in VIDEO_INPUT_SUFFIXES - SHARED_SUFFIXES and not _holds_image(head)


def holds_video(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is a supported video container."""
    if head[4:8] in _ATOMS:
        return head[4:8] != b"ftyp" or head[8:12] not in _IMAGE_BRANDS
    is_stream = any(
        len(head) > start + 3 * size and all(head[start + index * size] == _SYNC_BYTE for index in range(4))
        for start, size in _PACKETS
    )
    return is_stream or head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _holds_image(head: bytes) -> bool:
    return head.startswith((b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")) or head[8:12] in _IMAGE_BRANDS
