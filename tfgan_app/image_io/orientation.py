"""EXIF orientation of encoded images, found without decoding them."""

from __future__ import annotations

from PIL import Image

UPRIGHT = 1
FIRST_SIDEWAYS = 5
"""From this value on, height and width are swapped."""

_ORIENTATION_TAG = 0x0112


def exif_orientation(image: Image.Image) -> int:
    """EXIF orientation of an opened image, from what has been read of it; nothing is decoded.

    Returns:
        1 to 8; 1 where the tag is missing or damaged.
    """
    try:
        # The base method: PNG's own decodes all pixels to look for a tag behind them.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, UPRIGHT)
    except Exception:  # A damaged EXIF block is no reason to reject the pixels.
        return UPRIGHT
    return orientation if orientation in range(1, 9) else UPRIGHT
