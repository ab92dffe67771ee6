"""Opening of image files: one list of readable formats, matched by a file's content.

Some of Pillow's other formats run programs (EPS calls Ghostscript), and few are hardened against hostile files.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from tfgan_app.image_io.heif import heif_formats

_KNOWN = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "JPEG2000", "PPM")
_BY_SUFFIX = {"TGA": (".tga",)}
"""TGA files have no signature: almost any bytes can pass for one."""

_PLUGINS = ("Png", "Jpeg", "WebP", "Tiff", "Gif", "Bmp", "Avif", "Jpeg2K", "Ppm", "Tga")
# `Image.init()` would load sixty plugins, a large part of the time in which a prediction starts.
for _plugin in _PLUGINS:
    with contextlib.suppress(ImportError):  # Older versions of Pillow have no AVIF.
        importlib.import_module(f"PIL.{_plugin}ImagePlugin")
FORMATS = tuple(name for name in _KNOWN if name in Image.OPEN)
"""Pillow's names of the readable formats; JPEG includes MPO, PPM all of Netpbm. TGA is added by its suffix."""

_NAMES = "PNG, JPEG, WebP, TIFF, GIF, BMP, AVIF, JPEG 2000, Netpbm or TGA"
_HEAD_BYTES = 64
# Without an identifier and a color map, RGB or gray, as most TGA files are.
_TGA_HEADS = tuple(bytes((0, 0, kind, 0, 0, 0, 0, 0)) for kind in (2, 3, 10, 11))


def open_image(source: str | os.PathLike | BinaryIO, *, formats: Sequence[str] = FORMATS) -> Image.Image:
    """Opens an image as Pillow does, without decoding its pixels, if its format is on the list.

    No external program is ever started.

    Args:
        source: A path, or a seekable binary file.
        formats: Pillow's names of the wanted formats, out of `FORMATS`.

    Returns:
        The opened image, which the caller closes.

    Raises:
        ValueError: If the content has none of the wanted formats; the message names its format if known.
        OSError: If the file cannot be read.
    """
    wanted = list(formats)
    if formats is FORMATS:
        wanted += heif_formats(_head(source))
        suffix = Path(source).suffix.lower() if isinstance(source, (str, os.PathLike)) else ""
        wanted += [name for name, suffixes in _BY_SUFFIX.items() if suffix in suffixes]
    try:
        return Image.open(source, formats=wanted)
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"its image format is not supported{_hint(source)}") from error


def _hint(source: str | os.PathLike | BinaryIO) -> str:
    """Guess at the content, for a Pillow format that is not read."""
    head = _head(source)
    if head.startswith(_TGA_HEADS):  # Icons with the same beginning have a number above zero there.
        return ": if it is TGA, give it the suffix .tga"
    Image.init()
    for name, (_, accepts) in Image.OPEN.items():
        with contextlib.suppress(Exception):  # Some plugins read bytes that a short file lacks.
            if name not in FORMATS and accepts is not None and accepts(head) is True:
                return f": it looks like {name}; save it as {_NAMES}"
    return ""


def _head(source: str | os.PathLike | BinaryIO) -> bytes:
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            return file.read(_HEAD_BYTES)
    source.seek(0)
    head = source.read(_HEAD_BYTES)
    source.seek(0)
    return head
