"""`tfgan_app export`: a run's model in a format that runs elsewhere."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from tfgan_app.commands.lite_beside import write_lite_beside
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig, replace_values
from tfgan_app.export import LIMITS, PARITY_SEEDS, ExportResult, export_model, find_exporter
from tfgan_app.files import printable, quoted
from tfgan_app.inference import colour_model, is_colour, load_keras_model, model_file, run_checkpoint
from tfgan_app.inference.shipped import located, shipped_names
from tfgan_app.keras_metadata import NOT_STATED, read_metadata, weights_fingerprint
from tfgan_app.latents import takes_latents
from tfgan_app.layers import provenance_of, takes_style
from tfgan_app.lite import delegations

_OUTPUT_DIR = "exported_models"
_HELD_OUT_PICTURES = 8
_CARD = "MODEL_CARD.md"

Pair = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class _Source:
    """A model to be exported, and the pictures that are known of it.

    Attributes:
        path: Of its `.keras` file, or what stands for it.
        model: The model.
        name: Its name, where the user gives none.
        image_size_px: Of its training pictures; None where that is not known.
        held_out: Pictures to compare on.
        calibration: Gives training pictures.
        compared_on: Which pictures these are, for the user.
        training: What is known of the training, for the model's card.
        license: Of the weights, as far as it is known.
    """

    path: Path
    model: keras.Model
    name: str
    image_size_px: int | None
    held_out: Sequence[Pair]
    calibration: Callable[[], Sequence[np.ndarray]]
    compared_on: str
    training: Mapping[str, str] = field(default_factory=dict)
    license: str = NOT_STATED


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
    _check_flags(args)
    source = _open(args)
    output_dir, name = Path(args.output or _OUTPUT_DIR), args.name or source.name
    if args.format == "saved_model":
        _check_no_card(output_dir / name)
    result = export_model(
        source.model,
        format=args.format,
        quantize=quantize,
        output_dir=output_dir,
        name=name,
        tile_px=args.tile,
        image_size_px=source.image_size_px,
        held_out=source.held_out,
        calibration=source.calibration() if quantize == "int8" and not takes_latents(source.model) else (),
        license=args.license or source.license,
        made_of=weights_fingerprint(source.path),
        training=source.training,
        runtime=args.runtime,
    )
    _tell(source, result, args)
    if args.format == "keras":
        known = {"license": args.license or source.license, "training": source.training}
        if line := write_lite_beside(result.path, source.model, held_out=source.held_out, **known):
            print(line)
    return 0


def _check_flags(args: argparse.Namespace) -> None:
    lite = args.format in ("tflite", "web")
    for flag, given in (("tile", args.tile is not None), ("delegates", args.delegates)):
        if given and not lite:
            raise ValueError(f"`--{flag}` is for the formats tflite and web. Received: --format {args.format}.")
    if args.runtime is not None and args.format != "web":
        raise ValueError(f"`--runtime` is for the format web. Received: --format {args.format}.")


def _tell(source: _Source, result: ExportResult, args: argparse.Namespace) -> None:
    parity = result.parity
    also = "" if takes_latents(source.model) else " and parts of them"
    if not takes_latents(source.model) and LIMITS[args.quantize or "none"].noise:
        also = " and on random ones"
    print(f"Exported {printable(source.path)} to {printable(result.path)}")
    print(
        f"Largest difference from the model {parity.max_error:.2g}, mean {parity.mean_error:.2g}, "
        f"on {source.compared_on}{also}, in [0, 1]"
    )
    if (args.quantize or "none") != "none":
        lost = "" if parity.lost_psnr is None else f"; {parity.lost_psnr:.2f} dB lost against the held-out pictures"
        print(f"PSNR against the model {parity.psnr:.1f} dB, at least {parity.least_psnr:.1f}{lost}")
    if args.delegates:
        _tell_delegations(result.path)
    if args.format == "web":
        print(f"Next: python -m http.server --directory {quoted(result.path)} --bind 127.0.0.1 8000")
    else:
        print(f"Next: tfgan_app predict --model {quoted(result.path)} {_example_flags(source.model)}")


def _tell_delegations(path: Path) -> None:
    file = path / "model.tflite" if path.is_dir() else path
    found = delegations(file.read_bytes())
    for delegation in found:
        print(delegation.line())
    if any(delegation.left for delegation in found):
        print(
            "What is left runs on plain CPU kernels, and each change between them and an accelerator copies feature "
            "maps: a few such operations can cost more than all others."
        )


def _check_no_card(folder: Path) -> None:
    """Refuses a name whose card, and whoever serves it, speaks of another model."""
    if (folder / _CARD).exists():
        raise ValueError(
            f"'{printable(folder)}' holds a model with a card of its own. Give yours another name: `--name NAME`."
        )


def _example_flags(model: keras.Model) -> str:
    if not takes_latents(model):
        beside = "--mask MASKS " if model.inputs[0].shape[-1] == 4 else ""
        beside = "--style PICTURE " if takes_style(model) else beside
        return f"--input PICTURES {beside}--output OUTPUT"
    return "--output OUTPUT --count 16 --seed 0" + (" --class NAME" if len(model.inputs) > 1 else "")


def _open(args: argparse.Namespace) -> _Source:
    path = located(args.run)
    if is_colour(path):
        model = colour_model(path)
        return _without_run(model, path, name=model.name)
    if path.suffix == ".keras" and path.is_file():
        file = model_file(path, args.checkpoint or "last")
        source, known = _without_run(load_keras_model(file), file, name=file.stem), read_metadata(file)
        license = source.license if known.license == NOT_STATED else known.license
        return dataclasses.replace(source, training={**source.training, **known.facts}, license=license)
    if not path.exists() or path.suffix == ".tflite":
        raise ValueError(f"`--run` must be a run directory or a .keras file. Received: '{args.run}'. {shipped_names()}")
    return _open_run(RunDirectory.existing(str(path)), checkpoint=args.checkpoint or "last")


def _without_run(model: keras.Model, path: Path, *, name: str) -> _Source:
    """A model of which nothing is known of its pictures, but where it came from if it was imported."""
    facts = provenance_of(model)
    known = {"license": facts.pop("License", "not stated"), "training": facts}
    if takes_latents(model):
        return _Source(path, model, name, None, (), list, f"the pictures of {PARITY_SEEDS} seeds", **known)
    pictures = photographs(channels=model.inputs[0].shape[-1])
    held_out = [(picture, None) for picture in pictures["val"]]
    compared_on = f"{len(held_out)} bundled photographs"
    return _Source(path, model, name, None, held_out, lambda: pictures["train"], compared_on, **known)


def _open_run(directory: RunDirectory, *, checkpoint: str) -> _Source:
    config, task_class = directory.read_config()
    path = run_checkpoint(directory.path, checkpoint)
    model = load_keras_model(path)
    name, size_px = config.task_name, config.data.image_size
    if takes_latents(model):
        seeds = f"the pictures of {PARITY_SEEDS} seeds"
        return _Source(path, model, name, size_px, (), list, seeds, _training(config))
    config = replace_values(config, {"data.max_val_pictures": _HELD_OUT_PICTURES})
    try:
        task = task_class(config, report=_report)
        held_out, kind = task.held_out_examples(), "held-out"
        calibration = task.calibration_pictures
    except (ValueError, OSError) as error:
        _report(f"Checking the export on random pictures, since the run's data set is of no use here: {error}")
        held_out, kind = _random_examples(config, channels=model.inputs[0].shape[-1]), "random"
        calibration = _no_calibration(error)
    compared_on = f"{len(held_out)} {kind} pictures"
    return _Source(path, model, name, size_px, held_out, calibration, compared_on, _training(config))


def _training(config: RunConfig) -> dict[str, str]:
    data = printable(Path(config.data.source).name) if config.data.source else "the bundled sample"
    facts = {"Task": config.task_name, "Trained on": data, "Training steps": f"{config.training.steps:,}"}
    if started_from := getattr(config.task, "init_from", None):
        path = located(started_from)
        license = read_metadata(path).license
        facts["Started from"] = path.name if license == NOT_STATED else f"{path.name}, licence {license}"
    return facts


def _random_examples(config: RunConfig, *, channels: int) -> list[Pair]:
    size_px = config.data.image_size
    shape = (_HELD_OUT_PICTURES, size_px, size_px, channels)
    return [(picture, None) for picture in np.random.default_rng(0).integers(0, 256, shape, np.uint8)]


def _no_calibration(error: Exception) -> Callable[[], Sequence[np.ndarray]]:
    def refuse() -> Sequence[np.ndarray]:
        raise ValueError(f"`--quantize int8` needs the run's training pictures, and they are of no use here: {error}")

    return refuse


def photographs(*, channels: int) -> dict[str, list[np.ndarray]]:
    """The bundled photographs by split; for a model that fills holes with the middle of each missing."""
    from tfgan_app.data.bundled import bundled_path
    from tfgan_app.images import find_pictures, read_rgb

    found = {}
    for split in ("train", "val"):
        pictures = [read_rgb(path) for path in find_pictures(bundled_path("photos") / split)]
        found[split] = [_with_hole(picture) if channels == 4 else picture for picture in pictures]
    return found


def _with_hole(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    known = np.full((height, width, 1), 255, np.uint8)
    known[height // 3 : height // 2, width // 3 : width // 2] = 0
    return np.concatenate([picture, known], axis=-1)


def _report(line: str) -> None:
    print(line, file=sys.stderr)
