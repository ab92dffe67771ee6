"""Flags of `tfgan_app predict`."""

from __future__ import annotations

import argparse
from typing import Any

from tfgan_app.arguments.parsing import (
    add_checkpoint,
    add_command,
    add_input_range,
    add_set,
    natural,
    natural_number,
    positive,
    positive_number,
)

_PREDICT_EPILOG = """\
A model that generates images takes no --input. Its images are numbered by seed; the same seed gives the same image:
  --output DIR --count 100 --seed 0      seed-0000000.png to seed-0000099.png; with classes in DIR/CLASS
  --output one.png --seed 42             one image, again
  --output grid.png --count 16           all images in one grid, at least one row per class
  --output out --prompt "a red apple" --count 8      a model of text: out/a red apple/seed-0000000.png, ...
  --output way.gif --interpolate 1,5,9   from seed to seed; a strip into an image, frames into .gif, .mp4, ...
  --output out.png --project photo.png   the most similar image that the model can draw, and its latents in out.npz
  --output edits.png --sweep directions --latents out.npz
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Run a model on images or videos, or generate new images."
    parser = add_command(commands, "predict", summary=summary, epilog=_PREDICT_EPILOG, tensorflow=False)
    parser.add_argument(
        "--model",
        required=True,
        action="append",
        metavar="PATH",
        help="run directory, exported model folder or .keras file; a shipped model's name (`tfgan_app models`); or "
        "color:NAME, such as color:rgb_to_lab. Repeated: each model runs on the result of the one before",
    )
    parser.add_argument("--input", metavar="PATH", help="image, animation, video, or a folder of them")
    parser.add_argument("--output", required=True, metavar="PATH", help="image, animation, video or folder to write")
    parser.add_argument("--mask", metavar="PATH", help="image, or folder of images, that is light where to fill")
    parser.add_argument("--style", metavar="PATH", help="style image, for style models")
    add_input_range(parser)
    parser.add_argument("--tile", type=positive, metavar="PX", help="work in tiles of this size (default: by memory)")
    _add_finish(parser)
    parser.add_argument(
        "--output-format", metavar="NAME", help="png, jpg, webp, tiff, mp4, webm, gif... (default: as the input)"
    )
    parser.add_argument("--quality", type=positive, metavar="N", help="JPEG and WebP quality, 1 to 100 (default: 95)")
    parser.add_argument("--resume", action="store_true", help="keep existing results")
    parser.add_argument(
        "--engine",
        choices=("auto", "litert", "tensorflow"),
        default="auto",
        help="engine that runs the model (default: LiteRT on CPUs if a .tflite file is beside the .keras file)",
    )
    parser.add_argument("--quantized", action="store_true", help="run in 8-bit integers: faster, less accurate")
    add_set(parser)
    parser.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="number of images to generate per class (default: 1 into a file, 16 into a folder)",
    )
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of the first image, or of grain (default: 0)")
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="NAME",
        help="class to generate, by name or number; may be repeated (default: all)",
    )
    parser.add_argument(
        "--prompt",
        dest="prompts",
        action="append",
        default=[],
        metavar="TEXT",
        help="text of what to draw, for models of text; may be repeated",
    )
    parser.add_argument(
        "--truncation",
        type=natural_number,
        metavar="T",
        help="limit of the latents: 2 changes little, 0.5 trades much variety for quality; psi of StyleGAN2: 1 changes "
        "nothing, 0 gives its mean image (default: no limit)",
    )
    _add_latent_tools(parser)
    add_checkpoint(parser)
    parser.add_argument("--json", metavar="FILE", help="write a record of the models, settings and results")


def _add_latent_tools(parser: Any) -> None:
    """Adds the flags for walks through the latents of a model that generates images."""
    tools = parser.add_mutually_exclusive_group()
    tools.add_argument(
        "--interpolate", metavar="SEEDS", help="go from seed to seed, as in 1,5,9; an .npz file of --project is one too"
    )
    tools.add_argument(
        "--sweep",
        choices=("truncation", "classes", "directions"),
        help="rows along which one thing changes: the truncation, the class, or the latents in their strongest "
        "directions (SeFa); --count images in each",
    )
    tools.add_argument(
        "--mix",
        nargs=2,
        metavar=("ROWS", "COLUMNS"),
        help="grid of mixed styles, as in 1,2,3 4,5: coarse structure of the rows' seeds, details of the columns'",
    )
    tools.add_argument(
        "--project", metavar="IMAGE", help="find the latents whose image is most like this one; writes them as .npz too"
    )
    parser.add_argument("--latents", metavar="NPZ", help="latents of --project, in place of --seed and --class")


def _add_finish(parser: Any) -> None:
    """Adds the flags for steps before and after the model."""
    sizes = parser.add_mutually_exclusive_group()
    help_text = "size of the results relative to the input, resized with antialiasing from the model's own size"
    sizes.add_argument("--output-scale", type=positive_number, metavar="F", help=help_text)
    sizes.add_argument("--output-width", type=positive, metavar="PX", help="the same by width")
    sizes.add_argument("--output-height", type=positive, metavar="PX", help="the same by height")
    parser.add_argument(
        "--keep-mask", metavar="PATH", help="image (or folder of images) that is white where the input is kept"
    )
    parser.add_argument("--wrap", action="store_true", help="seamless textures: edges continue at opposite edges")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="write only a page (.html) or sheet (.png) of crops from each --model beside bicubic resizing",
    )
    parser.add_argument(
        "--crop",
        action="append",
        default=[],
        type=_crop,
        metavar="X,Y,SIZE",
        help="crop for --compare in input pixels; may be repeated (default: by detail)",
    )


def _crop(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) == 3 and all(part.strip().isdecimal() for part in parts) and int(parts[2]) > 0:
        return int(parts[0]), int(parts[1]), int(parts[2])
    raise argparse.ArgumentTypeError(f"must be X,Y,SIZE in pixels, as in 100,40,96. Received: {text!r}.")
