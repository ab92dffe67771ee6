"""`manifest.json`: the difference between each export in a folder and its model."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import tfgan_app
from tfgan_app.export.parity import LIMITS, Parity
from tfgan_app.export.request import ExportRequest
from tfgan_app.files import write_text
from tfgan_app.lite.proven import MADE_OF, MANIFEST_FILE


def add(output_dir: Path, path: Path, *, format: str, request: ExportRequest, parity: Parity) -> None:
    """Adds an export, and removes entries whose files no longer exist.

    Args:
        output_dir: Folder of all exported models.
        path: The export, in `output_dir`.
        format: The export's format.
        request: The export's request.
        parity: Difference between the export and its model.
    """
    entries = read(output_dir)
    entries[path.relative_to(output_dir).as_posix()] = {
        "format": format,
        "quantize": request.quantize,
        "license": request.license,
        **({MADE_OF: request.made_of} if request.made_of else {}),
        "bytes": _size(path),
        "written_by": f"tfgan_app {tfgan_app.__version__}",
        "written_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "held_out_images": len(request.held_out),
        "parity": {name: _rounded(value) for name, value in dataclasses.asdict(parity).items()},
        "limits": {name: value for name, value in vars(LIMITS[request.quantize]).items() if value is not None},
    }
    kept = {name: entry for name, entry in sorted(entries.items()) if (output_dir / name).exists()}
    write_text(output_dir / MANIFEST_FILE, json.dumps(kept, indent=2) + "\n")


def read(output_dir: Path) -> dict[str, Any]:
    """Entries of a folder's manifest by path; empty if there is none.

    Raises:
        ValueError: If the file was not written by `add`. One line.
    """
    path = output_dir / MANIFEST_FILE
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' is not valid JSON: {error}. Correct or remove it.") from error
    if not isinstance(entries, dict):
        raise ValueError(f"'{path}' must hold a JSON object. Correct or remove it.")
    return entries


def _rounded(value: float | None) -> float | None:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
