"""Flags of `tfgan_app models`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_command

_MODELS_EPILOG = """\
A name can be used wherever a model is expected, in any folder:
  tfgan_app predict  --model upscale_x4 --input photo.jpg --output photo_x4.png
  tfgan_app evaluate --model upscale_x4 --data Set5
  tfgan_app export   --model upscale_x4 --format tflite --quantize float16
  tfgan_app train    --task upscale --data my_photos --set task.init_from=upscale_x4 ...
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "List the trained models that come with tfgan_app."
    parser = add_command(commands, "models", summary=summary, epilog=_MODELS_EPILOG, tensorflow=False)
    parser.add_argument("--json", metavar="FILE", nargs="?", const="-", help="the list as JSON, to FILE or to stdout")
