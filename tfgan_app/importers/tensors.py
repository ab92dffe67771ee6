"""PyTorch's stored tensors: views of a storage through strides, with checked bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

MAX_DIMENSIONS = 8

BFLOAT16 = "bfloat16"

DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
"""PyTorch's storage class -> number type."""


class FileError(ValueError):
    """A weights file that cannot be read; the message is one line with the reason, without the file's name."""


def item_bytes(dtype: str) -> int:
    """Bytes of one number."""
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def from_bytes(content: bytes | memoryview, dtype: str) -> np.ndarray:
    """Converts little-endian numbers to an array; bfloat16, which NumPy lacks, becomes float32."""
    if dtype == BFLOAT16:
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(content, np.dtype(dtype).newbyteorder("<"))


@dataclass(frozen=True)
class Storage:
    """A run of numbers in a file.

    Attributes:
        key: Its name in the file.
        dtype: A value of `DTYPES`.
        count: Count of its numbers.
    """

    key: str
    dtype: str
    count: int

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.count * item_bytes(self.dtype)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that has not been read yet.

    Attributes:
        storage: Storage of its numbers.
        offset: Index of its first number in the storage.
        shape: Its shape.
        strides: Index steps along each axis.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self):
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
            raise FileError("a tensor has a size, stride or offset that is not a natural number")
        if len(self.shape) != len(self.strides) or len(self.shape) > MAX_DIMENSIONS:
            raise FileError(f"a tensor has {len(self.shape)} sizes but {len(self.strides)} strides")
        if 0 in self.shape:
            return
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if last >= self.storage.count:
            raise FileError(f"a tensor of shape {list(self.shape)} reaches beyond its storage")
        if math.prod(self.shape) > self.storage.count:
            raise FileError(f"a tensor of shape {list(self.shape)} has more numbers than its storage")

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Extracts the tensor from the numbers of its storage, as a copy."""
        if 0 in self.shape:
            return np.zeros(self.shape, numbers.dtype)
        strides = [stride * numbers.itemsize for stride in self.strides]
        # Safe: the last index was checked against the storage, whose length was checked against the file.
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)
        return np.array(view)
