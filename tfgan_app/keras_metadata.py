"""The license and origin of a model inside its `.keras` file; standard library only.

They are a further key of the archive's own `metadata.json`. Keras writes the file's date and version there and does not
read them back, so that any Keras loads the file as before. A model that Keras alone loads and saves loses them.
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
"""Of `metadata.json`; a text that is longer is not ours."""


@dataclass(frozen=True)
class KerasMetadata:
    """What travels with the weights.

    Attributes:
        license: Of the weights.
        facts: What a card says of their origin: name -> words.
    """

    license: str = NOT_STATED
    facts: Mapping[str, str] = field(default_factory=dict)


def weights_fingerprint(path: str | os.PathLike) -> str | None:
    """Tells one network with its weights from another by the checksums that the archive holds anyway.

    Args:
        path: A `.keras` file.

    Returns:
        Sizes and CRC-32 of the configuration and the weights; None where the file is no such archive. It stays the
        same when metadata are written, and says nothing against somebody who means to deceive.
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
    """Writes the metadata into a `.keras` file, in place of what was there; the rest of the file stays as it is.

    Args:
        path: A file that Keras saved.
        metadata: What to write.

    Raises:
        OSError: If the file cannot be written.
        zipfile.BadZipFile: If it is no archive.
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
    """Reads the metadata of a `.keras` file; a file without any, or a damaged one, states nothing."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_METADATA) as entry:
            values = json.loads(entry.read(_MAX_BYTES))[_KEY]
        facts = {str(name): str(words) for name, words in values["facts"].items()}
        return KerasMetadata(str(values["license"]), facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, zipfile.BadZipFile):
        return KerasMetadata()
