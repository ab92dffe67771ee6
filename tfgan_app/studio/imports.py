"""Import of trained weights by drag and drop."""

from __future__ import annotations

import shutil
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.studio import library
from tfgan_app.studio.context import Studio, one_message
from tfgan_app.studio.jobs import wait_for

_SUFFIXES = [".pth", ".pt", ".ckpt", ".safetensors", ".param", ".bin"]
_MODELS = "studio_models"


def build_import(studio: Studio, models: gr.Dropdown, tasks: frozenset[str]) -> None:
    """Adds fields for weights of PyTorch or ncnn; the model that they become is added to the choice.

    Args:
        studio: State of the page.
        models: Choice of several models.
        tasks: Tasks of the models that the choice offers.
    """
    with gr.Accordion("Import a model of PyTorch or ncnn", open=False, elem_id="import-fields"):
        weights = gr.File(
            label="Weights: .pth, .safetensors, or .param and .bin together",
            file_count="multiple",
            file_types=_SUFFIXES,
            type="filepath",
            height=130,
            elem_id="weights",
        )
        license = gr.Textbox(label="License of the weights", placeholder="not stated", elem_id="weights-license")
        button = gr.Button("Import", elem_id="import")

    @one_message
    def run(uploads: list[str] | None, stated: str, chosen: list[str] | None) -> Any:
        value = import_weights(studio, uploads or [], license=stated)
        return gr.Dropdown(choices=library.choices(studio.places, tasks), value=[*(chosen or []), value])

    button.click(run, [weights, license, models], models, api_visibility="private")


def import_weights(studio: Studio, uploads: list[str], *, license: str) -> str:
    """Imports weights by the command `import`, and waits for it.

    Args:
        studio: State of the page.
        uploads: A file of PyTorch, or both files of ncnn.
        license: License as the user states it.

    Returns:
        Path of the model that was written.

    Raises:
        ValueError: If there is no such file, or the command fails; with its message.
    """
    paths = [path for path in studio.places.check_uploads(uploads) if path.suffix.lower() in _SUFFIXES]
    if not paths:
        raise ValueError(f"Drop a weights file first: one of {', '.join(_SUFFIXES)}.")
    folder = studio.new_folder("weights")
    for path in paths:  # Both files of ncnn belong in one folder.
        shutil.copyfile(path, folder / path.name)
    first = folder / next((path.name for path in paths if path.suffix.lower() == ".param"), paths[0].name)
    target = studio.places.path(f"{_MODELS}/{first.stem}.keras", what="Model")
    arguments = ["import", "--weights", str(first), "--output", studio.places.shown(target)]
    arguments += ["--license", license.strip()] if license.strip() else []
    job = wait_for(studio.jobs.add(f"Import {printable(first.name)}", arguments, lane="quick"))
    if job.state != "done":
        raise ValueError(job.message)
    return studio.places.shown(target)
