"""HEIC and HEIF files, which Pillow reads with the package pillow-heif: the extra `heif`."""

from __future__ import annotations

import functools
import importlib.util

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
"""Lower-case suffixes."""

INSTALL_HEIF = "pip install 'tfgan_app[heif]'"

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Structural brands, of AVIF files too.
_SHARED_BRANDS = frozenset({b"mif1", b"msf1"})


def can_read_heif() -> bool:
    """Whether the extra is installed; nothing is imported."""
    return importlib.util.find_spec("pillow_heif") is not None


def is_heif(head: bytes) -> bool:
    """Whether the first 12 bytes of a file are those of HEIC, and of no other format."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def heif_formats(head: bytes) -> tuple[str, ...]:
    """The formats to open a file as, beside those that Pillow reads by itself.

    Args:
        head: The first bytes of the file, at least 12.

    Returns:
        `("HEIF",)` where the file may be one, and Pillow is able to open it from then on; else nothing.

    Raises:
        ValueError: If it is a HEIC file and the extra is not installed.
    """
    if not is_heif(head) and (head[4:8] != b"ftyp" or head[8:12] not in _SHARED_BRANDS):
        return ()
    if can_read_heif():
        _register()
        return ("HEIF",)
    if is_heif(head):
        raise ValueError(f"it is a HEIC file, which needs pillow-heif. Try: {INSTALL_HEIF}")
    return ()


@functools.cache
def _register() -> None:
    import pillow_heif  # Here, since it loads a decoder of some megabytes.

    pillow_heif.register_heif_opener(thumbnails=False)
