"""Receptive fields of image models; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OLD_NAMES = {"context_px": "halo_px", "makes_colour": "makes_color"}
"""Names of stored facts in exports of version 0.6 -> current names."""


@dataclass(frozen=True)
class ReceptiveField:
    """Receptive field of an image-to-image model, as tiled inference needs it.

    Attributes:
        scale: Output pixels per input pixel along height and width.
        halo_px: Largest distance in input pixels from an output pixel's position to a pixel that it depends on; None
            if that may be the whole image.
        multiple: A tile must start at a multiple of this, and its size must be congruent to the image's modulo this,
            so that strided layers pad and sample the tile as they do the whole image.
    """

    scale: int
    halo_px: int | None
    multiple: int = 1


def with_current_names(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Returns stored facts under their current names, for files of any version."""
    return {OLD_NAMES.get(name, name): value for name, value in stored.items()}
