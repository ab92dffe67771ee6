"""The export format `web`: a .tflite file and the page that runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras

from tfgan_app.export import tflite
from tfgan_app.export.request import ExportRequest
from tfgan_app.export.web import PageModel, write_page
from tfgan_app.keras_info import model_info
from tfgan_app.lite.files import read_card, read_file

_MODEL_FILE = "model.tflite"


def new_folder(output_dir: Path, request: ExportRequest) -> Path:
    """Returns `output_dir/name-web`, or `name-web-int8` and the like; raises ValueError if it exists."""
    suffix = "" if request.quantize == "none" else f"-{request.quantize}"
    path = output_dir / f"{request.name}-web{suffix}"
    if path.exists():
        raise ValueError(f"'{path}' exists already: choose another name, or remove it first.")
    return path


def write(model: keras.Model, path: Path, request: ExportRequest) -> None:
    """Writes the page with its model.

    Args:
        model: A model from images of three channels to images.
        path: The folder to write.
        request: The export's request.

    Raises:
        ValueError: If the page, or LiteRT, cannot run such a model.
    """
    if (info := model_info(model)).kind != "images" or info.channels != 3:
        raise ValueError(
            "The web page supports models of three-channel images: export this model as tflite or saved_model."
        )
    if request.tile_px == 0:
        raise ValueError("`tile` must be above 0 for the web: its runtime takes images of one size. Received: 0.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / _MODEL_FILE
        tflite.write(model, file, request)
        content = read_file(file)
    card = read_card(content)
    page = PageModel(
        name=request.name,
        title=request.name,
        scale=card.scale,
        tile_px=card.tile_px,
        halo_px=card.halo_px,
        multiple=card.multiple,
        dtype="uint8" if card.quantize == "int8" else "float32",
        license=card.license,
        version=card.version,
    )
    write_page(path, tflite=content, model=page, runtime=request.runtime)


def load(path: Path) -> Callable:
    """Loads the page's model, as `tflite.load` does."""
    return tflite.load(path / _MODEL_FILE)
