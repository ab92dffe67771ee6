"""Flags of `tfgan_app import`."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from tfgan_app.arguments.parsing import add_command, positive
from tfgan_app.registry import IMPORTERS, is_own

_IMPORT_EPILOG = """\
FILE is a .safetensors, .pth, .pt or .ckpt file, or either file of an ncnn pair (.param and .bin). No code in it is
executed. The architecture is detected from the names and shapes of its tensors. Then, for instance:
  tfgan_app predict --model FILE.keras --input photos --output out
  tfgan_app export --run FILE.keras --format tflite --quantize int8
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Convert trained PyTorch or ncnn weights into a model of this package."
    parser = add_command(commands, "import", summary=summary, epilog=_IMPORT_EPILOG)
    parser.add_argument("--weights", required=True, metavar="FILE", help="weights file")
    parser.add_argument("--output", required=True, metavar="FILE.keras", help="model to write")
    parser.add_argument(
        "--architecture",
        type=_architecture,
        metavar="NAME",
        help=f"architecture (default: found out): {', '.join(IMPORTERS)}; or module:attribute of your own",
    )
    parser.add_argument("--scale", type=positive, metavar="N", help="scale, where the weights fit several")
    parser.add_argument(
        "--norm",
        choices=("inference", "batch"),
        default="inference",
        help="statistics of batch normalization: the trained ones (default), or those of each image, as in pix2pix",
    )
    parser.add_argument(
        "--noise-level",
        type=_level,
        metavar="SIGMA",
        help="standard deviation of the noise that FFDNet and DRUNet remove, 0 to 255 (default: 15)",
    )
    parser.add_argument("--no-tflite", action="store_true", help="do not write a LiteRT file beside the model")
    parser.add_argument("--license", metavar="TEXT", help="license of the weights, for the model card")


def _architecture(name: str) -> str:
    if name in IMPORTERS or is_own(name):
        return name
    raise argparse.ArgumentTypeError(f"must be one of {', '.join(IMPORTERS)}, or module:attribute. Received: {name!r}.")


def _level(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.0 <= float(text) <= 255.0:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number from 0 to 255. Received: {text!r}.")
