"""`tfgan_app export`: converts a run's model to a format for use elsewhere."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import keras
import numpy as np

from tfgan_app.commands.lite_beside import write_lite_beside
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig, replace_values
from tfgan_app.export import LIMITS, PARITY_SEEDS, ExportResult, export_model, find_exporter
from tfgan_app.files import printable, quoted
from tfgan_app.inference import color_model, is_color, load_keras_model, model_file, run_checkpoint
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import NOT_STATED, read_metadata, weights_fingerprint
from tfgan_app.layers import provenance_of, set_truncation
from tfgan_app.lite import delegations
from tfgan_app.model_info import HOLE_CHANNELS, ModelInfo
from tfgan_app.shipped import located, shipped_names

_OUTPUT_DIR = "exported_models"
_HELD_OUT_IMAGES = 8
_RANDOM_PX = 96
_CARD = "MODEL_CARD.md"
_LITE = ("tflite", "web")

Pair = tuple[np.ndarray, np.ndarray | None]


@dataclass
class ExportOptions:
    """Options of an export; the fields are the flags of the command.

    Attributes:
        run: Run directory, `.keras` file, name of a shipped model, or `color:NAME`.
        format: Key of `EXPORTERS`.
        quantize: A quantization that the format offers.
        output: Folder of all exported models.
        name: Name of the model; None for that of the task or file.
        license: License of the weights; None for the recorded one.
        tile: Input size of the formats tflite and web in pixels; 0 allows any size.
        truncation: psi of a style-based generator; None for its own.
        runtime: Folder with the tarballs of LiteRT's web runtime.
        checkpoint: `"last"` or `"best"` of a run.
    """

    run: str
    format: str
    quantize: str | None = None
    output: str | None = None
    name: str | None = None
    license: str | None = None
    tile: int | None = None
    truncation: float | None = None
    runtime: str | None = None
    checkpoint: str | None = None


@dataclass(frozen=True)
class Source:
    """A model to export, with images to compare and calibrate on.

    Attributes:
        path: Its `.keras` file, or the name that stands for it.
        model: The Keras model.
        name: Default name.
        image_size_px: Side of its training images; None if unknown.
        held_out: Images to compare on.
        calibration: Returns training images.
        compared_on: Description of the images to compare on, for messages.
        training: Facts about the training, for the model card.
        license: License of the weights, as far as it is known.
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

    @property
    def info(self) -> ModelInfo:
        """The description of the model."""
        return model_info(self.model)


def run(args: argparse.Namespace) -> int:
    """Exports the model of the run `args.run` and prints the path and the parity of the export.

    Args:
        args: Parsed flags of the command.

    Returns:
        0.

    Raises:
        ValueError: If the run has no model, a flag is invalid, or the export differs from the model.
    """
    if args.delegates and args.format not in _LITE:
        raise ValueError(f"`--delegates` is for the formats tflite and web. Received: --format {args.format}.")
    source, result = export(ExportOptions(**{field.name: getattr(args, field.name) for field in fields(ExportOptions)}))
    _print_result(source, result, args)
    if args.format == "keras":
        line = write_lite_beside(
            result.path,
            source.model,
            held_out=source.held_out,
            license=args.license or source.license,
            training=source.training,
        )
        if line:
            print(line)
    return 0


def export(options: ExportOptions) -> tuple[Source, ExportResult]:
    """Exports the model of a run, a `.keras` file, a shipped model or a color conversion.

    Args:
        options: Options of the export.

    Returns:
        The source model and the result.

    Raises:
        ValueError: If there is no such model, an option is invalid, or the export differs from the model.
    """
    quantize = options.quantize or "none"
    find_exporter(options.format, quantize)  # Raises before anything is loaded.
    _check_flags(options)
    source = _open(options)
    if options.truncation is not None:
        _truncate(source, options.truncation)
    output_dir, name = Path(options.output or _OUTPUT_DIR), options.name or source.name
    if options.format == "saved_model":
        _check_no_card(output_dir / name)
    result = export_model(
        source.model,
        format=options.format,
        quantize=quantize,
        output_dir=output_dir,
        name=name,
        tile_px=options.tile,
        image_size_px=source.image_size_px,
        held_out=source.held_out,
        calibration=source.calibration() if quantize == "int8" and source.info.kind != "noise" else (),
        license=options.license or source.license,
        made_of=weights_fingerprint(source.path),
        training=source.training,
        runtime=options.runtime,
    )
    return source, result


def _check_flags(options: ExportOptions) -> None:
    if options.tile is not None and options.format not in _LITE:
        raise ValueError(f"`--tile` is for the formats tflite and web. Received: --format {options.format}.")
    if options.runtime is not None and options.format != "web":
        raise ValueError(f"`--runtime` is for the format web. Received: --format {options.format}.")


def _truncate(source: Source, psi: float) -> None:
    if source.info.style_truncation is None:
        raise ValueError(
            f"`--truncation` is for style-based generators, such as StyleGAN2's. Received: {printable(source.path)}."
        )
    set_truncation(source.model, psi)


def _print_result(source: Source, result: ExportResult, args: argparse.Namespace) -> None:
    parity = result.parity
    also = "" if source.info.kind == "noise" else " and parts of them"
    if source.info.kind != "noise" and LIMITS[args.quantize or "none"].noise:
        also = " and on random ones"
    print(f"Exported {printable(source.path)} to {printable(result.path)}")
    print(
        f"Largest difference from the model {parity.max_error:.2g}, mean {parity.mean_error:.2g}, "
        f"on {source.compared_on}{also}, in [0, 1]"
    )
    if (args.quantize or "none") != "none":
        lost = "" if parity.lost_psnr is None else f"; {parity.lost_psnr:.2f} dB lost against the held-out images"
        print(f"PSNR against the model {parity.psnr:.1f} dB, at least {parity.least_psnr:.1f}{lost}")
    if args.delegates:
        _print_delegations(result.path)
    if args.format == "web":
        print(f"Next: python -m http.server --directory {quoted(result.path)} --bind 127.0.0.1 8000")
    else:
        print(f"Next: tfgan_app predict --model {quoted(result.path)} {_example_flags(source.info)}")


def _print_delegations(path: Path) -> None:
    file = path / "model.tflite" if path.is_dir() else path
    found = delegations(file.read_bytes())
    for delegation in found:
        print(delegation.line())
    if any(delegation.left for delegation in found):
        print(
            "The remaining operations run on plain CPU kernels. Each switch between them and an accelerator copies "
            "feature maps, so a few of them can cost more than all others."
        )


def _check_no_card(folder: Path) -> None:
    """Refuses a name whose folder already holds the card of another model."""
    if (folder / _CARD).exists():
        raise ValueError(
            f"'{printable(folder)}' already holds the card of another model. Use another name: `--name NAME`."
        )


def _example_flags(info: ModelInfo) -> str:
    if info.kind == "noise":
        return "--output OUTPUT --count 16 --seed 0" + (
            " --class NAME" if info.classes else ' --prompt "A TEXT"' if info.prompt_tokens else ""
        )
    beside = {"inpainting": "--mask MASKS ", "style": "--style IMAGE "}.get(info.kind, "")
    return f"--input IMAGES {beside}--output OUTPUT"


def _open(options: ExportOptions) -> Source:
    path = located(options.run)
    if is_color(path):
        model = color_model(path)
        return _without_run(model, path, name=model.name)
    if path.suffix == ".keras" and path.is_file():
        file = model_file(path, options.checkpoint or "last")
        source, known = _without_run(load_keras_model(file), file, name=file.stem), read_metadata(file)
        license = source.license if known.license == NOT_STATED else known.license
        return dataclasses.replace(source, training={**source.training, **known.facts}, license=license)
    if not path.exists() or path.suffix == ".tflite":
        raise ValueError(
            f"`--run` must be a run directory or a .keras file. Received: '{options.run}'. {shipped_names()}"
        )
    return _open_run(RunDirectory.existing(str(path)), checkpoint=options.checkpoint or "last")


def _without_run(model: keras.Model, path: Path, *, name: str) -> Source:
    """Returns the source for a model without a run: no images of its own, and an origin only if it was imported."""
    facts = provenance_of(model)
    license = facts.pop("License", NOT_STATED)
    info = model_info(model)
    if info.kind == "noise":
        return Source(path, model, name, None, (), list, f"the images of {PARITY_SEEDS} seeds", facts, license)
    if info.window is not None:
        shape = (_HELD_OUT_IMAGES, _RANDOM_PX, _RANDOM_PX, info.channels)
        examples: list[Pair] = [(image, None) for image in np.random.default_rng(0).random(shape, np.float32)]
        return Source(path, model, name, None, examples, list, f"{len(examples)} random images", facts, license)
    images = photographs(channels=info.channels)
    held_out = [(image, None) for image in images["val"]]
    compared_on = f"{len(held_out)} bundled photographs"
    return Source(path, model, name, None, held_out, lambda: images["train"], compared_on, facts, license)


def _open_run(directory: RunDirectory, *, checkpoint: str) -> Source:
    config, task_class = directory.read_config()
    path = run_checkpoint(directory.path, checkpoint)
    model = load_keras_model(path)
    name, size_px = config.task_name, config.data.image_size
    info = model_info(model)
    if info.kind == "noise":
        seeds = f"the images of {PARITY_SEEDS} seeds"
        return Source(path, model, name, size_px, (), list, seeds, _training(config))
    config = replace_values(config, {"data.max_val_images": _HELD_OUT_IMAGES})
    try:
        task = task_class(config, report=_report)
        held_out, kind = task.held_out_examples(), "held-out"
        calibration = task.calibration_images
    except (ValueError, OSError) as error:
        _report(f"Checking the export on random images, because the run's data set is not usable here: {error}")
        held_out, kind = _random_examples(config, channels=info.channels), "random"
        calibration = _no_calibration(error)
    compared_on = f"{len(held_out)} {kind} images"
    return Source(path, model, name, size_px, held_out, calibration, compared_on, _training(config))


def _training(config: RunConfig) -> dict[str, str]:
    data = printable(Path(config.data.source).name) if config.data.source else "the bundled sample"
    facts = {"Task": config.task_name, "Trained on": data, "Training steps": f"{config.training.steps:,}"}
    if started_from := getattr(config.task, "init_from", None):
        path = located(started_from)
        license = read_metadata(path).license
        facts["Started from"] = path.name if license == NOT_STATED else f"{path.name}, license {license}"
    return facts


def _random_examples(config: RunConfig, *, channels: int) -> list[Pair]:
    size_px = config.data.image_size
    shape = (_HELD_OUT_IMAGES, size_px, size_px, channels)
    return [(image, None) for image in np.random.default_rng(0).integers(0, 256, shape, np.uint8)]


def _no_calibration(error: Exception) -> Callable[[], Sequence[np.ndarray]]:
    def refuse() -> Sequence[np.ndarray]:
        raise ValueError(f"`--quantize int8` needs the run's training images, which are not usable here: {error}")

    return refuse


def photographs(*, channels: int) -> dict[str, list[np.ndarray]]:
    """Returns the bundled photographs by split; for an inpainting model, with a hole in the center of each."""
    from tfgan_app.data.bundled import bundled_path
    from tfgan_app.image_io.loading import find_images, read_rgb

    found = {}
    for split in ("train", "val"):
        images = [read_rgb(path) for path in find_images(bundled_path("photos") / split)]
        found[split] = [_with_hole(image) if channels == HOLE_CHANNELS else image for image in images]
    return found


def _with_hole(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    known = np.full((height, width, 1), 255, np.uint8)
    known[height // 3 : height // 2, width // 3 : width // 2] = 0
    return np.concatenate([image, known], axis=-1)


def _report(line: str) -> None:
    print(line, file=sys.stderr)
