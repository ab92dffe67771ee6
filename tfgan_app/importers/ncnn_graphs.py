"""ncnn graphs: PyTorch's names for their weights, and their computation."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import keras
import numpy as np
from keras import ops

from tfgan_app.importers.architecture import SYMMETRIC, Built
from tfgan_app.importers.ncnn_files import NcnnLayer
from tfgan_app.importers.tensors import FileError
from tfgan_app.layers import RationalResize

_SIZE = (11, 14)
"""Height and width at which a graph is compared with the network that was built."""

_SAME = 1e-3
"""Largest difference of outputs; other layer connections differ by far more."""


def named_tensors(layers: Sequence[NcnnLayer]) -> dict[str, np.ndarray]:
    """Weights of a graph under the names of PyTorch's code.

    ncnn keeps the order of the layers, not their names. `check_same` verifies that the order means the same.

    Raises:
        FileError: If the graph has no architecture that is supported in this format.
    """
    convolutions = [layer for layer in layers if layer.kind == "Convolution"]
    slopes = [layer for layer in layers if layer.kind == "PReLU"]
    names = _names(layers, convolutions, slopes)
    if names is None:
        kinds = sorted({layer.kind for layer in layers})
        raise FileError(
            f"its graph of {len(convolutions)} convolutions ({', '.join(kinds)}) has no architecture that is supported "
            "from ncnn: ESRGAN, SRVGGNetCompact or SPAN"
        )
    tensors = {}
    for name, layer in zip(names, [*convolutions, *slopes], strict=True):
        for kind, array in layer.weights.items():
            tensors[f"{name}.{'weight' if kind == 'slope' else kind}"] = array
    return _with_range_of_span(layers, tensors) if "conv_cat" in names else tensors


def _with_range_of_span(layers: Sequence[NcnnLayer], tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights of SPAN with its mean, for images that are multiplied by 255 as in its code.

    Some files were made with other settings of the code: without both, or without the factor.
    """
    before = list(itertools.takewhile(lambda layer: layer.kind != "Convolution", layers))
    means = [layer.weights["data"].reshape(-1) for layer in before if layer.kind == "MemoryData"]
    if not means:
        return {**tensors, "no_norm": np.zeros(1, np.float32)}  # The mark that SPAN's own files use.
    tensors = {**tensors, "mean": means[0]}
    if [layer.kind for layer in before].count("BinaryOp") == 1:
        tensors["conv_1.eval_conv.weight"] = tensors["conv_1.eval_conv.weight"] / np.float32(255)
    return tensors


def _names(layers, convolutions, slopes) -> list[str] | None:
    count = len(convolutions)
    kinds = {layer.kind for layer in layers}
    if slopes and len(slopes) == count - 1 and "PixelShuffle" in kinds:
        return [f"body.{2 * index}" for index in range(count)] + [f"body.{2 * index + 1}" for index in range(count - 1)]
    if slopes:
        return None
    if "Swish" in kinds and count == 22:
        branches = [f"block_{block}.c{index}_r.eval_conv" for block in range(1, 7) for index in (1, 2, 3)]
        return ["conv_1.eval_conv", *branches, "conv_2.eval_conv", "conv_cat", "upsampler.0"]
    blocks, others = divmod(count - 4, 15)
    if "Interp" in kinds and blocks > 0 and others <= 3:
        places = [(block, dense, index) for block in range(blocks) for dense in (1, 2, 3) for index in range(1, 6)]
        body = [f"body.{block}.rdb{dense}.conv{index}" for block, dense, index in places]
        up = [f"conv_up{index + 1}" for index in range(others)]
        return ["conv_first", *body, "conv_body", *up, "conv_hr", "conv_last"]
    return None


def check_same(layers: Sequence[NcnnLayer], built: Built, *, label: str) -> None:
    """Compares a graph with the network built from its weights, on a small random image.

    Args:
        layers: The graph.
        built: The network.
        label: Display name of its architecture.

    Raises:
        FileError: If they differ, since the graph connects its layers in another way.
    """
    image = np.random.default_rng(0).random((1, *_SIZE, built.network.inputs[0].shape[-1]), np.float32)
    expected = run_graph(layers, image)
    given = image * 2 - 1 if built.value_range == SYMMETRIC else image
    received = keras.ops.convert_to_numpy(built.network(given, training=False))
    if expected.shape != received.shape:
        raise FileError(
            f"its layers are those of {label}, but it makes {list(expected.shape[1:3])} pixels from {list(_SIZE)}, "
            f"while the architecture makes {list(received.shape[1:3])}"
        )
    difference = float(np.abs(expected - received).max())
    if not difference < _SAME * max(1.0, float(np.abs(expected).max())):
        raise FileError(
            f"its layers are those of {label}, but connected differently: outputs differ by {difference:.2g}"
        )


def run_graph(layers: Sequence[NcnnLayer], image: np.ndarray) -> np.ndarray:
    """Runs a graph as ncnn does, in float32.

    Args:
        layers: The graph, with one input.
        image: float32 `[1, height, width, channels]`.

    Returns:
        Its last output, `[1, height, width, channels]`.

    Raises:
        FileError: If a layer is used in an unsupported way.
    """
    blobs: dict[str, np.ndarray] = {}
    for layer in layers:
        try:
            inputs = [blobs[name] for name in layer.inputs]
        except KeyError as error:
            raise FileError(f"its layer '{layer.name}' reads {error}, which no earlier layer writes") from error
        if layer.kind == "Input":
            made = image
        else:
            try:
                made = _RUN[layer.kind](layer, inputs)
            except (KeyError, IndexError, ValueError, TypeError) as error:
                raise (
                    error
                    if isinstance(error, FileError)
                    else FileError(f"its layer '{layer.name}' ({layer.kind}) is used in an unsupported way")
                ) from error
        blobs.update(dict.fromkeys(layer.outputs, made))
    return np.asarray(made)


def _convolution(layer: NcnnLayer, inputs: list) -> np.ndarray:
    dilation, stride, margin = layer.whole(2, 1), layer.whole(3, 1), layer.whole(4)
    if layer.whole(14, margin) != margin or layer.whole(13, stride) != stride or margin < 0:
        raise FileError(f"its convolution '{layer.name}' pads or strides unevenly")
    x = np.pad(inputs[0], ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    kernel = layer.weights["weight"].transpose(2, 3, 1, 0)
    x = ops.conv(x, kernel, stride, "valid", data_format="channels_last", dilation_rate=dilation)
    x = ops.convert_to_numpy(x) + layer.weights.get("bias", np.float32(0))
    return _ACTIVATIONS[layer.whole(9)](x, layer.numbers(10))


_ACTIVATIONS: dict[int, Callable[[np.ndarray, Sequence[float]], np.ndarray]] = {
    0: lambda x, options: x,
    1: lambda x, options: np.maximum(x, 0),
    2: lambda x, options: np.where(x > 0, x, x * np.float32(options[0])),
    3: lambda x, options: np.clip(x, options[0], options[1]),
    4: lambda x, options: _sigmoid(x),
}


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.tanh(0.5 * x) + 0.5  # This form never overflows.


def _binary(layer: NcnnLayer, inputs: list) -> np.ndarray:
    first, second = (inputs[0], np.float32(layer.number(2))) if layer.whole(1) and len(inputs) == 1 else inputs
    # Constants of the graph have the channel axis first, or only one value.
    second = second.reshape(1, 1, 1, -1) if isinstance(second, np.ndarray) and second.ndim < 4 else second
    operations = (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum)
    return operations[layer.whole(0)](first, second)


def _eltwise(layer: NcnnLayer, inputs: list) -> np.ndarray:
    if layer.whole(0) == 0:
        return np.prod(inputs, axis=0)
    if layer.whole(0) != 1:
        return np.max(inputs, axis=0)
    factors = layer.numbers(1) or [1.0] * len(inputs)
    return np.asarray(sum(np.float32(factor) * each for factor, each in zip(factors, inputs, strict=True)))


def _interpolation(layer: NcnnLayer, inputs: list) -> np.ndarray:
    ratio = _ratio(layer)
    if layer.whole(0) != 1:
        kernel = _KERNELS[layer.whole(0)]
        return ops.convert_to_numpy(RationalResize(ratio.numerator, ratio.denominator, kernel)(inputs[0]))
    if ratio.denominator != 1:
        raise FileError(f"its layer '{layer.name}' takes the nearest pixel at the unsupported ratio {ratio}")
    return inputs[0].repeat(ratio.numerator, axis=1).repeat(ratio.numerator, axis=2)


_KERNELS = {2: "linear", 3: "cubic"}

_MAX_DENOMINATOR = 16


def _ratio(layer: NcnnLayer) -> Fraction:
    """Factor by which an interpolation resizes both axes."""
    height, width = layer.number(1, 1.0), layer.number(2, 1.0)
    ratio = Fraction(height).limit_denominator(_MAX_DENOMINATOR)
    fits = height == width and abs(ratio - height) < 1e-6 and 0 < ratio <= _MAX_DENOMINATOR
    if not fits or layer.whole(3) or layer.whole(4) or layer.whole(6):
        raise FileError(f"its layer '{layer.name}' resizes to a fixed size or by an unsupported ratio")
    return ratio


def with_last_resize(layers: Sequence[NcnnLayer], built: Built) -> Built:
    """Appends the interpolation at the end of a graph, if any, to the network.

    Real-ESRGAN's video models for scales of 2 and 3 are the one for 4, downscaled.
    """
    last = layers[-1]
    if last.kind != "Interp" or last.whole(0) not in _KERNELS:
        return built
    ratio = _ratio(last)
    image = keras.Input(built.network.inputs[0].shape[1:], name="image")
    resize = RationalResize(
        ratio.numerator, ratio.denominator, _KERNELS[last.whole(0)], dtype="float32", name="resized"
    )
    network = keras.Model(image, resize(built.network(image)), name=built.network.name)
    return dataclasses.replace(built, network=network, details=f"{built.details}, then resized by {ratio}")


def _shuffle(layer: NcnnLayer, inputs: list) -> np.ndarray:
    factor, (_, height, width, channels) = layer.whole(0), inputs[0].shape
    x = inputs[0].reshape(1, height, width, channels // factor**2, factor, factor)
    return x.transpose(0, 1, 4, 2, 5, 3).reshape(1, height * factor, width * factor, channels // factor**2)


def _relu(layer: NcnnLayer, inputs: list) -> np.ndarray:
    return np.where(inputs[0] > 0, inputs[0], inputs[0] * np.float32(layer.number(0)))


_RUN: Mapping[str, Callable[[NcnnLayer, list], np.ndarray]] = {
    "BinaryOp": _binary,
    "Concat": lambda layer, inputs: np.concatenate(inputs, axis=-1),
    "Convolution": _convolution,
    "Dropout": lambda layer, inputs: inputs[0],
    "Eltwise": _eltwise,
    "Interp": _interpolation,
    "MemoryData": lambda layer, inputs: layer.weights["data"],
    "Noop": lambda layer, inputs: inputs[0],
    "PReLU": lambda layer, inputs: np.where(inputs[0] > 0, inputs[0], inputs[0] * layer.weights["slope"]),
    "PixelShuffle": _shuffle,
    "ReLU": _relu,
    "Sigmoid": lambda layer, inputs: _sigmoid(inputs[0]),
    "Split": lambda layer, inputs: inputs[0],
    "Swish": lambda layer, inputs: inputs[0] * _sigmoid(inputs[0]),
    "TanH": lambda layer, inputs: np.tanh(inputs[0]),
}
"""Kind of a layer -> function (layer, inputs) -> outputs."""
