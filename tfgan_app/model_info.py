"""One description of every model: what it takes, what it gives, and how it has to be run; without TensorFlow.

`tfgan_app.keras_info` reads it off a Keras model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from tfgan_app.keras_metadata import NOT_STATED
from tfgan_app.receptive_field import ReceptiveField, with_current_names

if TYPE_CHECKING:
    from tfgan_app.lite.files import Card

Kind = Literal["images", "inpainting", "style", "noise", "other"]

HOLE_CHANNELS = 4
"""Input channels of an inpainting model: the fourth is 1 in known pixels and 0 in holes."""

_RECEPTIVE_FIELD_SIGNATURE = "receptive_field"
_OLD_RECEPTIVE_FIELD_SIGNATURE = "locality"  # Of exports of 0.6.
_NAMES_SIGNATURE = "class_names"

KINDS: dict[frozenset[str], Kind] = {
    frozenset({"images"}): "images",
    frozenset({"image_bytes"}): "images",
    frozenset({"images", "style", "strength"}): "style",
    frozenset({"image_bytes", "style_bytes"}): "style",
    frozenset({"latents"}): "noise",
    frozenset({"latents", "labels"}): "noise",
    frozenset({"seeds"}): "noise",
    frozenset({"seeds", "classes"}): "noise",
}
"""The kind of a model by the names of its inputs, which are the same in every format."""


@dataclass(frozen=True)
class ModelInfo:
    """Description of an inference model. Loading, prediction, export and serving dispatch on it.

    Attributes:
        kind: `"images"` (images to images), `"inpainting"` (images with holes to images), `"style"` (an image and the
            image whose style it is given), `"noise"` (latents to images), or `"other"` (not a model of this package).
        receptive_field: Scale, receptive field and tile alignment; None where they are not known, and for noise.
        channels: Of the input images; an inpainting model takes a fourth, see `HOLE_CHANNELS`.
        output_channels: Of the output images: 1 or 3.
        value_range: Of the inputs and outputs, as floats.
        bytes_per_px: Memory of the feature maps for each input pixel; None where it is not known.
        makes_color: Whether gray images come back in color.
        latent_dim: Size of the latent vectors of a model of kind noise, else 0.
        classes: Names of its labels; empty for an unconditional model.
        image_size: Height and width of the images that are made from noise, where they are known.
        largest_px: Side of the largest images that a file of one fixed size takes, else None.
        task: The task that it was trained by, where it is known.
        license: Of the weights.
        facts: Origin of the weights: name -> words, such as the architecture and the source file.
        figures: Measured quality with its protocol, where it is known: name -> number or words.

    Examples:
        >>> import tfgan_app as tfgan
        >>> info = tfgan.load("upscale_x4").info
        >>> info.kind, info.scale, info.halo_px, info.license
        ('images', 4, 14, 'Apache-2.0')
        >>> info.figures["set5_psnr_y"]
        31.47
    """

    kind: Kind = "images"
    receptive_field: ReceptiveField | None = None
    channels: int = 3
    output_channels: int = 3
    value_range: tuple[float, float] = (0.0, 1.0)
    bytes_per_px: int | None = None
    makes_color: bool = False
    latent_dim: int = 0
    classes: tuple[str, ...] = ()
    image_size: tuple[int, int] | None = None
    largest_px: int | None = None
    task: str | None = None
    license: str = NOT_STATED
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def scale(self) -> int | None:
        """Output pixels per input pixel along height and width; None where it is not known, and for noise."""
        return None if self.receptive_field is None else self.receptive_field.scale

    @property
    def halo_px(self) -> int | None:
        """Radius of the receptive field in input pixels; None where it may be the whole image, or is not known."""
        return None if self.receptive_field is None else self.receptive_field.halo_px

    @property
    def multiple(self) -> int:
        """Tiles begin at multiples of this."""
        return 1 if self.receptive_field is None else self.receptive_field.multiple

    def to_numbers(self) -> dict[str, int]:
        """The facts about tiling as integers, which is all that a SavedModel's signature returns to every client."""
        return {
            "scale": self.receptive_field.scale,
            "halo_px": -1 if self.receptive_field.halo_px is None else self.receptive_field.halo_px,
            "multiple": self.receptive_field.multiple,
            "bytes_per_px": self.bytes_per_px or 0,
            "makes_color": int(self.makes_color),
        }


def card_info(card: Card) -> ModelInfo:
    """The description of a .tflite file, from its card."""
    if card.latent_dim:
        return ModelInfo(kind="noise", latent_dim=card.latent_dim, classes=card.classes, license=card.license)
    return ModelInfo(
        kind="inpainting" if card.channels == HOLE_CHANNELS else "images",
        receptive_field=ReceptiveField(card.scale, card.halo_px, card.multiple),
        channels=card.channels,
        bytes_per_px=card.bytes_per_px,
        makes_color=card.makes_color,
        largest_px=card.tile_px if card.sizes == "fixed" else None,
        license=card.license,
    )


@dataclass(frozen=True)
class Signature:
    """A signature of a SavedModel, as far as its description needs it.

    Attributes:
        inputs: Name -> shape of each input, None for an unknown rank.
        run: Name -> array of each input to name -> array of each output.
    """

    inputs: Mapping[str, tuple[int | None, ...] | None]
    run: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


def signatures_info(signatures: Mapping[str, Signature], *, default: str) -> ModelInfo:
    """The description of a SavedModel, from the names of its signatures' inputs and what two of them return.

    Args:
        signatures: All signatures of the SavedModel.
        default: The signature whose inputs decide on the kind of model.

    Returns:
        Its `ModelInfo`; of kind `"other"` where the inputs are not those of an export of this package, and without
        receptive field where none is stored.
    """
    inputs = signatures[default].inputs if default in signatures else {}
    kind = KINDS.get(frozenset(inputs), "other")
    if kind == "noise":
        shape = inputs.get("latents")
        return ModelInfo(kind=kind, latent_dim=shape[1] if shape else 0, classes=_stored_classes(signatures))
    if kind == "other":
        return ModelInfo(kind=kind)
    channels, numbers = _stored_numbers(signatures)
    shape = inputs.get("images")
    channels = channels or (shape[-1] if shape and len(shape) == 4 else None) or ModelInfo.channels
    return ModelInfo(
        kind="inpainting" if kind == "images" and channels == HOLE_CHANNELS else kind,
        receptive_field=_stored_receptive_field(numbers),
        channels=channels,
        bytes_per_px=numbers.get("bytes_per_px") or None,
        makes_color=bool(numbers.get("makes_color")),
    )


def _stored_numbers(signatures: Mapping[str, Signature]) -> tuple[int | None, dict[str, int]]:
    """Channels of the input, and what `to_numbers` wrote; neither where the signature is missing or foreign."""
    signature = signatures.get(_RECEPTIVE_FIELD_SIGNATURE) or signatures.get(_OLD_RECEPTIVE_FIELD_SIGNATURE)
    shape = signature.inputs.get("images") if signature else None
    if shape is None or len(shape) != 4 or shape[-1] is None:
        return None, {}
    told = signature.run({"images": np.zeros((1, 1, 1, shape[-1]), np.uint8)})
    return shape[-1], with_current_names({name: int(values[0]) for name, values in told.items()})


def _stored_receptive_field(numbers: Mapping[str, int]) -> ReceptiveField | None:
    if "scale" not in numbers:
        return None
    halo_px = numbers.get("halo_px", -1)
    return ReceptiveField(numbers["scale"], halo_px if halo_px >= 0 else None, numbers.get("multiple", 1))


def _stored_classes(signatures: Mapping[str, Signature]) -> tuple[str, ...]:
    """The names of the classes; the signature is asked for their number first."""
    signature = signatures.get(_NAMES_SIGNATURE)
    if signature is None or set(signature.inputs) != {"labels"}:
        return ()
    count = int(signature.run({"labels": np.zeros(1, np.int32)})["count"][0])
    names = signature.run({"labels": np.arange(count, dtype=np.int32)})["names"]
    return tuple(name.decode(errors="replace") for name in names)
