"""A writer of `torch.save` files without PyTorch, whose every number can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage"}
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class Global:
    """A name that a pickle refers to."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A call that a pickle asks for."""

    function: Global
    arguments: tuple


@dataclass(frozen=True)
class Tensor:
    """A tensor as a pickle describes it; by default all of an array, contiguous.

    Attributes:
        array: The numbers of its storage.
        shape: Its shape.
        strides: Its strides, in numbers.
        offset: Of its first number.
        kind: Name of the storage's class.
        key: Of the storage; by default one of its own.
        count: Of the storage's numbers, as it claims.
    """

    array: np.ndarray
    shape: tuple | None = None
    strides: tuple | None = None
    offset: int = 0
    kind: str | None = None
    key: str | None = None
    count: int | None = None


def bfloat16(array: np.ndarray) -> Tensor:
    """A tensor of the upper halves of float32."""
    halves = (np.ascontiguousarray(array, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return Tensor(halves, kind="BFloat16Storage")


@dataclass
class _Pickle:
    """Writes protocol 2, opcode by opcode."""

    out: io.BytesIO = field(default_factory=io.BytesIO)
    storages: dict[str, Tensor] = field(default_factory=dict)

    def dump(self, value: Any) -> bytes:
        self.out.write(b"\x80\x02")
        self._value(value)
        self.out.write(b".")
        return self.out.getvalue()

    def _value(self, value: Any) -> None:
        if isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, np.ndarray):
            self._tensor(Tensor(value))
        elif isinstance(value, Global):
            self.out.write(f"c{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self._value(value.function)
            self._value(value.arguments)
            self.out.write(b"R")
        elif isinstance(value, Mapping):
            self._mapping(value)
        elif isinstance(value, tuple):
            self.out.write(b"(")
            for each in value:
                self._value(each)
            self.out.write(b"t")
        elif isinstance(value, list):
            self.out.write(b"](")
            for each in value:
                self._value(each)
            self.out.write(b"e")
        else:
            self._plain(value)

    def _plain(self, value: Any) -> None:
        if value is None or isinstance(value, bool):
            self.out.write({None: b"N", True: b"\x88", False: b"\x89"}[value])
        elif isinstance(value, int):
            size = value.bit_length() // 8 + 1
            self.out.write(b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True))
        elif isinstance(value, float):
            self.out.write(b"G" + struct.pack(">d", value))
        else:
            encoded = value.encode()
            self.out.write(b"X" + struct.pack("<I", len(encoded)) + encoded)

    def _mapping(self, value: Mapping) -> None:
        self._value(Call(Global("collections", "OrderedDict"), ()))
        self.out.write(b"(")
        for key, each in value.items():
            self._value(key)
            self._value(each)
        self.out.write(b"u")

    def _tensor(self, tensor: Tensor) -> None:
        array = tensor.array
        key = tensor.key or str(len(self.storages))
        self.storages.setdefault(key, tensor)
        kind = Global("torch", tensor.kind or _STORAGES[str(array.dtype)])
        shape = array.shape if tensor.shape is None else tensor.shape
        strides = tuple(stride // array.itemsize for stride in np.array(array, order="C").strides)
        count = array.size if tensor.count is None else tensor.count
        self.out.write(b"ctorch._utils\n_rebuild_tensor_v2\n(")
        self._value(("storage", kind, key, "cpu", count))
        self.out.write(b"Q")
        for each in (tensor.offset, shape, strides if tensor.strides is None else tensor.strides, False, {}):
            self._value(each)
        self.out.write(b"tR")


def write_zip(
    path: Path, content: Any, *, compression: int = zipfile.ZIP_STORED, extra: Mapping[str, bytes] = {}
) -> Path:
    """Writes a file as PyTorch does since 1.6."""
    pickle = _Pickle()
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickle.dump(content))
        for key, tensor in pickle.storages.items():
            archive.writestr(f"archive/data/{key}", np.ascontiguousarray(tensor.array).tobytes())
        for name, entry in (extra or {}).items():
            archive.writestr(name, entry)
    return path


def write_legacy(path: Path, content: Any, *, little_endian: bool = True) -> Path:
    """Writes a file as PyTorch did before 1.6."""
    pickle = _Pickle()
    body = pickle.dump(content)
    system = {"protocol_version": _PROTOCOL, "little_endian": little_endian, "type_sizes": {"int": 4}}
    head = [_Pickle().dump(value) for value in (_MAGIC, _PROTOCOL, system)]
    with path.open("wb") as file:
        file.write(b"".join([*head, body, _Pickle().dump(list(pickle.storages))]))
        for tensor in pickle.storages.values():
            file.write(struct.pack("<q", tensor.array.size) + np.ascontiguousarray(tensor.array).tobytes())
    return path


def write_pickle(path: Path, content: Any) -> Path:
    """Writes a plain pickle."""
    path.write_bytes(_Pickle().dump(content))
    return path
