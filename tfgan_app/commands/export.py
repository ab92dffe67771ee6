"""`tfgan_app export`: a run's model in a format that runs elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig, replace_values
from tfgan_app.export import PARITY_SEEDS, export_model, find_exporter
from tfgan_app.inference import load_keras_model, run_checkpoint
from tfgan_app.latents import takes_latents

_OUTPUT_DIR = "exported_models"
_PARITY_PICTURES = 8
_CARD = "MODEL_CARD.md"


def run(args: argparse.Namespace) -> int:
    """Exports the model of the run `args.run` and says where it went and how exact it is.

    Args:
        args: The parsed flags of the subcommand.

    Returns:
        0.

    Raises:
        ValueError: If the run has no model, a flag has no such choice, or the export differs from the model.
    """
    quantize = args.quantize or "none"
    find_exporter(args.format, quantize)  # Said before anything is loaded.
    directory = RunDirectory.existing(args.run)
    config, task_class = directory.read_config()
    output_dir, name = Path(args.output or _OUTPUT_DIR), args.name or config.task_name
    _check_no_card(output_dir / name)
    checkpoint = run_checkpoint(directory.path, args.checkpoint or "last")
    model = load_keras_model(checkpoint)
    if takes_latents(model):
        images, checked_on = (), f"the pictures of {PARITY_SEEDS} seeds"
    else:
        images, checked_on = _parity_pictures(config, task_class, channels=model.inputs[0].shape[-1])
    result = export_model(
        model,
        format=args.format,
        quantize=quantize,
        output_dir=output_dir,
        name=name,
        parity_images=images,
    )
    print(f"Exported {checkpoint} to {result.path}")
    print(
        f"Largest difference from the model {result.max_error:.2g}, mean {result.mean_error:.2g}, "
        f"on {checked_on}, in [0, 1]"
    )
    print(f"Next: tfgan_app predict --model {result.path} {_example_flags(model)}")
    return 0


def _check_no_card(folder: Path) -> None:
    """Refuses a name whose card, and whoever serves it, speaks of another model."""
    if (folder / _CARD).exists():
        raise ValueError(f"'{folder}' holds a model with a card of its own. Give yours another name: `--name NAME`.")


def _example_flags(model: keras.Model) -> str:
    if not takes_latents(model):
        mask = "--mask MASKS " if model.inputs[0].shape[-1] == 4 else ""
        return f"--input PICTURES {mask}--output OUTPUT"
    return "--output OUTPUT --count 16 --seed 0" + (" --class NAME" if len(model.inputs) > 1 else "")


def _parity_pictures(config: RunConfig, task_class: type, *, channels: int) -> tuple[Sequence[np.ndarray], str]:
    """Inputs made of held-out pictures, or random ones where the data set cannot be read; and which they are."""

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    try:
        task = task_class(replace_values(config, {"data.max_val_pictures": _PARITY_PICTURES}), report=report)
        images, kind = task.parity_pictures(), "held-out"
    except (ValueError, OSError) as error:
        report(f"Checking the export on random pictures, since the run's data set is of no use here: {error}")
        size_px = config.data.image_size
        images = np.random.default_rng(0).integers(0, 256, (_PARITY_PICTURES, size_px, size_px, channels), np.uint8)
        kind = "random"
    return images, f"{len(images)} {kind} pictures and on random ones of odd sizes"
