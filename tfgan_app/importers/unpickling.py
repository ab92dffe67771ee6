"""PyTorch's pickles, read without running any code that they name."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

from tfgan_app.importers.tensors import DTYPES, FileError, Storage, StoredTensor

MAX_NUMBERS = 2**33

_DTYPE_NAMES = [
    "float16",
    "float32",
    "float64",
    "bfloat16",
    "half",
    "float",
    "double",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
    "short",
    "int",
    "long",
]


class _Opaque:
    """Placeholder for a value of PyTorch that does not matter for weights, such as a data type."""

    def __init__(self, *args: Any):
        del args


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> StoredTensor:
    del rest  # `requires_grad`, hooks, metadata.
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise FileError("a tensor does not name its storage, shape and strides")
    return StoredTensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor: Any, *rest: Any) -> StoredTensor:
    del rest
    if not isinstance(tensor, StoredTensor):
        raise FileError("a parameter holds no tensor")
    return tensor


def _size(values: Any = ()) -> tuple:
    return tuple(values)


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): _size,
    ("torch", "device"): _Opaque,
    ("torch.serialization", "_get_layout"): _Opaque,
    **{("torch", name): name for name in DTYPES},
    ("torch.storage", "UntypedStorage"): "UntypedStorage",
    ("torch", "UntypedStorage"): "UntypedStorage",
    **{("torch", name): _Opaque() for name in _DTYPE_NAMES},
}
"""All names that a pickle may use: (module, name) -> its replacement here. Storage classes are their own names."""


class WeightsUnpickler(pickle.Unpickler):
    """Unpickler that creates containers, numbers, strings and `StoredTensor`s, and rejects anything else by name.

    Args:
        file: The pickle.
        on_storage: Called with each storage that a tensor names.
    """

    def __init__(self, file: BinaryIO, *, on_storage: Callable[[Storage], None] = lambda storage: None):
        super().__init__(file, encoding="utf-8")
        self._on_storage = on_storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise FileError(
                f"it holds an object of the class '{module}.{name}', but only tensors, numbers, strings and "
                "containers are supported: save only the generator's `state_dict()`"
            )
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """Returns the storage that `('storage', class, key, location, count, ...)` names."""
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise FileError("it refers to something other than a storage")
        kind, key, count = pid[1], pid[2], pid[4]
        if not isinstance(kind, str) or kind not in DTYPES:
            known = ", ".join(DTYPES)
            raise FileError(f"a storage has the type {kind if isinstance(kind, str) else 'unknown'}, not of {known}")
        if not isinstance(key, str) or type(count) is not int or not 0 <= count <= MAX_NUMBERS:
            raise FileError("a storage has no name or an impossible size")
        storage = Storage(key, DTYPES[kind], count)
        self._on_storage(storage)
        return storage


def unpickle(file: BinaryIO, *, on_storage: Callable[[Storage], None] = lambda storage: None) -> Any:
    """Reads one pickle.

    Args:
        file: At its beginning; afterwards at its end.
        on_storage: Called with each storage.

    Raises:
        FileError: If it is damaged, or names anything but tensors and containers.
    """
    try:
        return WeightsUnpickler(file, on_storage=on_storage).load()
    except FileError:
        raise
    except RecursionError as error:
        raise FileError("its containers are nested too deeply") from error
    except Exception as error:  # Damaged pickles fail with any exception type.
        raise FileError("its list of tensors is damaged or truncated") from error
