"""JSON requests of TensorFlow Serving's REST API: rows and columns, base64, and numbers in nested lists.

orjson parses large arrays several times as fast as the standard library. The latter handles only what orjson lacks:
`NaN` and `Infinity`, which TensorFlow Serving accepts although JSON has no such numbers.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from tfgan_app.serving.endpoints import IMAGE_INPUT_SUFFIXES, Endpoint
from tfgan_app.serving.errors import invalid, shortened
from tfgan_app.serving.tensors import string_array

_MAX_RANK = 8


@dataclass(frozen=True)
class Document:
    """A parsed request.

    Attributes:
        values: The JSON object.
        signature: Name of the signature, empty for the default.
    """

    values: dict[str, Any]
    signature: str


def parse(body: bytes) -> Document:
    """Parses the body of a predict request.

    Args:
        body: JSON in UTF-8.

    Returns:
        A `Document`.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is not a JSON object or its signature name is not a string.
    """
    if not body.strip():
        raise invalid("JSON Parse error: The document is empty")
    values = _load(body)
    if not isinstance(values, dict):
        raise invalid(f"JSON Value: {_quoted(values)} Is not object")
    signature = values.get("signature_name", "")
    if not isinstance(signature, str):
        raise invalid(f"'signature_name' key must be a string value. Received: {_quoted(signature)}")
    return Document(values, signature)


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"NaN" not in body and b"Infinity" not in body:
            raise invalid(f"JSON Parse error: {error}") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {shortened(str(error))}") from None


def read_inputs(document: Document, endpoint: Endpoint) -> tuple[dict[str, np.ndarray], bool]:
    """Reads the inputs of a request.

    Args:
        document: The result of `parse`.
        endpoint: The signature.

    Returns:
        Name -> array, and whether they came as rows (`instances`), as the answer must then be.

    Raises:
        ServingError: INVALID_ARGUMENT, names the error and its place.
    """
    values = document.values
    reader = _Reader(endpoint)
    if "instances" in values and "inputs" in values:
        raise invalid("expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in values:
        return reader.read_rows(values["instances"]), True
    if "inputs" in values:
        return reader.read_columns(values["inputs"]), False
    raise invalid("Missing 'inputs' or 'instances' key")


class _Reader:
    """Converter of one request's JSON values to arrays."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._infos = endpoint.inputs
        self._endpoint = endpoint

    def read_rows(self, instances: Any) -> dict[str, np.ndarray]:
        if not isinstance(instances, list):
            raise invalid(f"Expecting 'instances' to be a list/array. Received: {_quoted(instances)}")
        if not instances:
            raise invalid("No values in 'instances' array")
        if not _is_named(instances[0]):
            if any(_is_named(item) for item in instances):
                raise invalid("Expecting value/list but got object in the 'instances' list")
            return {self._only_input("instances"): self._array(self._only_input("instances"), instances)}
        for index, item in enumerate(instances):
            if not _is_named(item):
                raise invalid(f"Expecting object but got {_quoted(item)} at item {index} of the 'instances' list")
            if item.keys() != self._infos.keys():
                keys = ", ".join(sorted(self._infos))
                raise invalid(f"Failed to process element: {index} of 'instances' list. Keys must be equal to: {keys}")
        return {name: self._array(name, [item[name] for item in instances]) for name in self._infos}

    def read_columns(self, inputs: Any) -> dict[str, np.ndarray]:
        if not _is_named(inputs):
            return {self._only_input("inputs"): self._array(self._only_input("inputs"), inputs)}
        for name in self._infos:
            if name not in inputs:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
        # TensorFlow Serving ignores unknown names; here a misspelling is an error.
        self._endpoint.check_names(set(inputs))
        return {name: self._array(name, inputs[name]) for name in self._infos}

    def _only_input(self, key: str) -> str:
        if len(self._infos) != 1:
            raise invalid(f"'{key}' is a plain value/list, but the signature has the inputs {', '.join(self._infos)}")
        return next(iter(self._infos))

    def _array(self, name: str, value: Any) -> np.ndarray:
        info = self._infos[name]
        if info.dtype == tf.string:
            return _strings(name, value)
        if not (info.dtype.is_integer or info.dtype.is_floating or info.dtype.is_bool):
            raise invalid(f"Input '{name}' of type {info.dtype.name} cannot be sent as JSON: use gRPC.")
        return _numbers(name, value, info.dtype)


def _is_named(value: Any) -> bool:
    """Returns whether a value is an object of named tensors, not a base64 object."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict) -> bool:
    return len(value) == 1 and isinstance(value.get("b64"), str)


def _flattened(name: str, value: Any) -> tuple[tuple[int, ...], list]:
    """Shape and values of nested lists, whose lengths must match on each level.

    NumPy would convert booleans to numbers, and long text among numbers to an array of text.
    """
    shape: list[int] = []
    leaves = [value]
    while leaves and type(leaves[0]) is list:
        shape.append(len(leaves[0]))
        if len(shape) > _MAX_RANK or set(map(type, leaves)) != {list} or len(set(map(len, leaves))) > 1:
            raise invalid(f"Input '{name}' must be lists of the same length on each level, at most {_MAX_RANK} deep.")
        leaves = list(itertools.chain.from_iterable(leaves))
    return tuple(shape), leaves


def _strings(name: str, value: Any) -> np.ndarray:
    """Converts strings in nested lists to an array of `bytes` objects."""
    shape, leaves = _flattened(name, value)
    return string_array([_string(name, leaf) for leaf in leaves], shape)


def _string(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        if name.endswith(IMAGE_INPUT_SUFFIXES) and _is_data_url(value):
            return _decode_base64(name, value)
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise invalid(f"Input '{name}' holds text that is not valid Unicode: send it as base64") from None
    if isinstance(value, dict) and _is_base64(value):
        return _decode_base64(name, value["b64"])
    if isinstance(value, dict):
        raise invalid(f"Input '{name}': {_quoted(value)} not formatted correctly for base64 data")
    raise invalid(f"Input '{name}': JSON Value: {_quoted(value)} is not of expected type: string")


def _is_data_url(text: str) -> bool:
    return text[:5].lower() == "data:"


def _decode_base64(name: str, text: str) -> bytes:
    if _is_data_url(text):  # The form of `FileReader` and canvases in browsers.
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise invalid(f"Input '{name}': a `data:` URL must be data:TYPE;base64,... Received: {shortened(head)}")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        pass
    # Padding is optional, both alphabets are accepted, and line breaks are ignored.
    text = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"Input '{name}': Unable to base64 decode") from None


def _numbers(name: str, value: Any, dtype: tf.DType) -> np.ndarray:
    """Converts numbers in nested lists to an array, without losing or inventing anything."""
    shape, leaves = _flattened(name, value)
    types = {bool} if dtype.is_bool else {int} if dtype.is_integer else {int, float}
    if not types.issuperset(map(type, leaves)):
        raise invalid(f"Input '{name}': JSON values are not of expected type: {dtype.name}")
    wide = bool if dtype.is_bool else np.float64 if dtype.is_floating else np.uint64 if dtype == tf.uint64 else np.int64
    try:
        array = np.array(leaves, wide).reshape(shape)
    except OverflowError:
        raise invalid(f"Input '{name}' holds numbers that are beyond {dtype.name}") from None
    return array if dtype.is_bool or not array.size else _cast(name, array, dtype)


def _cast(name: str, array: np.ndarray, dtype: tf.DType) -> np.ndarray:
    """Converts an array to the type of the input, if all values fit."""
    finite = array[np.isfinite(array)] if dtype.is_floating else array
    if finite.size and (finite.min() < dtype.min or finite.max() > dtype.max):
        raise invalid(f"Input '{name}': cannot convert JSON values beyond {dtype.min:g} to {dtype.max:g}")
    return array.astype(dtype.as_numpy_dtype)


def _quoted(value: Any) -> str:
    """Start of a JSON value, for a message."""
    kinds: dict[type, str] = {dict: "an object", list: "a list"}
    return kinds.get(type(value)) or shortened(json.dumps(value))
