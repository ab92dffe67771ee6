"""License and origin of a model, stored in its `.keras` file; standard library only.

They are an extra key in the archive's `metadata.json`. Keras writes the date and its version there and never reads
them, so any Keras still loads the file. A model that plain Keras loads and saves again loses them.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tfgan_app.files import atomic_path

NOT_STATED = "not stated"

_METADATA = "metadata.json"
_CONTENT = ("config.json", "model.weights.h5")
_KEY = "tfgan_app"
_MAX_CONFIG_BYTES = 2**26
_MAX_BYTES = 2**20
"""Size limit of `metadata.json`; a longer file was not written by this package."""


@dataclass(frozen=True)
class KerasMetadata:
    """Metadata of a `.keras` file.

    Attributes:
        license: License of the weights.
        facts: Origin of the weights, as a model card lists it: name -> text.
    """

    license: str = NOT_STATED
    facts: Mapping[str, str] = field(default_factory=dict)


def weights_fingerprint(path: str | os.PathLike) -> str | None:
    """Returns a fingerprint of a network and its weights, from the checksums that the archive stores anyway.

    Args:
        path: A `.keras` file.

    Returns:
        Sizes and CRC-32 of the configuration and the weights; None if the file is not such an archive. Writing
        metadata does not change it. It is no protection against deliberate forgery.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [archive.getinfo(name) for name in _CONTENT]
    except (OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile):
        return None
    return "-".join(f"{entry.file_size:x}.{entry.CRC:08x}" for entry in entries)


def saved_class(path: str | os.PathLike) -> str:
    """Returns the name by which Keras has registered the class of a `.keras` file's model; empty if there is none."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("config.json") as entry:
            return str(json.loads(entry.read(_MAX_CONFIG_BYTES))["registered_name"] or "")
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, zipfile.BadZipFile):
        return ""


def write_metadata(path: str | os.PathLike, metadata: KerasMetadata) -> None:
    """Writes metadata into a `.keras` file in place of any earlier metadata; the rest of the file does not change.

    Args:
        path: A `.keras` file.
        metadata: The metadata.

    Raises:
        OSError: If the file cannot be written.
        zipfile.BadZipFile: If it is not an archive.
    """
    with (
        atomic_path(path) as unfinished,
        zipfile.ZipFile(path) as before,
        zipfile.ZipFile(unfinished, "w") as after,
    ):
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == _METADATA:
                content = json.dumps(json.loads(content) | {_KEY: asdict(metadata)}).encode()
            after.writestr(entry, content)


def read_metadata(path: str | os.PathLike) -> KerasMetadata:
    """Reads the metadata of a `.keras` file; a file without metadata or a damaged one gives the defaults."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_METADATA) as entry:
            values = json.loads(entry.read(_MAX_BYTES))[_KEY]
        facts = {str(name): str(words) for name, words in values["facts"].items()}
        return KerasMetadata(str(values["license"]), facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, zipfile.BadZipFile):
        return KerasMetadata()
