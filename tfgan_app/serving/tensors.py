"""Conversion of `TensorProto` messages to arrays and back, without trusting a message's own claims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.serving.endpoints import Endpoint, check_size
from tfgan_app.serving.errors import invalid, shortened

_VALUE_FIELDS = {
    tf.float16: "half_val",
    tf.bfloat16: "half_val",
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    **dict.fromkeys((tf.int8, tf.int16, tf.int32, tf.uint8, tf.uint16), "int_val"),
}


def read_inputs(protos: Mapping[str, Any], endpoint: Endpoint, *, max_pixels: int) -> dict[str, np.ndarray]:
    """Reads the tensors of a request.

    Args:
        protos: Name -> `TensorProto`.
        endpoint: The signature that receives them.
        max_pixels: Largest number of pixels; larger tensors are rejected before they are allocated.

    Returns:
        Name -> array; strings as an array of `bytes` objects.

    Raises:
        ServingError: INVALID_ARGUMENT, if names or types do not match the signature or a message contradicts itself.
    """
    endpoint.check_names(set(protos))
    return {
        name: _read(name, proto, dtype=endpoint.inputs[name].dtype, max_pixels=max_pixels)
        for name, proto in protos.items()
    }


def _read(name: str, proto: Any, *, dtype: tf.DType, max_pixels: int) -> np.ndarray:
    if proto.dtype != dtype.as_datatype_enum:
        raise invalid(f"Input '{name}' must be {dtype.name}. Received: {_type_name(proto.dtype)}.")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise invalid(f"The shape of input '{name}' must be known. Received: {list(shape)}.")
    if dtype == tf.string:
        return _read_strings(name, proto, shape)
    if dtype not in _VALUE_FIELDS:
        raise invalid(f"Inputs of type {dtype.name} are not supported.")
    check_size(name, shape, max_pixels=max_pixels)
    count = math.prod(shape)
    if proto.tensor_content:
        return _read_content(name, proto.tensor_content, shape=shape, dtype=dtype)
    values = getattr(proto, _VALUE_FIELDS[dtype])
    # The last value is repeated for all that follow, and no value means zeros: TensorFlow packs constants so.
    if len(values) > count:
        raise invalid(f"Input '{name}' of shape {list(shape)} takes {count} values. Received: {len(values)}.")
    if not len(values):
        return np.zeros(shape, dtype.as_numpy_dtype)
    try:
        return tf.make_ndarray(proto)
    except (OverflowError, ValueError, TypeError):
        raise invalid(f"Input '{name}' holds values that are not valid {dtype.name}.") from None


def _read_content(name: str, content: bytes, *, shape: tuple[int, ...], dtype: tf.DType) -> np.ndarray:
    expected = math.prod(shape) * dtype.size
    if len(content) != expected:
        raise invalid(
            f"Input '{name}' of shape {list(shape)} and type {dtype.name} takes {expected} bytes. "
            f"Received: {len(content)}."
        )
    return np.frombuffer(content, dtype.as_numpy_dtype).reshape(shape)


def _read_strings(name: str, proto: Any, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    if len(proto.string_val) != count:
        raise invalid(
            f"Input '{name}' of shape {list(shape)} takes {count} strings. Received: {len(proto.string_val)}."
        )
    return string_array(list(proto.string_val), shape)


def string_array(values: list[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """Array of `bytes` objects: NumPy's own strings would lose trailing zeros."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _type_name(number: int) -> str:
    try:
        return tf.as_dtype(number).name
    except (TypeError, KeyError):
        return shortened(f"type number {number}")


def write_output(proto: Any, array: np.ndarray | bytes) -> None:
    """Fills a `TensorProto`.

    Args:
        proto: An empty message.
        array: An output of a signature; a scalar string comes as `bytes`.
    """
    if isinstance(array, (bytes, str)) or array.dtype == object:
        array = np.asarray(array, object)
        proto.dtype = tf.string.as_datatype_enum
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.dtype = tf.as_dtype(array.dtype).as_datatype_enum
        proto.tensor_content = array.tobytes()
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
