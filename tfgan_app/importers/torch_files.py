"""Files of `torch.save`: zip archives since PyTorch 1.6, and sequences of pickles before."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tfgan_app.importers.tensors import FileError, Storage, StoredTensor, from_bytes
from tfgan_app.importers.unpickling import unpickle

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_MAX_PICKLE_BYTES = 2**26
_MAX_ENTRIES = 100_000
_MAX_DEPTH = 16


def read_torch_file(path: Path) -> Any:
    """Reads a file written by `torch.save`.

    Args:
        path: The file.

    Returns:
        Containers, numbers and strings as saved, with NumPy arrays in place of tensors. Other objects of PyTorch are
        replaced by placeholders.

    Raises:
        FileError: If it is not such a file, is damaged, or holds anything but tensors and containers.
    """
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            file.seek(0)
            return _read_zip(file, path.stat().st_size)
        file.seek(0)
        return _read_legacy(file, path.stat().st_size)


def _read_zip(file: BinaryIO, size: int) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            return _read_archive(archive, size)
    except FileError:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FileError("the archive is damaged or truncated") from error


def _read_archive(archive: zipfile.ZipFile, size: int) -> Any:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) > _MAX_ENTRIES:
        raise FileError(f"the archive has {len(entries):,} entries")
    pickles = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FileError(f"the archive holds {len(pickles)} files data.pkl, expected one")
    folder = pickles[0].removesuffix("data.pkl")
    if f"{folder}constants.pkl" in entries or any(name.startswith(f"{folder}code/") for name in entries):
        raise FileError("it is a TorchScript program, not weights: save the generator's `state_dict()`")
    order = entries.get(f"{folder}byteorder")
    if order is not None and _stored(archive, order, 16).strip() != b"little":
        raise FileError("its numbers are big-endian")
    storages: dict[str, Storage] = {}
    content = unpickle(
        io.BytesIO(_stored(archive, entries[pickles[0]], _MAX_PICKLE_BYTES)),
        on_storage=lambda storage: _remember(storages, storage),
    )
    if sum(storage.size for storage in storages.values()) > size:
        raise FileError(f"its tensors exceed the {size:,} bytes of the file")
    numbers = {}
    for key, storage in storages.items():
        entry = entries.get(f"{folder}data/{key}")
        if entry is None or entry.file_size != storage.size:
            found = "there is none" if entry is None else f"there are {entry.file_size:,}"
            raise FileError(f"its storage '{key}' should have {storage.size:,} bytes, but {found}")
        numbers[key] = from_bytes(_stored(archive, entry, storage.size), storage.dtype)
    return _filled(content, numbers)


def _stored(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Reads an uncompressed entry; PyTorch never compresses, and a compressed one may be a zip bomb."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > most:
        raise FileError(f"the archive's entry '{entry.filename}' is compressed or too large: not by PyTorch")
    return archive.read(entry)


def _remember(storages: dict[str, Storage], storage: Storage) -> None:
    if storages.setdefault(storage.key, storage) != storage:
        raise FileError(f"its storage '{storage.key}' is described in two ways")


def _read_legacy(file: BinaryIO, size: int) -> Any:
    first = file.read(2)
    file.seek(0)
    if first[:1] != b"\x80" or first[1:] not in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise FileError("it was not written by `torch.save`: it is neither a zip archive nor a pickle")
    if unpickle(file) != _LEGACY_MAGIC:
        raise FileError("it is a pickle, but was not written by `torch.save`")
    if unpickle(file) != _LEGACY_PROTOCOL:
        raise FileError("it has an unknown version of the `torch.save` format")
    system = unpickle(file)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise FileError("its numbers are big-endian")
    storages: dict[str, Storage] = {}
    content = unpickle(file, on_storage=lambda storage: _remember(storages, storage))
    keys = unpickle(file)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise FileError("its list of storages does not belong to its tensors")
    if sum(storage.size for storage in storages.values()) > size:
        raise FileError(f"its tensors exceed the {size:,} bytes of the file")
    numbers = {}
    for key in keys:
        storage = storages[key]
        if int.from_bytes(_exactly(file, 8), "little", signed=True) != storage.count:
            raise FileError(f"its storage '{key}' does not have the size that its tensors expect")
        numbers[key] = from_bytes(_exactly(file, storage.size), storage.dtype)
    return _filled(content, numbers)


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) != count:
        raise FileError("it is truncated: tensors are missing at its end")
    return content


def _filled(content: Any, numbers: Mapping[str, Any], depth: int = 0) -> Any:
    """Replaces tensors in containers by arrays."""
    if depth > _MAX_DEPTH:
        raise FileError("its containers are nested too deeply")
    if isinstance(content, StoredTensor):
        return content.read(numbers[content.storage.key])
    if isinstance(content, dict):
        return {key: _filled(value, numbers, depth + 1) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_filled(value, numbers, depth + 1) for value in content]
    return content
