"""The export format `web`: a page that runs an image model in the browser: tiled, offline, with LiteRT's runtime."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import keras

from tfgan_app.export import tflite as tflite_format
from tfgan_app.export.request import ExportRequest
from tfgan_app.export.web_runtime import copy_runtime
from tfgan_app.keras_info import model_info
from tfgan_app.lite.files import read_card, read_file
from tfgan_app.pages import THEME, THEME_FILE

DTYPES = ("float32", "uint8")

_PAGE = "web_page"
_MODEL_FILE = "model.tflite"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*")


@dataclass(frozen=True)
class PageModel:
    """Facts about its model that the page needs; becomes its `model.json`.

    Attributes:
        name: Plain file name, part of the names of downloads.
        title: Heading of the page.
        scale: Output pixels per input pixel along height and width.
        tile_px: Height and width of the model's input.
        halo_px: Largest distance in input pixels at which an input affects an output pixel; None for the whole image.
            Where that leaves too little of a tile, the page blends overlapping tiles and says so.
        multiple: Tiles begin at multiples of it; `tile_px` is a multiple of it too.
        dtype: `"float32"` for values in [0, 1], `"uint8"` for values in [0, 255], of input and output.
        license: License of the model's weights, shown on the page.
        version: Version of the model, shown on the page.
        task: Task that the model was trained for, if known.
    """

    name: str
    title: str
    scale: int
    tile_px: int
    halo_px: int | None
    multiple: int = 1
    dtype: str = "float32"
    license: str = "not stated"
    version: int | str = 1
    task: str | None = None

    def __post_init__(self):
        for field in ("scale", "tile_px", "multiple"):
            if getattr(self, field) < 1:
                raise ValueError(f"`{field}` must be a positive integer. Received: {field}={getattr(self, field)}")
        if self.tile_px % self.multiple:
            raise ValueError(
                f"`tile_px` must be a multiple of `multiple`, {self.multiple}. Received: tile_px={self.tile_px}"
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {self.dtype}")


def write_page(
    folder: str | os.PathLike,
    *,
    tflite: bytes | os.PathLike,
    model: PageModel,
    runtime: str | os.PathLike | None = None,
) -> None:
    """Writes the page, its runtime and its model into a new folder that any static web server can serve.

    Args:
        folder: Destination; must not exist. Its parents are created.
        tflite: The model's file, or its content, with the signature `serving_default`: `images`
            [1, tile_px, tile_px, 3] -> `outputs` [1, scale * tile_px, scale * tile_px, 3], of `model.dtype`.
        model: Facts that the page shows and needs to cut images into tiles.
        runtime: Folder with the runtime's tarballs; see `copy_runtime`.

    Raises:
        ValueError: If the folder exists, or the runtime is not available.
    """
    folder = Path(folder)
    if folder.exists():
        raise ValueError(f"'{folder}' exists already: choose another name, or remove it first.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place once it is whole: a missing runtime leaves nothing behind.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tmp-") as unfinished:
        page = Path(unfinished) / "page"
        with as_file(files("tfgan_app.export") / _PAGE) as source:
            shutil.copytree(source, page, ignore=_NOT_COPIED, copy_function=shutil.copyfile)
        # Copied folders keep their modes, which are read-only where the package is.
        for path in (page, *page.rglob("*")):
            if path.is_dir():
                path.chmod(path.stat().st_mode | stat.S_IRWXU)
        copy_runtime(page / "runtime", tarballs=runtime)
        (page / "LICENSE").rename(page / "runtime" / "LICENSE")
        (page / THEME_FILE).write_text(THEME, encoding="utf-8")
        content = tflite if isinstance(tflite, bytes) else Path(tflite).read_bytes()
        (page / _MODEL_FILE).write_bytes(content)
        facts = json.dumps(dataclasses.asdict(model), indent=2, ensure_ascii=False)
        (page / "model.json").write_text(facts + "\n", encoding="utf-8")
        page.rename(folder)


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
        tflite_format.write(model, file, request)
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
    return tflite_format.load(path / _MODEL_FILE)
