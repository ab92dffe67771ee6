"""Flags of `tfgan_app export`."""

from __future__ import annotations

import argparse
from typing import Any

from tfgan_app.arguments.parsing import add_checkpoint, add_command, natural, natural_number
from tfgan_app.registry import EXPORTERS, is_own


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    parser = add_command(commands, "export", summary="Write a trained model for use elsewhere.")
    parser.add_argument(
        "--run",
        "--model",
        required=True,
        metavar="PATH",
        help="run directory, a .keras file, a shipped model's name (`tfgan_app models`), or color:NAME",
    )
    parser.add_argument(
        "--format",
        required=True,
        type=_export_format,
        metavar=f"{{{','.join(EXPORTERS)}}}",
        help="file format",
    )
    parser.add_argument(
        "--part",
        choices=("generator", "discriminator"),
        default="generator",
        help="part of a run of generate or augment; discriminator: its features and scores of images "
        "(saved_model, tflite, keras)",
    )
    parser.add_argument(
        "--quantize", choices=("none", "float16", "dynamic", "int8"), default="none", help="weight format"
    )
    parser.add_argument("--output", default="exported_models", metavar="DIR", help="default: exported_models")
    parser.add_argument("--name", metavar="NAME", help="name of the model (default: that of the task)")
    parser.add_argument("--license", metavar="TEXT", help="license of the weights (default: the .keras file's own)")
    parser.add_argument(
        "--tile",
        type=natural,
        metavar="PX",
        help="input size of tflite and web (default: by the model); 0: any size, which only CPUs support",
    )
    parser.add_argument(
        "--truncation",
        type=natural_number,
        metavar="PSI",
        help="psi of StyleGAN2's styles in the export: 0.7 trades variety for quality (default: 1, no truncation)",
    )
    parser.add_argument(
        "--delegates", action="store_true", help="list the operations that accelerators would leave to the CPU"
    )
    parser.add_argument(
        "--runtime", metavar="DIR", help="folder with the npm tarballs of LiteRT's web runtime, for use without npm"
    )
    add_checkpoint(parser)


def _export_format(name: str) -> str:
    if name in EXPORTERS or is_own(name):
        return name
    raise argparse.ArgumentTypeError(f"{name!r} is not a format. Available formats: {', '.join(EXPORTERS)}.")
