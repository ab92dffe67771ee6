"""Signatures of a SavedModel, and the checks between a request and TensorFlow.

TensorFlow aborts the whole process on some inputs that a graph was not traced for, such as a tensor of another rank.
So names, types and shapes are checked against the signature here, before anything runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.serving.errors import invalid, shortened
from tfgan_app.serving.image_size import pixels_to_decode

IMAGE_INPUT_SUFFIXES = ("image_bytes", "style_bytes")
"""Suffix of inputs that hold image files."""

_MAX_CHANNELS = 4
"""Values that a tensor may hold for each pixel that a request may hold."""


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        dtype: Data type.
        shape: Dimensions, `None` for any size; `None` as a whole if the rank is unknown.
    """

    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    @classmethod
    def from_proto(cls, info: Any) -> TensorInfo:
        """Reads a `TensorInfo` proto of a `SignatureDef`."""
        shape = tf.TensorShape(info.tensor_shape)
        return cls(tf.as_dtype(info.dtype), None if shape.rank is None else tuple(shape.as_list()))

    @property
    def batched(self) -> bool:
        """Whether the first dimension is a batch of any size."""
        return bool(self.shape) and self.shape[0] is None


@dataclass(frozen=True)
class Endpoint:
    """One signature that can be called.

    Attributes:
        name: Name of the signature.
        inputs: Name -> `TensorInfo`.
        outputs: Name -> `TensorInfo`.
        function: Takes a tensor for each input by name and returns a dict of tensors.
        mergeable: Whether rows of several requests may run as one batch. False if all inputs are strings: graphs decode
            files one by one, so nothing would be gained and one bad file would spoil all.
    """

    name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    function: Callable
    mergeable: bool

    @classmethod
    def from_signature(cls, name: str, signature_def: Any, function: Callable) -> Endpoint:
        """Describes a loaded signature.

        Args:
            name: Name of the signature.
            signature_def: Its `SignatureDef` proto.
            function: The function from `tf.saved_model.load`.
        """
        inputs = {key: TensorInfo.from_proto(info) for key, info in sorted(signature_def.inputs.items())}
        outputs = {key: TensorInfo.from_proto(info) for key, info in sorted(signature_def.outputs.items())}
        described = cls(name, inputs, outputs, function, mergeable=False)
        numeric = any(info.dtype != tf.string for info in inputs.values())
        return dataclasses.replace(described, mergeable=described.has_rows and numeric)

    @property
    def has_rows(self) -> bool:
        """Whether all inputs and outputs are batches of any size, row by row."""
        return all(info.batched for info in (*self.inputs.values(), *self.outputs.values()))

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the signature on checked arrays, and returns its outputs as arrays."""
        tensors = {name: tf.constant(array, self.inputs[name].dtype) for name, array in inputs.items()}
        return {name: tensor.numpy() for name, tensor in self.function(**tensors).items()}

    def check_names(self, names: set[str]) -> None:
        """Raises INVALID_ARGUMENT unless there is exactly one array for each input."""
        expected = set(self.inputs)
        if names != expected:
            extra, missing = (", ".join(sorted(some)) for some in (names - expected, expected - names))
            raise invalid(
                f"The inputs of signature '{self.name}' are: {', '.join(sorted(expected))}. "
                f"Missing: {shortened(missing) or 'none'}. Not known: {shortened(extra) or 'none'}."
            )

    def check(self, inputs: Mapping[str, np.ndarray], *, max_batch: int, max_pixels: int) -> int:
        """Checks the inputs of a request.

        Args:
            inputs: An array for each input, strings as arrays of `bytes` objects.
            max_batch: Largest number of rows.
            max_pixels: Largest number of pixels in all images together.

        Returns:
            Number of rows of the request; 1 for a signature without a batch dimension.

        Raises:
            ServingError: INVALID_ARGUMENT, names the wrong input and the reason.
        """
        self.check_names(set(inputs))
        for name, array in inputs.items():
            self._check_shape(name, array.shape)
        rows = self._check_rows(inputs, max_batch)
        pixels = sum(self._pixels(name, array) for name, array in inputs.items())
        if pixels > max_pixels:
            raise invalid(
                f"The images of a request may have at most {max_pixels} pixels together. Received: {pixels}. "
                "Send fewer at a time, smaller ones, or crops."
            )
        return rows

    def _check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        expected = self.inputs[name].shape
        if expected is not None:
            same_rank = len(shape) == len(expected)
            if not same_rank or any(want not in (None, size) for want, size in zip(expected, shape, strict=True)):
                wanted = ", ".join("any" if size is None else str(size) for size in expected)
                raise invalid(f"Input '{name}' must have the shape [{wanted}]. Received: {list(shape)}.")
        if 0 in shape:
            raise invalid(f"Input '{name}' is empty. Received the shape {list(shape)}.")

    def _check_rows(self, inputs: Mapping[str, np.ndarray], max_batch: int) -> int:
        counts = {name: len(array) for name, array in inputs.items() if self.inputs[name].batched}
        rows = max(counts.values(), default=1)
        if rows > max_batch:
            raise invalid(f"A request may have at most {max_batch} rows. Received: {rows}. Send several requests.")
        if len(set(counts.values())) > 1:
            raise invalid(f"All inputs must have the same number of rows. Received: {counts}.")
        return rows

    def _pixels(self, name: str, array: np.ndarray) -> int:
        if array.dtype == object:
            return _pixels_of_files(name, array) if name.endswith(IMAGE_INPUT_SUFFIXES) else 0
        return _pixels_of_shape(array.shape)


def _pixels_of_files(name: str, files: np.ndarray) -> int:
    total = 0
    for index, data in enumerate(files.ravel()):
        try:
            total += pixels_to_decode(data)
        except ValueError as error:
            raise invalid(f"Input '{name}', image {index} cannot be read: {error}.") from None
    return total


def _pixels_of_shape(shape: tuple[int, ...]) -> int:
    """Pixels of images `[batch, height, width, channels]`; other tensors may hold as many values as images."""
    values = math.prod(shape)
    return max(values // shape[-1] if len(shape) == 4 else 0, math.ceil(values / _MAX_CHANNELS))


def check_size(name: str, shape: tuple[int, ...], *, max_pixels: int) -> None:
    """Raises INVALID_ARGUMENT if a numeric tensor is too large, before anything is allocated for it."""
    if 0 not in shape and _pixels_of_shape(shape) > max_pixels:
        raise invalid(f"Input '{name}' must have at most {max_pixels} pixels. Received: {list(shape)}.")
