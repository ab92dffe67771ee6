"""`tfgan_app export`: converts a run's model to a format for use elsewhere."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path

from tfgan_app.commands.export_discriminator import export_discriminator
from tfgan_app.commands.export_source import Source, open_source
from tfgan_app.commands.lite_beside import write_lite_beside
from tfgan_app.export import LIMITS, ExportResult, export_model, find_exporter
from tfgan_app.files import printable, quoted
from tfgan_app.keras_metadata import weights_fingerprint
from tfgan_app.layers import set_truncation
from tfgan_app.lite import delegations
from tfgan_app.model_info import ModelInfo

_OUTPUT_DIR = "exported_models"
_CARD = "MODEL_CARD.md"
_LITE = ("tflite", "web")


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
        part: `"generator"`, or `"discriminator"`: its features and scores.
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
    part: str = "generator"


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
    options = ExportOptions(**{field.name: getattr(args, field.name) for field in fields(ExportOptions)})
    if options.part == "discriminator":
        if args.delegates:
            raise ValueError("`--delegates` is not supported for discriminators. Leave it out.")
        return _run_discriminator(options)
    source, result = export(options)
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


def _run_discriminator(options: ExportOptions) -> int:
    result = export_part(options)
    print(f"Exported the discriminator of {printable(options.run)} to {printable(result.path)}")
    parity = result.parity
    print(
        f"Largest difference from the model {parity.max_error:.2g}, mean {parity.mean_error:.2g}, relative to the "
        f"largest output, on the images of {parity.batches} seeds"
    )
    return 0


def export_part(options: ExportOptions) -> ExportResult:
    """Exports the part of a model that the options name; see `export` and `export_discriminator`.

    Raises:
        ValueError: If there is no such model or part, an option is invalid, or the export differs from the model.
    """
    if options.part == "generator":
        return export(options)[1]
    if options.part != "discriminator":
        raise ValueError(f"`part` must be generator or discriminator. Received: {options.part}.")
    if options.quantize not in (None, "none"):
        raise ValueError(f"`--quantize` is not supported for discriminators. Received: {options.quantize}.")
    for flag in ("tile", "truncation", "runtime"):
        if getattr(options, flag) is not None:
            raise ValueError(f"`--{flag}` is not supported for discriminators. Leave it out.")
    if options.checkpoint == "best":
        raise ValueError("`--checkpoint best` has no discriminator: it is in the newest training state. Leave it out.")
    return export_discriminator(
        options.run,
        format=options.format,
        output_dir=options.output or _OUTPUT_DIR,
        name=options.name or "discriminator",
        license=options.license,
    )


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
    source = open_source(options.run, options.checkpoint)
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
