"""HEIC and HEIF files, which Pillow reads with the package pillow-heif (the extra `heif`)."""

from __future__ import annotations

import functools
import importlib.util

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
"""Lower-case suffixes."""

INSTALL_HEIF = "pip install 'tfgan_app[heif]'"

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Structural brands, which AVIF files have too.
_SHARED_BRANDS = frozenset({b"mif1", b"msf1"})


def can_read_heif() -> bool:
    """Returns whether the extra is installed, without importing it."""
    return importlib.util.find_spec("pillow_heif") is not None


def is_heif(head: bytes) -> bool:
    """Returns whether the first 12 bytes of a file identify HEIC and no other format."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def heif_formats(head: bytes) -> tuple[str, ...]:
    """Formats to open a file with, besides those that Pillow reads by itself.

    Args:
        head: The first bytes of the file, at least 12.

    Returns:
        `("HEIF",)` if the file may be HEIF; Pillow can open it from then on. Otherwise nothing.

    Raises:
        ValueError: If it is a HEIC file and the extra is not installed.
    """
    if not is_heif(head) and (head[4:8] != b"ftyp" or head[8:12] not in _SHARED_BRANDS):
        return ()
    if can_read_heif():
        _register()
        return ("HEIF",)
    if is_heif(head):
        raise ValueError(f"it is a HEIC file, which needs pillow-heif. Install it with: {INSTALL_HEIF}")
    return ()


@functools.cache
def _register() -> None:
    import pillow_heif  # Imported here, since it loads a decoder of several megabytes.

    pillow_heif.register_heif_opener(thumbnails=False)
