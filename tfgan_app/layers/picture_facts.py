"""What has to be known of a model of pictures to run it, wherever it was exported to."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from tfgan_app.layers.locality import Locality, feature_bytes_per_px, locality_of
from tfgan_app.layers.marks import makes_colour


@dataclass(frozen=True)
class PictureFacts:
    """Read off a Keras model once, and stored with each export of it.

    Attributes:
        locality: How far it looks.
        channels: Of its input: 3, or 4 where the fourth tells what is known (1) and what is a hole (0).
        bytes_per_px: What its feature maps take for each pixel of the input; None where that is not known.
        makes_colour: Whether gray pictures come back in colour.
    """

    locality: Locality
    channels: int = 3
    bytes_per_px: int | None = None
    makes_colour: bool = False

    def to_numbers(self) -> dict[str, int]:
        """The facts as integers, for formats that store nothing else: -1 for no `context_px`, 0 for no bytes."""
        locality = self.locality
        return {
            "scale": locality.scale,
            "context_px": -1 if locality.context_px is None else locality.context_px,
            "multiple": locality.multiple,
            "bytes_per_px": self.bytes_per_px or 0,
            "makes_colour": int(self.makes_colour),
        }

    @classmethod
    def from_numbers(cls, numbers: dict[str, int], *, channels: int) -> PictureFacts:
        """The facts that `to_numbers` wrote."""
        context_px = numbers["context_px"] if numbers["context_px"] >= 0 else None
        return cls(
            Locality(numbers["scale"], context_px, numbers["multiple"]),
            channels=channels,
            bytes_per_px=numbers["bytes_per_px"] or None,
            makes_colour=bool(numbers["makes_colour"]),
        )


def picture_facts(model: keras.Model) -> PictureFacts:
    """The facts of a model of pictures.

    Args:
        model: float `[batch, height, width, 3 or 4]` -> `[batch, scale * height, scale * width, 3]`.

    Raises:
        ValueError: As `locality_of`.
    """
    return PictureFacts(
        locality_of(model),
        channels=model.inputs[0].shape[-1],
        bytes_per_px=feature_bytes_per_px(model),
        makes_colour=makes_colour(model),
    )
