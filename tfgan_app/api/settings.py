"""Conversion of settings from Python values to `KEY=VALUE` texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def as_assignments(settings: Mapping[str, Any] | None) -> list[str]:
    """Converts settings to assignments for `--set`.

    Args:
        settings: Dotted keys and values: text, numbers, booleans, None, paths, or lists of them.

    Raises:
        ValueError: If it is not a mapping.
    """
    if settings is not None and not isinstance(settings, Mapping):
        raise ValueError(f"`set` must be a dict such as {{'task.l1_weight': 50}}. Received: {settings!r}.")
    return [f"{key}={_text(value)}" for key, value in (settings or {}).items()]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)


def path_text(path: str | os.PathLike | None) -> str | None:
    """Returns a path as text; None stays None."""
    return None if path is None else os.fspath(path)
