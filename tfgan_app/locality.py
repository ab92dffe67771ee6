"""How far around a pixel a model of images looks; standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Locality:
    """What has to be known of a picture-to-picture model to run it on parts of a picture.

    Attributes:
        scale: Output pixels per input pixel along height and width.
        context_px: How many input pixels beyond its own an output pixel depends on, on the worst side. None where
            that may be all of them.
        multiple: A part has to begin at a multiple of this, and its size has to leave the same remainder by it as the
            picture's: then strided layers pad and sample it as they do the picture.
    """

    scale: int
    context_px: int | None
    multiple: int = 1
