"""How far around a pixel a model of images looks; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OLD_NAMES = {"context_px": "halo_px", "makes_colour": "makes_color"}
"""Names of stored facts in files that 0.6 exported."""


@dataclass(frozen=True)
class ReceptiveField:
    """What has to be known of an image-to-image model to run it on parts of an image.

    Attributes:
        scale: Output pixels per input pixel along height and width.
        halo_px: How many input pixels beyond its own an output pixel depends on, on the worst side. None where
            that may be all of them.
        multiple: A part has to begin at a multiple of this, and its size has to leave the same remainder by it as the
            image's: then strided layers pad and sample it as they do the image.
    """

    scale: int
    halo_px: int | None
    multiple: int = 1


def with_current_names(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored facts by their names of today, whatever version exported the file."""
    return {OLD_NAMES.get(name, name): value for name, value in stored.items()}
