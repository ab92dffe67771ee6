"""`tfgan_app models`: lists the trained models that come with the package."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tfgan_app.shipped import ShippedModel, shipped_models, shipped_names


def run(args: argparse.Namespace) -> int:
    """Lists the shipped models as text or JSON.

    Args:
        args: `json`, a file to write, `-` for stdout, or None.

    Returns:
        0.

    Raises:
        OSError: If the file cannot be written.
    """
    models = shipped_models().values()
    if args.json is None:
        lines = [line for model in models for line in _lines(model)]
        print(*(lines or [shipped_names()]), sep="\n")
        print(*(f"in {folder}" for folder in {model.folder for model in models}), sep="\n")
        return 0
    text = json.dumps([_facts(model) for model in models], indent=2, ensure_ascii=False) + "\n"
    if args.json == "-":
        print(text, end="")
    else:
        Path(args.json).write_text(text, encoding="utf-8")
    return 0


def _lines(model: ShippedModel) -> list[str]:
    files = [*model.files, model.card.relative_to(model.folder).as_posix()]
    saved_model = [f"{model.name}/ (SavedModel)"] if model.saved_model else []
    megabytes = model.path.stat().st_size / 1e6
    return [
        f"{model.name:16}{model.what_for}",
        f"{'':16}scale {model.scale}, {model.weights:,} weights, {megabytes:.1f} MB, {model.license}",
        f"{'':16}{', '.join(files + saved_model)}",
    ]


def _facts(model: ShippedModel) -> dict[str, Any]:
    files = [model.folder / name for name in model.files]
    return {
        "name": model.name,
        "what_for": model.what_for,
        "task": model.task,
        "scale": model.scale,
        "weights": model.weights,
        "license": model.license,
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in files],
        "saved_model": str(model.saved_model) if model.saved_model else None,
        "card": str(model.card),
        "recipe": str(model.recipe),
    }
