"""`tfgan_app import`: converts trained weights of other frameworks to a `.keras` file."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfgan_app.files import atomic_path
from tfgan_app.importers import Imported, ImportOptions, import_weights
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import KerasMetadata, write_metadata


def run(args: argparse.Namespace) -> int:
    """Imports `args.weights` into `args.output` and writes a model card beside it.

    Args:
        args: Parsed flags of the command.

    Returns:
        0.

    Raises:
        ValueError: If the file cannot be imported, or the output exists.
    """
    output = Path(args.output)
    if output.suffix != ".keras":
        raise ValueError(f"`--output` must be a .keras file. Received: {args.output}")
    if output.exists():
        raise ValueError(f"'{output}' exists already: choose another name, or remove it first.")
    options = {"scale": args.scale, "norm": args.norm}
    if args.noise_level is not None:
        options["noise_level"] = args.noise_level
    imported = import_weights(
        args.weights, architecture=args.architecture, options=ImportOptions(**options), license=args.license
    )
    with atomic_path(output) as unfinished:
        imported.model.save(unfinished)
        write_metadata(unfinished, KerasMetadata(imported.facts["License"], _origin(imported)))
    card = output.with_name(f"{output.name}.md")
    with atomic_path(card) as unfinished:
        unfinished.write_text(_card(imported, output.stem), encoding="utf-8")
    print(f"Imported {args.weights}: {imported.facts['Architecture']}, {imported.model.count_params():,} parameters")
    print(f"Wrote {output} and {card}")
    if not args.no_tflite:
        _write_lite(imported, output)
    if args.license is None:
        print("Its license is not stated: `--license TEXT` writes it into the card and into exports.")
    inputs = (
        "--output OUTPUT --count 16" if model_info(imported.model).kind == "noise" else "--input IMAGES --output OUTPUT"
    )
    print(f"Next: tfgan_app predict --model {output} {inputs}")
    return 0


def _origin(imported: Imported) -> dict[str, str]:
    return {name: words for name, words in imported.facts.items() if name != "License"}


def _write_lite(imported: Imported, output: Path) -> None:
    from tfgan_app.commands.export_source import photographs
    from tfgan_app.commands.lite_beside import write_lite_beside

    info = model_info(imported.model)
    held_out = [] if info.kind == "noise" else [(it, None) for it in photographs(channels=info.channels)["val"]]
    license = imported.facts["License"]
    line = write_lite_beside(output, imported.model, held_out=held_out, license=license, training=_origin(imported))
    if line:
        print(line)


def _card(imported: Imported, name: str) -> str:
    rows = {**imported.facts, "Parameters": f"{imported.model.count_params():,}"}
    lines = [f"# {name}", "", *(f"- {fact}: {words}" for fact, words in rows.items()), ""]
    return "\n".join(lines)
