"""JSON answers of TensorFlow Serving's REST API: rows and columns, base64, and numbers that keep their values.

orjson writes large arrays many times as fast as the standard library. The latter handles only what orjson lacks:
`NaN` and `Infinity`, which TensorFlow Serving writes although JSON has no such numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson

from tfgan_app.serving.errors import invalid

_BYTES_SUFFIX = "_bytes"


def write_outputs(outputs: Mapping[str, np.ndarray], rows: bool) -> bytes:
    """Writes the body of an answer.

    Args:
        outputs: Name -> array; strings as arrays of `bytes` objects.
        rows: Whether to answer in rows (`predictions`) or in columns (`outputs`).

    Returns:
        JSON in UTF-8. Strings of outputs whose names end in `_bytes` are base64 objects. The name of a single output is
        omitted.

    Raises:
        ServingError: INVALID_ARGUMENT, if outputs cannot be answered in rows.
    """
    outputs = {name: np.asarray(array) for name, array in outputs.items()}
    finite = all(array.dtype.kind not in "fV" or bool(np.isfinite(_widened(array)).all()) for array in outputs.values())
    values = {name: _jsonable(name, array, finite=finite) for name, array in outputs.items()}
    if rows:
        _check_rows(outputs)
        answer: dict[str, Any] = {"predictions": _in_rows(values)}
    else:
        answer = {"outputs": values if len(values) > 1 else next(iter(values.values()))}
    if finite:
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(answer, separators=(",", ":")).encode()


def _check_rows(outputs: Mapping[str, np.ndarray]) -> None:
    sizes = {name: array.shape[0] if array.ndim else None for name, array in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) > 1:
        raise invalid(f"Outputs have inconsistent batch sizes {sizes}: send the request in columns, with 'inputs'.")


def _in_rows(values: dict[str, Any]) -> Any:
    if len(values) == 1:
        return next(iter(values.values()))
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _jsonable(name: str, array: np.ndarray, *, finite: bool) -> Any:
    if array.dtype == object:
        return _converted(array.tolist(), lambda data: _text(name, data))
    array = _widened(array)
    if array.ndim == 0 or not finite:
        return _plain_numbers(array)
    return np.ascontiguousarray(array)


def _widened(array: np.ndarray) -> np.ndarray:
    """Converts bfloat16, which neither NumPy nor JSON has, to float32."""
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name == "bfloat16" else array


def _plain_numbers(array: np.ndarray) -> Any:
    """Python numbers; a float32 as the shortest decimal with the same float32 value."""
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        return _converted(array.tolist(), lambda value: float(str(array.dtype.type(value))))
    return array.tolist()


def _converted(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Nested lists with each leaf converted."""
    return [_converted(item, convert) for item in value] if isinstance(value, list) else convert(value)


def _text(name: str, data: bytes | str) -> Any:
    data = data.encode() if isinstance(data, str) else data
    if name.endswith(_BYTES_SUFFIX):
        return {"b64": base64.b64encode(data).decode()}
    return data.decode(errors="replace")
