"""EXIF orientation of encoded images, found without decoding them."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from PIL import Image

UPRIGHT = 1
FIRST_SIDEWAYS = 5
"""From this value on, height and width are exchanged."""

_ORIENTATION_TAG = 0x0112
_FIRST_CHUNK, _CHECKSUM_BYTES = 8, 4
_MAX_CHUNKS = 2**16


def exif_orientation(image: Image.Image) -> int:
    """EXIF orientation of an opened image, by what has been read of it; nothing is decoded.

    Returns:
        1 to 8; 1 where the tag is missing or damaged.
    """
    try:
        # The base method, since the one of PNG decodes all pixels to look for a tag behind them.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, UPRIGHT)
    except Exception:  # A damaged EXIF block is no reason to refuse the pixels.
        return UPRIGHT
    return orientation if orientation in range(1, 9) else UPRIGHT


def png_exif(file: BinaryIO) -> bytes | None:
    """The EXIF block of an open PNG file, before its pixels or behind them; None without one.

    Pillow would decode all pixels to find it behind them; here they are skipped, not read.
    """
    file.seek(_FIRST_CHUNK)
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None
        length, name = struct.unpack(">I4s", head)
        if name in (b"eXIf", b"IEND"):
            return file.read(length) or None
        file.seek(length + _CHECKSUM_BYTES, io.SEEK_CUR)
    return None
