"""`ModelInfo`, one description for all models: inputs, outputs and tiling; without TensorFlow.

`tfgan_app.keras_info` builds it for a Keras model.
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
_OLD_RECEPTIVE_FIELD_SIGNATURE = "locality"  # Used by exports of version 0.6.
_NAMES_SIGNATURE = "class_names"
TRUNCATION_SIGNATURE = "truncation"
WINDOW_SIGNATURE = "data_window"

KINDS: dict[frozenset[str], Kind] = {
    frozenset({"images"}): "images",
    frozenset({"image_bytes"}): "images",
    frozenset({"images", "style", "strength"}): "style",
    frozenset({"image_bytes", "style_bytes"}): "style",
    frozenset({"latents"}): "noise",
    frozenset({"latents", "labels"}): "noise",
    frozenset({"seeds"}): "noise",
    frozenset({"seeds", "classes"}): "noise",
    frozenset({"latents", "tokens"}): "noise",
    frozenset({"seeds", "prompts"}): "noise",
}
"""Kind of a model by the names of its inputs, which are the same in every format."""


@dataclass(frozen=True)
class ModelInfo:
    """Description of an inference model. Loading, prediction, export and serving dispatch on it.

    Attributes:
        kind: `"images"` (images to images), `"inpainting"` (images with holes to images), `"style"` (a content image
            and a style image to an image), `"noise"` (latents to images), or `"other"` (not a model of this package).
        receptive_field: Scale, receptive field and tile alignment; None if they are unknown, and for noise models.
        channels: Channels of the input images; an inpainting model takes a fourth, see `HOLE_CHANNELS`.
        output_channels: Channels of the output images: 1 or 3; any with a `window`.
        value_range: Range of the inputs and outputs, as floats.
        window: Data values that 0 and 1 stand for, of a model of images as numbers; None for a model of 8-bit images.
        bytes_per_px: Memory of the feature maps per input pixel in bytes; None if unknown.
        makes_color: Whether gray inputs give color outputs.
        latent_dim: Length of the latent vectors of a noise model, else 0.
        classes: Class names; empty for an unconditional model.
        style_truncation: psi at which a noise model truncates its styles, 1 for not at all; None for a model that
            truncates its latents.
        prompt_tokens: Tokens of the text that a noise model takes; 0 for a model without text.
        image_size: Height and width of the images of a noise model; None if unknown.
        largest_px: Side of the largest image that a file with a fixed input size takes, else None.
        task: The task that trained the model; None if unknown.
        license: License of the weights.
        facts: Origin of the weights, such as the architecture and the source file: name -> text.
        figures: Measured quality and its protocol: name -> number or text; empty if unknown.

    Examples:
        >>> import tfgan_app as tfgan
        >>> info = tfgan.load("upscale_x4").info
        >>> info.kind, info.scale, info.halo_px, info.license
        ('images', 4, 14, 'Apache-2.0')
        >>> info.figures["set5_psnr_y"]
        31.92
    """

    kind: Kind = "images"
    receptive_field: ReceptiveField | None = None
    channels: int = 3
    output_channels: int = 3
    value_range: tuple[float, float] = (0.0, 1.0)
    window: tuple[float, float] | None = None
    bytes_per_px: int | None = None
    makes_color: bool = False
    latent_dim: int = 0
    classes: tuple[str, ...] = ()
    style_truncation: float | None = None
    prompt_tokens: int = 0
    image_size: tuple[int, int] | None = None
    largest_px: int | None = None
    task: str | None = None
    license: str = NOT_STATED
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def scale(self) -> int | None:
        """Output pixels per input pixel along height and width; None if unknown, and for noise models."""
        return None if self.receptive_field is None else self.receptive_field.scale

    @property
    def halo_px(self) -> int | None:
        """Radius of the receptive field in input pixels; None if it is unknown or may span the whole image."""
        return None if self.receptive_field is None else self.receptive_field.halo_px

    @property
    def multiple(self) -> int:
        """Alignment of tiles in input pixels: tiles start at multiples of it."""
        return 1 if self.receptive_field is None else self.receptive_field.multiple

    def to_numbers(self) -> dict[str, int]:
        """Returns the tiling facts as integers, which a SavedModel's signature can return to any client."""
        return {
            "scale": self.receptive_field.scale,
            "halo_px": -1 if self.receptive_field.halo_px is None else self.receptive_field.halo_px,
            "multiple": self.receptive_field.multiple,
            "bytes_per_px": self.bytes_per_px or 0,
            "makes_color": int(self.makes_color),
        }


def images_kind(channels: int, window: tuple[float, float] | None) -> Kind:
    """Kind of a model of images, by the channels of its input; a fourth one is data in images as numbers."""
    return "inpainting" if channels == HOLE_CHANNELS and window is None else "images"


def card_info(card: Card) -> ModelInfo:
    """Returns the description of a .tflite file from its card."""
    if card.latent_dim:
        return ModelInfo(
            kind="noise",
            latent_dim=card.latent_dim,
            classes=card.classes,
            style_truncation=card.style_truncation,
            prompt_tokens=card.prompt_tokens,
            license=card.license,
        )
    return ModelInfo(
        kind=images_kind(card.channels, card.window),
        receptive_field=ReceptiveField(card.scale, card.halo_px, card.multiple),
        channels=card.channels,
        output_channels=card.channels if card.window else ModelInfo.output_channels,
        window=card.window,
        bytes_per_px=card.bytes_per_px,
        makes_color=card.makes_color,
        largest_px=card.tile_px if card.sizes == "fixed" else None,
        license=card.license,
    )


@dataclass(frozen=True)
class Signature:
    """A SavedModel signature, as far as `signatures_info` needs it.

    Attributes:
        inputs: Input name -> shape; None for an unknown rank.
        run: Maps input name -> array to output name -> array.
    """

    inputs: Mapping[str, tuple[int | None, ...] | None]
    run: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


def signatures_info(signatures: Mapping[str, Signature], *, default: str) -> ModelInfo:
    """Returns the description of a SavedModel from its signatures: their input names, and the values of two of them.

    Args:
        signatures: All signatures of the SavedModel.
        default: Name of the signature whose inputs decide the kind.

    Returns:
        Its `ModelInfo`; of kind `"other"` if the inputs are not those of an export of this package, and without a
        receptive field if none is stored.
    """
    inputs = signatures[default].inputs if default in signatures else {}
    kind = KINDS.get(frozenset(inputs), "other")
    if kind == "noise":
        shape, tokens = inputs.get("latents"), inputs.get("tokens")
        return ModelInfo(
            kind=kind,
            latent_dim=shape[1] if shape else 0,
            classes=_stored_classes(signatures),
            style_truncation=_stored_truncation(signatures),
            prompt_tokens=tokens[1] or 0 if tokens else 0,
        )
    if kind == "other":
        return ModelInfo(kind=kind)
    channels, numbers = _stored_numbers(signatures)
    shape = inputs.get("images")
    channels = channels or (shape[-1] if shape and len(shape) == 4 else None) or ModelInfo.channels
    window = _stored_window(signatures)
    return ModelInfo(
        kind=images_kind(channels, window) if kind == "images" else kind,
        receptive_field=_stored_receptive_field(numbers),
        channels=channels,
        output_channels=channels if window else ModelInfo.output_channels,
        window=window,
        bytes_per_px=numbers.get("bytes_per_px") or None,
        makes_color=bool(numbers.get("makes_color")),
    )


def _stored_numbers(signatures: Mapping[str, Signature]) -> tuple[int | None, dict[str, int]]:
    """Returns the input channels and the stored `to_numbers`; None and {} if the signature is missing or foreign."""
    signature = signatures.get(_RECEPTIVE_FIELD_SIGNATURE) or signatures.get(_OLD_RECEPTIVE_FIELD_SIGNATURE)
    shape = signature.inputs.get("images") if signature else None
    if shape is None or len(shape) != 4 or shape[-1] is None:
        return None, {}
    stored = signature.run({"images": np.zeros((1, 1, 1, shape[-1]), np.uint8)})
    return shape[-1], with_current_names({name: int(values[0]) for name, values in stored.items()})


def _stored_receptive_field(numbers: Mapping[str, int]) -> ReceptiveField | None:
    if "scale" not in numbers:
        return None
    halo_px = numbers.get("halo_px", -1)
    return ReceptiveField(numbers["scale"], halo_px if halo_px >= 0 else None, numbers.get("multiple", 1))


def _stored_truncation(signatures: Mapping[str, Signature]) -> float | None:
    signature = signatures.get(TRUNCATION_SIGNATURE)
    return float(signature.run({"seeds": np.zeros(1, np.int64)})["psi"][0]) if signature else None


def _stored_window(signatures: Mapping[str, Signature]) -> tuple[float, float] | None:
    signature = signatures.get(WINDOW_SIGNATURE)
    if signature is None:
        return None
    shape = signature.inputs["images"]
    stored = signature.run({"images": np.zeros((1, 1, 1, shape[-1]), np.float32)})
    return float(stored["low"][0]), float(stored["high"][0])


def _stored_classes(signatures: Mapping[str, Signature]) -> tuple[str, ...]:
    """Returns the class names; the first call of the signature gives their number."""
    signature = signatures.get(_NAMES_SIGNATURE)
    if signature is None or set(signature.inputs) != {"labels"}:
        return ()
    count = int(signature.run({"labels": np.zeros(1, np.int32)})["count"][0])
    names = signature.run({"labels": np.arange(count, dtype=np.int32)})["names"]
    return tuple(name.decode(errors="replace") for name in names)
