"""What a folder of exported models holds: names, versions and labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tfgan_app.serving.saved_models import MODEL_FILE

LABELS_FILE = "models.config"

_MAX_VERSION = 2**63 - 1
"""Versions are int64 in the protocol."""


def find_models(root: Path) -> dict[str, dict[int, Path]]:
    """Finds the versions of the models in a folder.

    Args:
        root: A folder of models, `NAME/VERSION/saved_model.pb`, or the folder of one model. Whatever else lies in it is
            not looked at; nor are names that start with a dot, and versions without a `saved_model.pb` yet.

    Returns:
        name -> version -> its folder.
    """
    own = _versions(root)
    if own:
        return {root.resolve().name: own}
    return {folder.name: versions for folder in _folders(root) if (versions := _versions(folder))}


def _versions(folder: Path) -> dict[int, Path]:
    found = {}
    for path in _folders(folder):
        number = path.name
        canonical = number.isascii() and number.isdecimal() and (number == "0" or not number.startswith("0"))
        if canonical and int(number) <= _MAX_VERSION and (path / MODEL_FILE).is_file():
            found[int(number)] = path
    return found


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except OSError:  # It vanished, or we may not look: the same as empty until that changes.
        return []


def read_labels(root: Path) -> dict[str, dict[str, int]]:
    """Reads the version labels of `models.config` in the folder of models, where there is one.

    Args:
        root: The folder of models.

    Returns:
        name -> label -> version.

    Raises:
        ValueError: If the file is not a `ModelServerConfig` in text format.
    """
    path = root / LABELS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' cannot be read: {error}") from error
    try:
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise ValueError(f"'{path}' is not a ModelServerConfig in text format: {error}") from error
    return {model.name: dict(model.version_labels) for model in config.model_config_list.config}


def file_stamp(folder: Path) -> tuple:
    """Changes when the files of a version do, so that one that could not be loaded is tried again."""
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
    except OSError:
        return ()


def wanted_versions(versions: Mapping[int, Path], *, keep: int, labelled: set[int], broken: set[int]) -> list[int]:
    """Which versions of a model to serve: the highest that load, and those with a label.

    Args:
        versions: Those that are there.
        keep: How many of the highest.
        labelled: Those that labels point to.
        broken: Those that could not be loaded.

    Returns:
        Versions, the highest first.
    """
    sound = sorted(set(versions) - broken, reverse=True)
    return [version for index, version in enumerate(sound) if index < keep or version in labelled]
