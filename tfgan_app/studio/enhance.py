"""Tab "Enhance": images, folders and videos through upscalers and restorers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.image_io import IMAGE_FORMATS
from tfgan_app.image_io.loading import is_image
from tfgan_app.studio import library
from tfgan_app.studio.context import Studio, new_name, one_message
from tfgan_app.studio.imports import build_import
from tfgan_app.studio.previews import parsed, predict_one
from tfgan_app.studio.requests import AS_INPUT, SIZES, PredictRequest
from tfgan_app.studio.viewer import magnified, magnifier, result_links

_IN_SEQUENCE, _SIDE_BY_SIDE = "one after the other", "compared side by side"
_FORMATS = (AS_INPUT, "png", "jpg", "webp", "tiff")
_DEFAULT_MODEL = "upscale_x4"
_RESULTS = "studio_results"
_FIRST_IMAGES = 50

Form = dict[str, Any]
"""Components of the form by name; events get their values under the same names."""


def build(studio: Studio) -> None:
    """Adds the tab's content to the page."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            form = {**_source_fields(), **_model_fields(studio), **_output_fields()}
            build_import(studio, form["models"], library.ENHANCING)
            with gr.Row():
                preview = gr.Button("Preview one image", elem_id="preview")
                start = gr.Button("Enhance all", variant="primary", elem_id="enhance")
        with gr.Column(scale=3, min_width=300):
            slider = gr.ImageSlider(
                label="Before and after", type="filepath", interactive=False, elem_id="slider", max_height=520
            )
            detail = magnifier()
            links = gr.HTML("", elem_id="preview-links")
    names, fields = list(form), list(form.values())

    def with_names(function: Callable[..., Any]) -> Callable[..., Any]:
        return one_message(lambda *values: function(studio, dict(zip(names, values, strict=True))))

    choice = with_names(_image_choices)
    for changed in (form["uploads"].change, form["folder"].submit, form["folder"].blur):
        changed(choice, fields, form["image"], show_progress="hidden", api_visibility="private")
    shown = [slider, detail, links]
    preview.click(with_names(show_preview), fields, shown, concurrency_id="model", api_visibility="private")
    start.click(with_names(start_job), fields, None, api_visibility="private")


def _source_fields() -> Form:
    return {
        "uploads": gr.File(
            label="Images or videos", file_count="multiple", type="filepath", height=150, elem_id="uploads"
        ),
        "folder": gr.Textbox(label="or a folder (or file) on this machine", placeholder="photos", elem_id="folder"),
        "image": gr.Dropdown([], label="Image of the preview", elem_id="image"),
    }


def _model_fields(studio: Studio) -> Form:
    known = library.choices(studio.places, library.ENHANCING)
    first = [value for _, value in known if value == _DEFAULT_MODEL] or [value for _, value in known[:1]]
    return {
        "models": gr.Dropdown(
            known,
            value=first,
            multiselect=True,
            allow_custom_value=True,
            label="Models",
            info="In order, such as restore, then upscale_x4. A path may be typed too.",
            elem_id="models",
        ),
        "several": gr.Radio(
            [_IN_SEQUENCE, _SIDE_BY_SIDE], value=_IN_SEQUENCE, label="Several models", elem_id="several"
        ),
        "fidelity": gr.Slider(
            0.0,
            1.0,
            value=0.0,
            step=0.05,
            label="Fidelity",
            info="0: the model itself. 1: the faithful model that its training started from.",
            elem_id="fidelity",
        ),
    }


def _output_fields() -> Form:
    with gr.Accordion("Size, format and place of the results", open=False, elem_id="output-fields"):
        with gr.Row():
            size = gr.Dropdown(list(SIZES), value=next(iter(SIZES)), label="Output size", elem_id="size")
            amount = gr.Number(0, label="Factor or pixels", minimum=0, elem_id="amount")
        with gr.Row():
            kind = gr.Dropdown(list(_FORMATS), value=AS_INPUT, label="Format", elem_id="format")
            quality = gr.Slider(1, 100, value=95, step=1, label="JPEG and WebP quality", elem_id="quality")
        wrap = gr.Checkbox(label="Seamless texture: edges continue at opposite edges", elem_id="wrap")
        place = gr.Textbox(_RESULTS, label="Folder of the results", elem_id="output")
    return {"size": size, "amount": amount, "format": kind, "quality": quality, "wrap": wrap, "output": place}


def request_of(studio: Studio, values: Form) -> PredictRequest:
    """Returns the request that a form states, with checked models.

    Raises:
        ValueError: If a model is not allowed.
    """
    return PredictRequest(
        models=[studio.places.model(name) for name in values["models"] or ()],
        size=values["size"],
        amount=values["amount"] or 0.0,
        format="" if values["format"] == AS_INPUT else values["format"],
        quality=values["quality"],
        fidelity=values["fidelity"],
        wrap=values["wrap"],
    )


def _sources(studio: Studio, values: Form) -> list[Path]:
    """Returns the files of a form: the uploads, or those of its folder.

    Raises:
        ValueError: If there are none.
    """
    if values["uploads"]:
        return studio.places.check_uploads(values["uploads"])
    if not (values["folder"] or "").strip():
        raise ValueError("Drop images or videos first, or name a folder.")
    found = studio.places.existing(values["folder"], what="Folder")
    return [found] if found.is_file() else sorted(path for path in found.rglob("*") if is_image(path))


def _image_choices(studio: Studio, values: Form) -> Any:
    """Returns the images that can be previewed; a wrong folder is said by the buttons, not while it is written."""
    if not values["uploads"]:
        try:
            studio.places.existing(values["folder"], what="Folder")
        except ValueError:
            return gr.Dropdown(choices=[], value=None)
    images = [path for path in _sources(studio, values) if is_image(path)][:_FIRST_IMAGES]
    named = [(printable(path.name), str(path)) for path in images]
    return gr.Dropdown(choices=named, value=named[0][1] if named else None)


def show_preview(studio: Studio, values: Form) -> tuple[Any, str, str]:
    """Enhances one image in this process.

    Returns:
        Value of the slider, HTML of the magnifier, and HTML with links to the results.
    """
    sources = [path for path in _sources(studio, values) if is_image(path)]
    source = next((path for path in sources if str(path) == values["image"]), None) or next(iter(sources), None)
    if source is None:
        raise ValueError("There is no image to preview. Videos are enhanced by `Enhance all`.")
    request, progress = request_of(studio, values), gr.Progress()
    requests = [request]
    if values["several"] == _SIDE_BY_SIDE:
        requests = [dataclasses.replace(request, models=[model]) for model in request.models]
    results = []
    for each in requests:
        name = " + ".join(Path(model).name for model in each.models)
        target = studio.new_folder("preview") / _preview_name(source, each)
        with studio.lock:
            arguments = each.arguments(str(source), str(target))
            written = predict_one(arguments, on_share=functools.partial(progress, desc=name))
        results.append((name, written))
    files = [path for _, path in results]
    detail = magnified(studio, [("before", source), *results])
    return (str(source), str(files[-1])), detail, result_links(studio, files)


def _preview_name(source: Path, request: PredictRequest) -> str:
    """Returns a file name that a browser shows and that keeps the pixels."""
    suffix = f".{request.format}" if request.format else source.suffix.lower()
    models = "-".join(Path(model).stem for model in request.models)
    return f"{source.stem}-{models}{suffix if suffix in IMAGE_FORMATS else '.png'}"


def start_job(studio: Studio, values: Form) -> None:
    """Queues a prediction of everything that the form names, for each model if they are compared."""
    request = request_of(studio, values)
    compared = values["several"] == _SIDE_BY_SIDE and len(request.models) > 1
    requests = [dataclasses.replace(request, models=[model]) for model in request.models] if compared else [request]
    place = studio.places.path(values["output"], what="Folder of the results")
    sources = _sources(studio, values)
    if values["uploads"]:
        source, output = studio.gather(values["uploads"]), place / new_name("enhanced")
        subject = f"{len(sources)} {'file' if len(sources) == 1 else 'files'}"
    else:
        source = studio.places.existing(values["folder"], what="Folder")
        output, subject = place / source.stem, f"'{printable(source.name)}'"
    for each in requests:
        name = " + ".join(Path(model).name for model in each.models)
        own = output / Path(each.models[0]).name if compared else output
        own.mkdir(parents=True, exist_ok=True)
        arguments = each.arguments(studio.places.shown(source), studio.places.shown(own))
        parsed(arguments)
        resume = [*arguments, "--resume"]
        studio.jobs.add(f"Enhance {subject} with {name}", arguments, output=own, resume=resume)
