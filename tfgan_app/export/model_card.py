"""A readable card for each export: its inputs, its outputs, and its difference from the model."""

from __future__ import annotations

from pathlib import Path

import keras

import tfgan_app
from tfgan_app.export.parity import LIMITS, Parity
from tfgan_app.export.request import ExportRequest
from tfgan_app.files import write_text
from tfgan_app.keras_info import model_info
from tfgan_app.model_info import ModelInfo

CARD_FILE = "MODEL_CARD.md"

_FORMATS = {
    "saved_model": "a SavedModel for TensorFlow Serving and plain TensorFlow",
    "tflite": "a LiteRT (TFLite) file of builtin operations, signature `serving_default`",
    "web": "a static page that runs the model in the browser",
    "keras": "a Keras file, for Python with tfgan_app installed",
}


def card_text(model: keras.Model, *, format: str, request: ExportRequest, parity: Parity) -> str:
    """Card of an export in Markdown.

    Args:
        model: The exported model.
        format: The export's format.
        request: The export's request.
        parity: Difference between the export and the model.
    """
    info = model_info(model)
    rows = {
        "Format": _FORMATS.get(format, format),
        "Numbers": "float32" if request.quantize == "none" else request.quantize,
        "Takes": _takes(info),
        "Gives": _gives(info),
        **_transparency(info, format),
        "Parameters": f"{model.count_params():,}",
        **request.training,
        "License of the weights": request.license,
        "Written by": f"tfgan_app {tfgan_app.__version__}",
    }
    lines = [f"# {request.name}", "", *(f"- {name}: {value}" for name, value in rows.items())]
    lines += ["", "## Against the Keras model", "", *_agreement(request, parity), ""]
    return "\n".join(lines)


def write_card_beside(path: Path, text: str) -> None:
    """Writes the card of a single-file export: `model.tflite.md` for `model.tflite`."""
    write_text(path.with_name(f"{path.name}.md"), text)


def _takes(info: ModelInfo) -> str:
    if info.kind == "noise":
        classes = f", and one of {len(info.classes)} classes" if info.classes else ""
        classes += f", and a text of up to {info.prompt_tokens} tokens" if info.prompt_tokens else ""
        psi = info.style_truncation
        truncated = "" if psi is None else f"; its styles are truncated at psi {psi:g}"
        return f"{info.latent_dim} latents, standard normal{classes}{truncated}"
    if info.kind == "style":
        return "images, an image whose style they are given, and the style's strength from 0 to 1"
    looks = "the whole image" if info.halo_px is None else f"{info.halo_px} px around"
    hole = ", the fourth 0 in holes" if info.kind == "inpainting" else ""
    return f"images of {info.channels} channels{hole}; an output pixel depends on {looks}"


def _gives(info: ModelInfo) -> str:
    if info.kind == "noise":
        height, width = info.image_size
        return f"images of {width} x {height} px, {info.output_channels} channels"
    return "RGB images of the same size" if info.scale == 1 else f"RGB images {info.scale} times as wide and high"


def _transparency(info: ModelInfo, format: str) -> dict[str, str]:
    """The card's row on the alpha of files; empty where the export takes no files."""
    if format != "saved_model" or info.kind == "noise":
        return {}
    if info.kind == "inpainting":
        return {"Transparency": "transparent pixels of files are the holes that are filled"}
    kept = "kept by `tfgan_app serve` and `tfgan_app predict`, which carry it around the model"
    return {"Transparency": f"composited on white in files given to the SavedModel; {kept}"}


def _agreement(request: ExportRequest, parity: Parity) -> list[str]:
    limits = LIMITS[request.quantize]
    lines = [f"largest difference {parity.max_error:.2g}, mean {parity.mean_error:.2g}, for images in [0, 1]"]
    lines.append(f"PSNR {parity.psnr:.1f} dB on average, {parity.least_psnr:.1f} dB at least (100 means identical)")
    if parity.lost_psnr is not None:
        lines.append(f"{parity.lost_psnr:.2f} dB of PSNR lost on {len(request.held_out)} held-out images")
    allowed = {"largest difference": limits.max_error, "least PSNR": limits.psnr, "lost dB": limits.lost_psnr}
    named = ", ".join(f"{name} {value:g}" for name, value in allowed.items() if value is not None)
    return [*(f"- {line}" for line in lines), f"- limits of the export: {named}"]
