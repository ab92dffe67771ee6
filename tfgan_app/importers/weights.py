"""The named tensors of a file, each used exactly once, and their transfer into layers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import numpy as np

_NAMED = 6
"""Most names listed in a message."""

KERNEL, VECTOR = (None,) * 4, (None,)
"""Shapes of any sizes."""


class Weights:
    """Name -> tensor of a file, with a record of the tensors that were used.

    Args:
        tensors: Name -> array of any float type.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self._tensors = dict(tensors)
        self._used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def __iter__(self):
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def has(self, *names: str) -> bool:
        """Returns whether all of these exist."""
        return all(name in self._tensors for name in names)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor.

        Raises:
            ValueError: If it is missing.
        """
        if name not in self._tensors:
            raise ValueError(f"the tensor '{name}' is missing")
        return self._tensors[name].shape

    def kernel(self, name: str) -> tuple[int, int, int, int]:
        """Returns the shape of a convolution's kernel, `[out, in, height, width]` (transposed: `[in, out, ...]`).

        Raises:
            ValueError: If it is missing or has another rank.
        """
        shape = self.shape(name)
        if len(shape) != 4 or 0 in shape:
            raise ValueError(f"the tensor '{name}' should be a kernel of 4 dimensions, but has the shape {list(shape)}")
        return shape

    def take(self, name: str, shape: Sequence[int | None] | None = None) -> np.ndarray:
        """A tensor as float32; from now on it counts as used.

        Args:
            name: Its name.
            shape: The sizes that it should have, None being any; by default it may have any shape.

        Raises:
            ValueError: If it is missing, was used before, is of another shape, or has a number that is not finite.
        """
        received = self.shape(name)
        if shape is not None and (
            len(received) != len(shape) or any(it not in (None, size) for it, size in zip(shape, received, strict=True))
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"the tensor '{name}' should be of shape [{wanted}], and is of {list(received)}")
        if name in self._used:
            raise ValueError(f"the tensor '{name}' would be used twice")
        self._used.add(name)
        with np.errstate(over="ignore"):
            tensor = self._tensors[name].astype(np.float32)
        if not np.isfinite(tensor).all():
            raise ValueError(f"the tensor '{name}' holds NaN or infinite values")
        return tensor

    def largest(self, name: str) -> float:
        """The largest number of a tensor, which does not count as used for it; minus infinity of an empty one."""
        self.shape(name)
        return float(self._tensors[name].max(initial=-np.inf))

    def leave(self, pattern: str) -> None:
        """Marks tensors that match a pattern as used, since inference does not need them, such as counters."""
        self._used |= {name for name in self._tensors if re.fullmatch(pattern, name)}

    def unused(self) -> list[str]:
        """Returns the names of the tensors that were not used."""
        return [name for name in self._tensors if name not in self._used]

    def count(self, pattern: str, *, first: int = 0) -> int:
        """Counts consecutive numbers, from `first` on, that a pattern's first group matches at the beginning of names.

        Raises:
            ValueError: If the numbers have gaps.
        """
        found = {match[1] for name in self._tensors if (match := re.match(pattern, name))}
        if found != {str(number) for number in range(first, first + len(found))}:
            raise ValueError(f"the tensors '{pattern}' are numbered with gaps")
        return len(found)


def listed(names: Iterable[str]) -> str:
    """Some names for a message, and the number of others."""
    names = list(names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_NAMED]) + more


class Filler:
    """Transfers tensors into the layers of a network, in Keras' layouts.

    Args:
        network: The model; each of its layers with weights must be filled once.
        weights: The tensors.
    """

    def __init__(self, network: keras.Model, weights: Weights):
        self.network = network
        self._weights = weights
        self._filled: set[str] = set()

    def convolution(
        self,
        layer: str,
        source: str,
        *,
        shuffle: int = 1,
        unshuffle: int = 1,
        change: Callable[[np.ndarray], np.ndarray] = lambda kernel: kernel,
    ) -> None:
        """Fills a `Conv2D`.

        Args:
            layer: Its name.
            source: Prefix of `.weight` and `.bias`; the file has a bias if the layer has one.
            shuffle: Factor of the `PixelShuffle` after it: PyTorch numbers the sub-pixels of a channel consecutively.
            unshuffle: Factor of the `PixelUnshuffle` before it.
            change: Function applied first to the kernel `[out, in, height, width]`.
        """
        kernel = change(self._weights.take(f"{source}.weight", KERNEL))
        kernel = shuffled(shuffled(kernel, shuffle, axis=0), unshuffle, axis=1)
        arrays = [kernel.transpose(2, 3, 1, 0)]
        if self._layer(layer).use_bias:
            arrays.append(shuffled(self._weights.take(f"{source}.bias", VECTOR), shuffle, axis=0))
        self.arrays(layer, arrays, source)

    def transposed(self, layer: str, source: str) -> None:
        """Fills a `Conv2DTranspose`; PyTorch's kernel is `[in, out, height, width]`."""
        arrays = [self._weights.take(f"{source}.weight", KERNEL).transpose(2, 3, 1, 0)]
        if self._layer(layer).use_bias:
            arrays.append(self._weights.take(f"{source}.bias"))
        self.arrays(layer, arrays, source)

    def depthwise(self, layer: str, source: str) -> None:
        """Fills a `DepthwiseConv2D` with bias from a convolution in as many groups as channels."""
        kernel = self._weights.take(f"{source}.weight", KERNEL).transpose(2, 3, 0, 1)
        self.arrays(layer, [kernel, self._weights.take(f"{source}.bias")], source)

    def batch_normalization(self, layer: str, source: str) -> None:
        """Fills a `BatchNormalization` with gain, bias and running statistics."""
        self._weights.leave(re.escape(source) + r"\.num_batches_tracked")
        names = ("weight", "bias", "running_mean", "running_var")
        self.arrays(layer, [self._weights.take(f"{source}.{name}") for name in names], source)

    def normalization(self, layer: str, source: str) -> None:
        """Fills a normalization over each image with gain and bias; running statistics of the file are ignored."""
        self._weights.leave(re.escape(source) + r"\.(num_batches_tracked|running_mean|running_var)")
        if self._layer(layer).weights:
            self.arrays(layer, [self._weights.take(f"{source}.{name}") for name in ("weight", "bias")], source)

    def slopes(self, layer: str, slopes: np.ndarray, source: str) -> None:
        """Fills a `ParametricReLU`, from one slope for all channels or one for each."""
        shape = tuple(self._layer(layer).weights[0].shape)
        if slopes.ndim != 1 or slopes.size not in (1, shape[-1]):
            raise ValueError(
                f"the tensor '{source}.weight' should hold {shape[-1]} slopes, and is of shape {list(slopes.shape)}"
            )
        self.arrays(layer, [np.broadcast_to(slopes, shape)], source)

    def arrays(self, layer: str, arrays: list[np.ndarray], source: str) -> None:
        """Fills a layer with arrays in Keras' order and layouts.

        Raises:
            ValueError: If a shape differs.
        """
        kept = self._layer(layer)
        expected, received = [tuple(weight.shape) for weight in kept.weights], [array.shape for array in arrays]
        if expected != received:
            raise ValueError(
                f"the tensors of '{source}' should have the shapes {_shapes(expected)} but have {_shapes(received)} "
                "(height, width and channels last)"
            )
        kept.set_weights(arrays)
        self._filled.add(layer)

    def finish(self) -> None:
        """Checks that each layer was filled and each tensor used.

        Raises:
            ValueError: If tensors are left over; the message names them.
        """
        empty = [layer.name for layer in self.network.layers if layer.weights and layer.name not in self._filled]
        if empty:
            raise AssertionError(f"Layers without weights of the file: {empty}")
        unused = self._weights.unused()
        if unused:
            raise ValueError(f"it has {len(unused)} tensors that the architecture does not have: {listed(unused)}")

    def _layer(self, name: str) -> keras.layers.Layer:
        return self.network.get_layer(name)


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes)


def shuffled(array: np.ndarray, factor: int, *, axis: int) -> np.ndarray:
    """Reorders channels from PyTorch's pixel shuffle (channel, sub-pixel) to ours (sub-pixel, channel)."""
    if factor == 1:
        return array
    channels, left = divmod(array.shape[axis], factor**2)
    if left:
        raise ValueError(f"{array.shape[axis]} channels cannot be shuffled to {factor} x {factor} pixels")
    order = np.arange(channels * factor**2).reshape(channels, factor**2).T.reshape(-1)
    return np.take(array, order, axis=axis)


def square_root(number: int, *, of: str) -> int:
    """Integer root of a square number.

    Args:
        number: The square number.
        of: Name of the tensor for the message.

    Raises:
        ValueError: If it is not a square number.
    """
    root = math.isqrt(max(number, 0))
    if root < 1 or root * root != number:
        raise ValueError(f"the number of channels of '{of}' does not fit a pixel shuffle")
    return root
