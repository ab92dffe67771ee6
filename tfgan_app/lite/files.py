"""Metadata of .tflite files, stored beside the network; every LiteRT runtime ignores it."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from tfgan_app.receptive_field import with_current_names

METADATA_NAME = "tfgan_app"
"""Name of the metadata buffer that holds a `Card` as JSON."""

MAX_FILE_BYTES = 2**31
"""Size limit of flatbuffers."""

_MAX_CARD_BYTES = 2**20
_IDENTIFIER = b"TFL3"

Sizes = Literal["any", "multiple", "fixed"]
Fill = Literal["mirror", "edge", "zero"]


@dataclass(frozen=True)
class Card:
    """Facts that are needed to use a .tflite file.

    Attributes:
        name: Name of the model.
        version: Version of the package that wrote the file.
        license: License of the weights.
        quantize: `"none"`, `"float16"`, `"dynamic"` or `"int8"`.
        tile_px: Height and width of the input that it was written for; None for an open size.
        sizes: Whether the input can be resized at run time: to `"any"` size, to any `"multiple"` of `multiple`, or
            not at all (`"fixed"`).
        scale: Output pixels per input pixel along height and width.
        halo_px: Largest distance in input pixels at which an input affects an output pixel; None if unbounded.
        multiple: See `ReceptiveField`.
        fill: How the model continues an image to a multiple: mirrored, with its border pixels, or black.
        channels: Of the input: 3, or 4 where the fourth tells what is known (full) and what is a hole (0); any number
            with a `window`.
        window: Data values that 0 and 1 stand for, of a model of images as numbers; None for a model of 8-bit images.
        bytes_per_px: What its feature maps take for each pixel of the input; None where that is not known.
        makes_color: Whether gray images come back in color.
        latent_dim: Latent size of a generative model; 0 for an image model.
        classes: Names of its labels.
        style_truncation: See `ModelInfo`.
        prompt_tokens: Tokens of the text that a generative model takes; 0 for none.
        vocabulary: Vocabulary of these tokens, as JSON; empty for none.
    """

    name: str
    version: str
    license: str = "not stated"
    quantize: str = "none"
    tile_px: int | None = None
    sizes: Sizes = "fixed"
    scale: int = 1
    halo_px: int | None = None
    multiple: int = 1
    fill: Fill = "mirror"
    channels: int = 3
    window: tuple[float, float] | None = None
    bytes_per_px: int | None = None
    makes_color: bool = False
    latent_dim: int = 0
    classes: tuple[str, ...] = ()
    style_truncation: float | None = None
    prompt_tokens: int = 0
    vocabulary: str = ""

    def to_json(self) -> str:
        """Returns a JSON object, with the ranges of inputs and outputs in words."""
        ranges = "0 to 255, uint8" if self.quantize == "int8" else "0 to 1, float32"
        inputs = "standard normal, float32" if self.latent_dim else ranges
        return json.dumps(dataclasses.asdict(self) | {"input_range": inputs, "output_range": ranges}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Card:
        """Reads the result of `to_json`; unknown fields are ignored.

        Raises:
            ValueError: If a field is missing or has the wrong type.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"must be an object. Received: {type(values).__name__}")
        values = with_current_names(values)
        known = {field.name: values[field.name] for field in dataclasses.fields(cls) if field.name in values}
        if isinstance(known.get("window"), list):
            known["window"] = tuple(known["window"])
        card = cls(**{"name": "", "version": "", **known, "classes": tuple(known.get("classes", ()))})
        numbers = (card.scale, card.multiple, card.channels)
        whole = all(type(number) is int and number > 0 for number in numbers) and type(card.latent_dim) is int
        whole = whole and type(card.prompt_tokens) is int and isinstance(card.vocabulary, str)
        optional = all(it is None or type(it) is int for it in (card.tile_px, card.halo_px, card.bytes_per_px))
        whole = whole and isinstance(card.style_truncation, (int, float, type(None)))
        whole = whole and (card.window is None or _is_window(card.window))
        named = card.sizes in ("any", "multiple", "fixed") and card.fill in ("mirror", "edge", "zero")
        if not whole or not optional or not named:
            raise ValueError("has values of the wrong type")
        return card


def _is_window(window: Any) -> bool:
    numbers = isinstance(window, tuple) and len(window) == 2 and all(type(it) in (int, float) for it in window)
    return numbers and window[0] < window[1]


def with_card(content: bytes, card: Card) -> bytes:
    """Returns a .tflite file with a card in it, replacing the previous one.

    Args:
        content: The file.
        card: The card to write.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    model.metadata = model.metadata or []
    places = [entry.buffer for entry in model.metadata if entry.name == METADATA_NAME.encode()]
    if not places:
        entry = schema.MetadataT()
        entry.name, entry.buffer = METADATA_NAME, len(model.buffers)
        model.metadata.append(entry)
        model.buffers.append(schema.BufferT())
        places = [entry.buffer]
    model.buffers[places[0]].data = list(card.to_json().encode())
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


_LEAST_SCALE = 1e-7
"""Least scale of an integer feature map, where features are about 1. XNNPACK crashes on far smaller ones."""

_MOST_REQUANTIZATION = 256.0
"""Largest factor from sums of products to a convolution's integer outputs. XNNPACK crashes beyond that."""

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def check_alive(content: bytes) -> None:
    """Rejects an integer file with a layer whose outputs were nearly all zero for all calibration images.

    Args:
        content: The file.

    Raises:
        ValueError: If there is such a layer; the message names it.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    for operator in graph.operators:
        for index in operator.outputs:
            quantization = graph.tensors[index].quantization
            scales = [] if quantization is None or quantization.scale is None else list(quantization.scale)
            if scales and (min(scales) < _LEAST_SCALE or _requantization(model, operator) >= _MOST_REQUANTIZATION):
                name = graph.tensors[index].name.decode(errors="replace").split(";")[0]
                raise ValueError(
                    f"The layer after `{name}` outputs almost only zeros for all calibration images: it is "
                    "dead, and integers cannot hold it. Train again with a lower rate, or export without int8."
                )


def _requantization(model: schema.ModelT, operator: schema.OperatorT) -> float:
    """Largest factor from a convolution's sums of products to its outputs; 0 for other operations."""
    if flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex) not in _CONVOLUTIONS:
        return 0.0
    tensors = model.subgraphs[0].tensors
    # Weights are always the second input; a transposed convolution has its size first and the features third.
    scales = [tensors[index].quantization for index in [*operator.inputs[:3], operator.outputs[0]] if index >= 0]
    known = [float(max(it.scale)) for it in scales if it is not None and it.scale is not None and len(it.scale)]
    return known[0] * known[1] / known[-1] if len(known) >= 3 else 0.0


def with_output_levels(content: bytes) -> bytes:
    """Returns an integer file whose outputs are the levels of 8-bit files: 255 is 1 and 0 is 0.

    The converter uses the range of calibration outputs instead. The last operation converts signed integers to unsigned
    ones, and it can convert to any scale.

    Args:
        content: A file whose outputs are uint8.

    Raises:
        ValueError: If an output comes from another operation.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    for index in graph.outputs:
        (maker,) = (operator for operator in graph.operators if index in operator.outputs)
        name = flatbuffer_utils.opcode_to_name(model, maker.opcodeIndex)
        if name != "QUANTIZE" or graph.tensors[index].type != schema.TensorType.UINT8:
            raise ValueError(f"The outputs must be converted to uint8 last. Received: an output of {name}")
        quantization = graph.tensors[index].quantization
        quantization.scale, quantization.zeroPoint = [1 / 255], [0]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def read_card(content: bytes) -> Card | None:
    """Returns the card of a .tflite file, None if it has none.

    Raises:
        ValueError: If it is not such a file, or its card cannot be read. One line.
    """
    if content[4:8] != _IDENTIFIER:
        raise ValueError("it is not a .tflite file")
    try:
        model = schema.Model.GetRootAs(content)
        for index in range(model.MetadataLength()):
            entry = model.Metadata(index)
            if entry.Name() == METADATA_NAME.encode():
                data = model.Buffers(entry.Buffer()).DataAsNumpy()
                return Card.from_json(bytes(data[:_MAX_CARD_BYTES]))
    except Exception as error:  # A damaged file gives meaningless numbers and offsets.
        raise ValueError(f"its metadata cannot be read: {error}") from error
    return None


def read_file(path: str | os.PathLike) -> bytes:
    """Bytes of a .tflite file of bounded size.

    Raises:
        ValueError: If it exceeds the size limit of flatbuffers.
    """
    path = Path(path)
    size = path.stat().st_size
    if size >= MAX_FILE_BYTES:
        raise ValueError(f"A .tflite file must be smaller than {MAX_FILE_BYTES} bytes. Received: '{path}', {size}.")
    return path.read_bytes()
