"""Readers of weights files of other frameworks, by suffix."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfgan_app.importers.safetensors_files import read_safetensors
from tfgan_app.importers.tensors import FileError
from tfgan_app.importers.torch_files import read_torch_file

MAX_BYTES = 2**33

READERS: dict[str, Callable[[Path], Any]] = {
    ".safetensors": read_safetensors,
    **dict.fromkeys((".pth", ".pt", ".ckpt"), read_torch_file),
}
"""Suffix -> reader of nested dictionaries of arrays."""

NCNN = (".param", ".bin")
"""Suffixes of ncnn's pairs of files, which hold graphs instead of dictionaries."""

_GIT_LFS = b"version https://git-lfs"


def check_file(path: Path) -> None:
    """Checks that a path is a weights file.

    Raises:
        FileError: If it does not exist, has another suffix, is empty or too large.
    """
    if not path.is_file():
        raise FileError("there is no such file")
    suffixes = (*READERS, *NCNN)
    if path.suffix.lower() not in suffixes:
        raise FileError(f"its suffix must be one of {', '.join(suffixes)}")
    if not 0 < path.stat().st_size <= MAX_BYTES:
        raise FileError(f"it has {path.stat().st_size:,} bytes; 1 to {MAX_BYTES:,} are supported")
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(_GIT_LFS):
        raise FileError("it is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`")
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise FileError("it is a web page, not a weights file: the download failed")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sha256(file)


def _sha256(file) -> str:
    digest = hashlib.sha256()
    while block := file.read(2**20):
        digest.update(block)
    return digest.hexdigest()
