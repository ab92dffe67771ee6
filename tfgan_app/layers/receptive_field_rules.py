"""Windows of layers: the inputs that one output depends on, in inference mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import keras
import numpy as np
from keras import layers

from tfgan_app.layers.fused_normalization import BatchNormalization, InstanceNormalization


@dataclass(frozen=True)
class Window:
    """Inputs that output pixel `i` of a layer depends on, along height or width.

    They are those from `stride * i - before` to `stride * i + after`. A user's own layer
    states its window in a method `receptive_field()`.

    Attributes:
        stride: Inputs from one output to the next; `Fraction(1, 2)` where the layer doubles the size.
        before: Inputs that it looks back.
        after: Inputs that it looks ahead.
        period: An input shifted by a multiple of this many pixels gives the same output, shifted.
            The numerator of `stride` counts in any case.
        loss: Inputs that have no output of their own: there are at least `(inputs - loss) / stride` outputs.
        mirrors: Whether it fills the outside of the border with pixels from inside.
        whole: Whether every output depends on all inputs; `before` and `after` are then unused.
    """

    stride: Fraction | int = 1
    before: Fraction | int = 0
    after: Fraction | int = 0
    period: int = 1
    loss: int = 0
    mirrors: bool = False
    whole: bool = False


POINTWISE = Window()
"""Each output depends on its own input pixel alone."""

_WHOLE = Window(whole=True)

_INTERPOLATION_RADII = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


def enlarging_window(factor: int) -> Window:
    """The window where each pixel becomes `factor` pixels that depend on it alone."""
    return Window(Fraction(1, factor), before=Fraction(factor - 1, factor))


def interpolation_window(factor: int, radius: int) -> Window:
    """The window of an enlargement by interpolation between pixel centers.

    Args:
        factor: Factor of the enlargement.
        radius: Pixels on either side that it takes: 1 for bilinear interpolation, 2 for bicubic.
    """
    places = [Fraction(2 * i + 1 - factor, 2 * factor) for i in range(factor)]
    return Window(
        Fraction(1, factor),
        before=max(Fraction(i, factor) - math.floor(place - radius) - 1 for i, place in enumerate(places)),
        after=max(math.ceil(place + radius) - 1 - Fraction(i, factor) for i, place in enumerate(places)),
    )


def window_of(operation: keras.Operation, axis: int) -> Window | None:
    """The window of a layer or an operation of `keras.ops` over `[batch, height, width, channels]`.

    Args:
        operation: A layer, or another node of a model's graph.
        axis: 0 for height, 1 for width.

    Returns:
        Its window, or `None` if it is not known.
    """
    if hasattr(operation, "receptive_field"):
        return operation.receptive_field()
    # A subclass may compute anything, so the type itself has to be known.
    find = _LAYERS.get(type(operation)) or _OPERATIONS.get(_operation_name(operation))
    return find(operation, axis) if find else None


def _convolution(layer, axis: int) -> Window | None:
    span = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    return _if_activated(layer, _sliding(layer, axis, span=span))


def _pooling(layer, axis: int) -> Window | None:
    return _sliding(layer, axis, span=layer.pool_size[axis])


def _sliding(layer, axis: int, *, span: int) -> Window | None:
    """The window of a kernel that covers `span` inputs."""
    stride = layer.strides[axis]
    if layer.data_format != "channels_last" or layer.padding not in ("same", "valid"):
        return None
    if layer.padding == "valid":
        return Window(stride, after=span - 1, loss=span - 1)
    # With a stride, how much of the padding TensorFlow puts in front depends on the size of the image.
    return Window(stride, before=(span - 1) // 2, after=span - 1 - max(span - stride, 0) // 2)


def _transposed_convolution(layer, axis: int) -> Window | None:
    stride = layer.strides[axis]
    if layer.data_format != "channels_last" or layer.output_padding is not None:
        return None
    span = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
    cut = max(span - stride, 0) // 2 if layer.padding == "same" else 0
    window = Window(Fraction(1, stride), before=Fraction(span - 1 - cut, stride), after=Fraction(cut, stride))
    return _if_activated(layer, window)


def _dense(layer, axis: int) -> Window | None:
    return _if_activated(layer, POINTWISE)


def _if_activated(layer, window: Window | None) -> Window | None:
    """The window, unless the layer ends in an activation that may be any function."""
    activation = layer.activation
    known = activation is None or activation in vars(keras.activations).values()
    return window if known or window_of(activation, 0) == POINTWISE else None


def _upsampling(layer, axis: int) -> Window | None:
    if layer.data_format != "channels_last":
        return None
    if layer.interpolation == "nearest":
        return enlarging_window(layer.size[axis])
    return interpolation_window(layer.size[axis], _INTERPOLATION_RADII[layer.interpolation])


def _zero_padding(layer, axis: int) -> Window | None:
    return _margins(layer, layer.padding[axis], added=True)


def _cropping(layer, axis: int) -> Window | None:
    return _margins(layer, layer.cropping[axis], added=False)


def _margins(layer, margins: tuple[int, int], *, added: bool) -> Window | None:
    if layer.data_format != "channels_last":
        return None
    shift, loss = (margins[0], -sum(margins)) if added else (-margins[0], sum(margins))
    return Window(before=shift, after=-shift, loss=loss)


def _pad(operation, axis: int) -> Window | None:
    widths = operation.pad_width
    if operation.mode not in ("constant", "reflect", "symmetric") or len(widths) != 4:
        return None
    before, after = widths[axis + 1]
    return Window(before=before, after=-before, loss=-before - after, mirrors=operation.mode != "constant")


def _depth_to_space(operation, axis: int) -> Window | None:
    return enlarging_window(operation.block_size) if operation.data_format == "channels_last" else None


def _space_to_depth(operation, axis: int) -> Window | None:
    if operation.data_format != "channels_last":
        return None
    return Window(operation.block_size, after=operation.block_size - 1)


def _pointwise(operation, axis: int) -> Window:
    return POINTWISE


def _over_channels(operation, axis: int) -> Window | None:
    """The window of an operation along one axis: pointwise if that is the channels."""
    return POINTWISE if np.ravel(operation.axis).tolist() in ([-1], [3]) else None


def _group_normalization(layer, axis: int) -> Window:
    return _WHOLE


def _prelu(layer, axis: int) -> Window | None:
    return POINTWISE if list(layer.shared_axes or ()) == [1, 2] else None


def _rescaling(layer, axis: int) -> Window | None:
    return POINTWISE if np.ndim(layer.scale) <= 1 and np.ndim(layer.offset) <= 1 else None


def _wrapped(layer, axis: int) -> Window | None:
    return window_of(layer.layer, axis)


_LAYERS: dict[type, Callable[[keras.Operation, int], Window | None]] = {
    **dict.fromkeys((layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D), _convolution),
    **dict.fromkeys((layers.MaxPooling2D, layers.AveragePooling2D), _pooling),
    layers.Activation: lambda layer, axis: _if_activated(layer, POINTWISE),
    layers.Conv2DTranspose: _transposed_convolution,
    layers.Cropping2D: _cropping,
    layers.Dense: _dense,
    **dict.fromkeys((layers.GroupNormalization, InstanceNormalization), _group_normalization),
    layers.PReLU: _prelu,
    layers.Rescaling: _rescaling,
    layers.SpectralNormalization: _wrapped,
    layers.UpSampling2D: _upsampling,
    layers.ZeroPadding2D: _zero_padding,
    **dict.fromkeys(
        (
            BatchNormalization,
            layers.BatchNormalization,
            layers.Concatenate,
            layers.LayerNormalization,
            layers.Normalization,
            layers.Softmax,
            layers.UnitNormalization,
        ),
        _over_channels,
    ),
    **dict.fromkeys(
        (
            layers.ActivityRegularization,
            layers.Add,
            layers.Average,
            layers.Dropout,
            layers.ELU,
            layers.GaussianDropout,
            layers.GaussianNoise,
            layers.Identity,
            layers.LeakyReLU,
            layers.Maximum,
            layers.Minimum,
            layers.Multiply,
            layers.ReLU,
            layers.SpatialDropout2D,
            layers.Subtract,
        ),
        _pointwise,
    ),
}

_POINTWISE_OPERATIONS = """
    Abs Absolute Add Cast Celu Clip Copy Cos Divide DivideNoNan Elu Exp Expm1 Gelu HardSigmoid HardSilu HardTanh
    Identity LeakyRelu Log Log1p LogSigmoid Maximum Minimum Mod Multiply Negative Power Reciprocal Relu Relu6 Round
    Selu Sigmoid Sign Silu Sin Softplus Softsign Sqrt Square StopGradient Subtract Tanh TrueDivide Where
"""

_OPERATIONS: dict[str, Callable[[keras.Operation, int], Window | None]] = {
    **dict.fromkeys(_POINTWISE_OPERATIONS.split(), _pointwise),
    **dict.fromkeys(("Concatenate", "Glu", "LogSoftmax", "Softmax"), _over_channels),
    "DepthToSpace": _depth_to_space,
    "Pad": _pad,
    "SpaceToDepth": _space_to_depth,
}
"""By name, since `keras.ops` offers the functions that make such nodes, but not their types."""


def _operation_name(operation: keras.Operation) -> str:
    kind = type(operation)
    return kind.__name__ if kind.__module__.startswith("keras.src.ops.") else ""
