"""ncnn's pairs of files: `.param` with the graph as text, and `.bin` with its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfgan_app.importers.tensors import FileError

_MAGIC = "7767517"
_MAX_LAYERS = 100_000
_MAX_PARAM_BYTES = 2**26
_FP16, _FP32 = 0x01306B47, 0x0002C056
_INT8 = 0x000D4B38
_ARRAY = -23300


@dataclass(frozen=True)
class NcnnLayer:
    """One layer of a graph.

    Attributes:
        kind: Layer type, such as `Convolution`.
        name: Layer name.
        inputs: Names of the blobs that it reads.
        outputs: Names of the blobs that it writes.
        options: Number of a parameter -> its value or values.
        weights: Name -> float32 array: `weight` as in PyTorch, `bias`, `slope`, `data`.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[int, float | list[float]] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def whole(self, option: int, default: int = 0) -> int:
        """An integer parameter."""
        value = self.options.get(option, default)
        if isinstance(value, list) or value != int(value) or abs(value) > 2**31:
            raise FileError(f"the parameter {option} of its layer '{self.name}' is not an integer")
        return int(value)

    def number(self, option: int, default: float = 0.0) -> float:
        """A parameter that is one number."""
        value = self.options.get(option, default)
        if isinstance(value, list):
            raise FileError(f"the parameter {option} of its layer '{self.name}' is not a number")
        return value

    def numbers(self, option: int) -> list[float]:
        """A parameter that is a list of numbers; empty if it is missing."""
        value = self.options.get(option, [])
        if not isinstance(value, list):
            raise FileError(f"the parameter {option} of its layer '{self.name}' is not a list of numbers")
        return value


def read_ncnn(path: Path) -> list[NcnnLayer]:
    """Reads a graph with its weights.

    Args:
        path: The `.param` or the `.bin` file; the other lies beside it under the same name.

    Returns:
        The layers in execution order.

    Raises:
        FileError: If one of the files is missing, damaged or truncated, or its weights have an unsupported type.
    """
    param, weights = path.with_suffix(".param"), path.with_suffix(".bin")
    for file in (param, weights):
        if not file.is_file():
            raise FileError(f"an ncnn model has two files, but '{file.name}' is missing")
    layers = _read_param(param)
    content = _Content(weights.read_bytes())
    read = [_with_weights(layer, content) for layer in layers]
    if content.left:
        raise FileError(f"'{weights.name}' has {content.left:,} bytes more than '{param.name}' describes")
    return read


def _read_param(path: Path) -> list[NcnnLayer]:
    if path.stat().st_size > _MAX_PARAM_BYTES:
        raise FileError(f"'{path.name}' is too large for a graph file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"'{path.name}' is not text: binary graphs of ncnn are not supported") from error
    lines = [line.split() for line in text.split("\n") if line.strip()]
    if not lines or lines[0] != [_MAGIC]:
        raise FileError(f"'{path.name}' does not begin with {_MAGIC}, the signature of ncnn's graphs")
    try:
        count = int(lines[1][0])
        layers = [_parse_layer(line) for line in lines[2:]]
    except (IndexError, ValueError, OverflowError) as error:
        raise error if isinstance(error, FileError) else FileError(f"'{path.name}' is damaged") from error
    if count != len(layers) or count > _MAX_LAYERS:
        raise FileError(f"'{path.name}' announces {count} layers but has {len(layers)}: it is truncated or damaged")
    return layers


def _parse_layer(words: list[str]) -> NcnnLayer:
    inputs, outputs = int(words[2]), int(words[3])
    if not 0 <= inputs <= len(words) or not 0 <= outputs <= len(words) - 4 - inputs:
        raise ValueError
    names, rest = words[4 : 4 + inputs + outputs], words[4 + inputs + outputs :]
    options: dict[int, float | list[float]] = {}
    for word in rest:
        key, value = word.split("=", 1)
        if int(key) <= _ARRAY:
            options[_ARRAY - int(key)] = [float(number) for number in value.split(",")[1:]]
        else:
            options[int(key)] = float(value)
    return NcnnLayer(words[0], words[1], tuple(names[:inputs]), tuple(names[inputs:]), options)


class _Content:
    """Sequential reader of a `.bin` file."""

    def __init__(self, content: bytes):
        self._content = memoryview(content)
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._content) - self._position

    def take(self, size: int) -> memoryview:
        if not 0 <= size <= self.left:
            raise FileError("its .bin file is truncated, or does not belong to its .param file")
        self._position += size
        return self._content[self._position - size : self._position]

    def floats(self, count: int) -> np.ndarray:
        """Reads plain float32."""
        return np.frombuffer(self.take(4 * count), "<f4")

    def tagged(self, count: int, layer: NcnnLayer) -> np.ndarray:
        """Reads numbers of the type that a preceding tag states, as float32."""
        tag = int.from_bytes(self.take(4), "little")
        if tag == _FP16:
            numbers = np.frombuffer(self.take(2 * count), "<f2")
            self.take(-(2 * count) % 4)
            return numbers.astype(np.float32)
        if tag in (0, _FP32):
            return self.floats(count)
        kind = "8-bit integers" if tag == _INT8 else f"the kind {tag:#010x}"
        raise FileError(f"the weights of its layer '{layer.name}' are {kind}: only float32 and float16 are supported")


def _with_weights(layer: NcnnLayer, content: _Content) -> NcnnLayer:
    if layer.kind in ("Convolution", "ConvolutionDepthWise"):
        layer.weights.update(_convolution_weights(layer, content))
    elif layer.kind == "PReLU":
        layer.weights["slope"] = content.floats(layer.whole(0))
    elif layer.kind == "MemoryData":
        sizes = [layer.whole(option) for option in (2, 11, 1, 0)]
        data = content.tagged if layer.whole(21, 1) == 0 else lambda count, layer: content.floats(count)
        shape = [size for size in sizes if size > 0]
        layer.weights["data"] = data(math.prod(shape), layer).reshape(shape)
    elif layer.kind not in _WITHOUT_WEIGHTS:
        raise FileError(f"its layer '{layer.name}' has the type {layer.kind}, which is not supported")
    return layer


_WITHOUT_WEIGHTS = frozenset(
    [
        "Input",
        "Split",
        "Concat",
        "BinaryOp",
        "Eltwise",
        "Interp",
        "PixelShuffle",
        "ReLU",
        "Sigmoid",
        "Swish",
        "TanH",
        "Clip",
        "Noop",
        "Dropout",
    ]
)


def _convolution_weights(layer: NcnnLayer, content: _Content) -> dict[str, np.ndarray]:
    outputs, width, count = (layer.whole(option) for option in (0, 1, 6))
    height, groups = layer.whole(11, width), layer.whole(7, 1)
    if layer.whole(8):
        raise FileError(
            f"the weights of its layer '{layer.name}' are 8-bit integers: only float32 and float16 are supported"
        )
    area = outputs * width * height
    if min(outputs, width, height, count) < 1 or count % area or groups != 1:
        raise FileError(f"its layer '{layer.name}' is a convolution with sizes that do not match")
    weights = {"weight": content.tagged(count, layer).reshape(outputs, count // area, height, width)}
    if layer.whole(5):
        weights["bias"] = content.floats(outputs)
    return weights
