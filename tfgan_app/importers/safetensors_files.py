"""Reading of safetensors files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from tfgan_app.importers.tensors import BFLOAT16, FileError, from_bytes

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": BFLOAT16,
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Reads all tensors of a file.

    Args:
        path: The file.

    Returns:
        Name -> array; bfloat16 as float32.

    Raises:
        FileError: If it is not such a file, is damaged, or holds another number type.
    """
    try:
        # Not `load_file`, which cannot give bfloat16 to NumPy.
        tensors = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise FileError("it is not a safetensors file, or it is damaged or truncated") from error
    found = {}
    for name, tensor in tensors:
        if tensor["dtype"] not in _DTYPES:
            raise FileError(f"its tensor '{name}' has the type {tensor['dtype']}, expected one of {', '.join(_DTYPES)}")
        found[name] = from_bytes(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return found
