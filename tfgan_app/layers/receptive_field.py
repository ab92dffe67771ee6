"""Receptive field and memory use of a model, read off its graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import keras
import numpy as np

from tfgan_app.files import first_line
from tfgan_app.layers.receptive_field_rules import Window, window_of
from tfgan_app.receptive_field import ReceptiveField

_PROBE_PX = 64


def receptive_field_of(model: keras.Model) -> ReceptiveField:
    """Receptive field of a model in inference mode, read off its graph.

    Each layer's `Window` widens the interval of inputs that a pixel depends on, in exact fractions of input pixels;
    the models inside of a model are followed too.

    Args:
        model: float `[batch, height, width, channels]` -> `[batch, scale * height, scale * width, channels]`.

    Returns:
        The receptive field. One unknown layer, or one that looks at all of its input, makes `halo_px` None.

    Raises:
        ValueError: If the model does not have one image as input and one as output, or fails on a small one.
    """
    graph = _graph_of(model)
    if graph is None:
        return probed_receptive_field(model)
    _check_images(graph)
    (output,) = _GraphWalk().run(graph, [_Reach()])
    rows, columns = output.axes
    multiple = math.lcm(rows.period, columns.period)
    if rows.stride is None or rows.stride != columns.stride or rows.stride.numerator != 1:
        return replace(probed_receptive_field(model), multiple=multiple)
    contexts = [rows.halo_px(), columns.halo_px()]
    return ReceptiveField(rows.stride.denominator, None if None in contexts else max(contexts), multiple)


def _check_images(graph: keras.Function) -> None:
    inputs, outputs = ([tuple(tensor.shape) for tensor in tensors] for tensors in (graph.inputs, graph.outputs))
    if [len(shape) for shape in [*inputs, *outputs]] != [4, 4]:
        raise ValueError(
            "The model must map one tensor [batch, height, width, channels] to one such tensor. "
            f"Received: {inputs} -> {outputs}."
        )


def probed_receptive_field(model: Callable) -> ReceptiveField:
    """Receptive field of an opaque model: only its scale is known, from a run on a small image.

    Args:
        model: float32 `[batch, height, width, 3]` in [0, 1] -> `[batch, scale * height, scale * width, 3]`.

    Raises:
        ValueError: If it gives no image. One line.
    """
    try:
        outputs = model(keras.ops.zeros((1, _PROBE_PX, _PROBE_PX, 3)))
        return ReceptiveField(max(1, round(outputs.shape[1] / _PROBE_PX)), None)
    except Exception as error:  # Any code may run here.
        message = f"The model fails on an image of {_PROBE_PX} x {_PROBE_PX} pixels: {first_line(error)}"
        raise ValueError(message) from error


def feature_bytes_per_px(model: keras.Model) -> int | None:
    """Peak memory of the feature maps of a running model, in bytes per input pixel.

    Args:
        model: As for `receptive_field_of`.

    Returns:
        Bytes per input pixel, or None if the size of a feature map is unknown.
    """
    graph = _graph_of(model)
    if graph is None:
        return None
    walk = _GraphWalk()
    walk.run(graph, [_Reach(_bytes_per_px(tensor, _Reach().axes)) for tensor in graph.inputs])
    last_use = {id(reach): index for index, (seen, _) in enumerate(walk.calls) for reach in seen}
    alive: dict[int, Fraction | None] = {}
    peak = Fraction(0)
    for index, (seen, made) in enumerate(walk.calls):
        alive.update({id(reach): reach.bytes_per_px for reach in [*seen, *made]})
        if None in alive.values():
            return None
        peak = max(peak, sum(alive.values(), Fraction(0)))
        alive = {key: size for key, size in alive.items() if last_use.get(key, index) > index}
    return math.ceil(peak)


@dataclass(frozen=True)
class _AxisReach:
    """Reach of element `i` of a tensor: input pixels from `stride * i + low` to `stride * i + high`.

    Attributes:
        stride: Input pixels from one element to the next; None where unknown.
        low: First input pixel, for element 0.
        high: Last input pixel, for element 0.
        loss: Input pixels by which the tensor may end before the image does.
        period: The `multiple` of `ReceptiveField` so far.
        mirror: The largest distance by which a pixel may lie beyond a point that a layer so far mirrors about, twice.
            None where none does.
        whole: Whether it depends on the whole image.
    """

    stride: Fraction | None = Fraction(1)
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    loss: Fraction = Fraction(0)
    period: int = 1
    mirror: Fraction | None = None
    whole: bool = False

    def through(self, window: Window | None) -> _AxisReach:
        """The reach of the output of a layer over this tensor."""
        if window is None or self.stride is None:
            return replace(self, stride=None, whole=True)
        reach = self.mirrored() if window.mirrors else self
        period = self.stride * math.lcm(window.period, Fraction(window.stride).numerator)
        return replace(
            reach,
            stride=self.stride * window.stride,
            low=reach.low - self.stride * window.before,
            high=reach.high + self.stride * window.after,
            loss=self.loss + self.stride * window.loss,
            period=math.lcm(self.period, period.numerator),
            whole=self.whole or window.whole,
        )

    def mirrored(self) -> _AxisReach:
        """The reach with both sides equal, since mirrored pixels lie on the other side of the mirror.

        A mirrored pixel is at most as far away as the one that it stands for, if the pixel lies on the inside of the
        mirror. It may lie beyond by half a stride and the loss.
        """
        beyond = self.stride + 2 * max(self.loss, Fraction(0))
        radius, center = self._radius(), (self.stride - 1) / 2
        return replace(self, low=center - radius, high=center + radius, mirror=max(beyond, self.mirror or Fraction(0)))

    def halo_px(self) -> int | None:
        """The largest distance in input pixels between the pixel of an output and one that it depends on."""
        if self.whole:
            return None
        low, high = self.low, self.high
        if self.mirror is not None:
            radius = self._radius() + max(self.mirror - self.stride, Fraction(0))
            low, high = (self.stride - 1) / 2 - radius, (self.stride - 1) / 2 + radius
        places = [self.stride * index for index in range(self.stride.denominator)]
        return max(0, *(-math.ceil(place + low) for place in places), *(math.floor(place + high) for place in places))

    def _radius(self) -> Fraction:
        center = (self.stride - 1) / 2
        return max(center - self.low, self.high - center)


def _joined(reaches: Sequence[_AxisReach]) -> _AxisReach:
    """The reach of a pixelwise combination of several tensors."""
    # A tensor without height and width, such as a mean over all pixels, fits any stride.
    strides = {reach.stride for reach in reaches} - {None}
    fits = len(strides) == 1
    mirrors = [reach.mirror for reach in reaches if reach.mirror is not None]
    return _AxisReach(
        stride=strides.pop() if fits else None,
        low=min(reach.low for reach in reaches),
        high=max(reach.high for reach in reaches),
        loss=max(reach.loss for reach in reaches),
        period=math.lcm(*(reach.period for reach in reaches)),
        mirror=max(mirrors, default=None),
        whole=not fits or any(reach.whole for reach in reaches),
    )


@dataclass(frozen=True, eq=False)
class _Reach:
    """Reach of a tensor along height and width, and its size where that is known."""

    bytes_per_px: Fraction | None = Fraction(0)
    axes: tuple[_AxisReach, _AxisReach] = (_AxisReach(), _AxisReach())


class _GraphWalk:
    """Follows graphs call by call.

    Attributes:
        calls: For each call of a layer its input and its output tensors, in the order of a run.
    """

    def __init__(self):
        self.calls: list[tuple[list[_Reach], list[_Reach]]] = []

    def run(self, graph: keras.Function, inputs: Sequence[_Reach]) -> list[_Reach]:
        """The reaches of the outputs of a graph from those of its inputs."""
        reaches = dict(zip(map(id, graph.inputs), inputs, strict=True))
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if not node.is_input and all(id(tensor) in reaches for tensor in node.input_tensors):
                    made = self._call(node, [reaches[id(tensor)] for tensor in node.input_tensors])
                    reaches.update(zip(map(id, node.outputs), made, strict=True))
        return [reaches[id(tensor)] for tensor in graph.outputs]

    def _call(self, node, seen: list[_Reach]) -> list[_Reach]:
        graph = _graph_of(node.operation)
        known = node.arguments.kwargs.get("training") is not True and not _has_maps(node)
        if graph and known:
            return self.run(graph, seen)
        windows = [window_of(node.operation, axis) if known and not graph else None for axis in (0, 1)]
        height, width = (_joined([it.axes[axis] for it in seen]).through(windows[axis]) for axis in (0, 1))
        axes = (height, width)
        made = [_Reach(_bytes_per_px(tensor, axes), axes) for tensor in node.outputs]
        self.calls.append((seen, made))
        return made


def _has_maps(node) -> bool:
    """Whether constants with a height or width take part in a call: their effect depends on the place."""
    arguments = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    constants = [it for it in arguments if hasattr(it, "shape") and not isinstance(it, keras.KerasTensor)]
    return any(size != 1 for constant in constants for size in tuple(constant.shape)[:-1])


def _bytes_per_px(tensor: keras.KerasTensor, axes: Sequence[_AxisReach]) -> Fraction | None:
    if len(tensor.shape) != 4:
        return Fraction(0)
    if None in (axes[0].stride, axes[1].stride, tensor.shape[3]):
        return None if None in tensor.shape[1:] else Fraction(0)
    itemsize = 2 if tensor.dtype == "bfloat16" else np.dtype(tensor.dtype).itemsize
    return Fraction(tensor.shape[3] * itemsize) / (axes[0].stride * axes[1].stride)


def _graph_of(operation: keras.Operation) -> keras.Function | None:
    """The graph of a functional or sequential model, None for anything else."""
    # A subclass may have a `call` of its own that has nothing to do with its graph.
    if not type(operation).call.__module__.startswith("keras.src."):
        return None
    graph = operation._functional if isinstance(operation, keras.Sequential) else operation
    return graph if isinstance(graph, keras.Function) else None
