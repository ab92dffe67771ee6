"""EXIF orientation of encoded images, found without decoding them."""

from __future__ import annotations

import mmap

from PIL import Image

UPRIGHT = 1
FIRST_SIDEWAYS = 5
"""From this value on, height and width are exchanged."""

_ORIENTATION_TAG = 0x0112


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


def png_exif(block: bytes | mmap.mmap) -> bytes | None:
    """The EXIF block of a PNG file, before its pixels or behind them, from the byte order mark on; None without one.

    Args:
        block: The whole file. It is searched for the chunk's name and the beginning of what it holds, 8 bytes that
            pixels do not imitate by chance.
    """
    place = -1
    while (place := block.find(b"eXIf", place + 1)) >= 4:
        if block[place + 4 : place + 8] in (b"II*\0", b"MM\0*"):
            return block[place + 4 : place + 4 + int.from_bytes(block[place - 4 : place], "big")]
    return None
