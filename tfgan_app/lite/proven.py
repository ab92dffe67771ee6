"""Lookup of the .tflite file beside a `.keras` file with verified parity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfgan_app.keras_metadata import weights_fingerprint

MANIFEST_FILE = "manifest.json"
"""File in which `tfgan_app export` records verified exports, beside them."""

MADE_OF = "made_of"
"""Key of an entry: the `weights_fingerprint` of the `.keras` file that was exported."""


def lite_name(stem: str, quantize: str = "none") -> str:
    """File name of a model's LiteRT export, such as `upscale_x4_int8.tflite`."""
    return f"{stem}.tflite" if quantize == "none" else f"{stem}_{quantize}.tflite"


def proven_file(keras_file: Path, *, quantize: str = "none") -> Path | None:
    """The LiteRT file beside a `.keras` file, if an export has verified it and neither has changed since.

    Args:
        keras_file: The model.
        quantize: `"none"`, or a quantization of `tfgan_app export`.

    Returns:
        The path, or None if there is no such file or no record of it.
    """
    file = keras_file.with_name(lite_name(keras_file.stem, quantize))
    entry = _entry(keras_file.parent / MANIFEST_FILE, file.name)
    if not isinstance(entry.get("parity"), dict) or entry.get("quantize") != quantize or not file.is_file():
        return None
    fingerprint = weights_fingerprint(keras_file)
    same = fingerprint is not None and entry.get(MADE_OF) == fingerprint
    return file if same and entry.get("bytes") == file.stat().st_size else None


def _entry(manifest: Path, name: str) -> dict[str, Any]:
    """Entry of a file; empty if it cannot be read, which an export would report."""
    try:
        entry = json.loads(manifest.read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return entry if isinstance(entry, dict) else {}
