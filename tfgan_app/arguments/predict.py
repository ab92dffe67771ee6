"""What `tfgan_app predict` takes."""

from __future__ import annotations

import argparse
from typing import Any

from tfgan_app.arguments.parsing import (
    add_checkpoint,
    add_command,
    add_input_range,
    add_set,
    natural,
    positive,
    positive_number,
)

_PREDICT_EPILOG = """\
A model that generates takes no --input: its images are numbered by seed, and the same seed gives the same image:
  --output DIR --count 100 --seed 0      seed-0000000.png to seed-0000099.png; of each class into DIR/CLASS
  --output one.png --seed 42             that one again
  --output grid.png --count 16           all of them in one image, a row or more for each class
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Run a model over images, or draw new ones with a model that generates."
    parser = add_command(commands, "predict", summary=summary, epilog=_PREDICT_EPILOG, tensorflow=False)
    parser.add_argument(
        "--model",
        required=True,
        action="append",
        metavar="PATH",
        help="run directory, exported model folder or .keras file; a shipped model's name (`tfgan_app models`); or "
        "color:NAME, such as color:rgb_to_lab. Repeated: one runs after the other, on what that makes",
    )
    parser.add_argument("--input", metavar="PATH", help="image, animation, video, or a folder of them")
    parser.add_argument("--output", required=True, metavar="PATH", help="image, animation, video or folder to write")
    parser.add_argument("--mask", metavar="PATH", help="what to fill is light here: an image, or a folder of them")
    parser.add_argument("--style", metavar="PATH", help="the image whose style is taken, for models of styles")
    add_input_range(parser)
    parser.add_argument("--tile", type=positive, metavar="PX", help="work in tiles of this size (default: by memory)")
    _add_finish(parser)
    parser.add_argument(
        "--output-format", metavar="NAME", help="png, jpg, webp, tiff, mp4, webm, gif... (default: as the input)"
    )
    parser.add_argument("--quality", type=positive, metavar="N", help="1 to 100, of JPEG and WebP (default: 95)")
    parser.add_argument("--resume", action="store_true", help="keep results that are there already")
    parser.add_argument(
        "--engine",
        choices=("auto", "litert", "tensorflow"),
        default="auto",
        help="what runs the model (default: on CPUs LiteRT, where a .tflite file lies beside the .keras file)",
    )
    parser.add_argument("--quantized", action="store_true", help="run in 8-bit integers: faster, a little less exact")
    add_set(parser)
    parser.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="how many images to generate, of each class (default: 1 into a file, 16 into a folder)",
    )
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of the first of them, or of grain (default: 0)")
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="NAME",
        help="generate this class only, by name or number; may be repeated (default: all)",
    )
    parser.add_argument(
        "--truncation",
        type=positive_number,
        metavar="T",
        help="largest latent: 2 changes little, 0.5 trades much variety for quality (default: no limit)",
    )
    add_checkpoint(parser)
    parser.add_argument("--json", metavar="FILE", help="write down how the results came about")


def _add_finish(parser: Any) -> None:
    """Adds the steps around a model."""
    sizes = parser.add_mutually_exclusive_group()
    help_text = "size of the results, from any model: its own is resized, antialiased"
    sizes.add_argument("--output-scale", type=positive_number, metavar="F", help=help_text)
    sizes.add_argument("--output-width", type=positive, metavar="PX", help="the same by the width")
    sizes.add_argument("--output-height", type=positive, metavar="PX", help="the same by the height")
    parser.add_argument(
        "--keep-mask", metavar="PATH", help="the input stays where this image is white; or a folder of such images"
    )
    parser.add_argument("--wrap", action="store_true", help="seamless textures: the image continues at its other edge")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="no results but a page (.html) or a sheet (.png) of crops by each --model, beside bicubic enlargement",
    )
    parser.add_argument(
        "--crop",
        action="append",
        default=[],
        type=_crop,
        metavar="X,Y,SIZE",
        help="of --compare, in input pixels; may be repeated (default: by detail)",
    )


def _crop(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) == 3 and all(part.strip().isdecimal() for part in parts) and int(parts[2]) > 0:
        return int(parts[0]), int(parts[1]), int(parts[2])
    raise argparse.ArgumentTypeError(f"must be X,Y,SIZE in pixels, as in 100,40,96. Received: {text!r}.")
