"""Tab "Generate": new images by seed, class and prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.studio import library
from tfgan_app.studio.context import Studio, new_name, one_message
from tfgan_app.studio.generate_tools import RESULTS, Form, add_tools, limits_of
from tfgan_app.studio.previews import loaded_model
from tfgan_app.studio.requests import generate_arguments

_MOST_IMAGES = 64
_MOST_CLASSES_SHOWN = 200


def build(studio: Studio) -> None:
    """Adds the tab's content to the page."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            form, limits = _fields(studio)
            draw = gr.Button("Generate", variant="primary", elem_id="generate")
            another = gr.Button("The next seeds", elem_id="next-seeds")
            save = gr.Button("Save as files", elem_id="save-generated")
        with gr.Column(scale=3, min_width=300):
            gallery = gr.Gallery(label="Images", columns=4, format="png", elem_id="generated", object_fit="contain")
            links = gr.HTML("", elem_id="generated-links")
            add_tools(studio, form, links)
    names, fields = list(form), list(form.values())
    private: dict[str, Any] = {"api_visibility": "private"}

    def with_names(function: Callable[..., Any]) -> Callable[..., Any]:
        return one_message(lambda *values: function(studio, dict(zip(names, values, strict=True))))

    draw.click(with_names(_draw), fields, gallery, concurrency_id="model", **private)
    another.click(_next_seed, [form["seed"], form["count"]], form["seed"], **private).then(
        with_names(_draw), fields, gallery, concurrency_id="model", **private
    )
    save.click(with_names(_save), fields, None, **private)
    form["model"].change(
        one_message(lambda name: _abilities_of(studio, name)),
        form["model"],
        [form["classes"], form["prompt"], limits],
        concurrency_id="model",
        **private,
    )
    form["model"].focus(
        lambda: gr.Dropdown(choices=library.choices(studio.places, library.GENERATING)),
        None,
        form["model"],
        show_progress="hidden",
        **private,
    )


def _fields(studio: Studio) -> tuple[Form, gr.Markdown]:
    form: Form = {
        "model": gr.Dropdown(
            library.choices(studio.places, library.GENERATING),
            value=None,
            label="Model",
            info="A run of Train, a .keras file or an export. A path may be typed too.",
            allow_custom_value=True,
            elem_id="generator",
        ),
        "classes": gr.Dropdown([], multiselect=True, label="Classes", info="None: all.", elem_id="classes"),
    }
    form["prompt"] = gr.Textbox(
        label="Prompt",
        info="What to draw, for a model of text.",
        placeholder="a red shoe",
        visible=False,
        elem_id="prompt",
    )
    limits = gr.Markdown("", elem_id="generator-limits")
    with gr.Row():
        form["seed"] = gr.Number(0, label="First seed", minimum=0, precision=0, elem_id="seed")
        form["count"] = gr.Number(
            16, label="Images (of each class)", minimum=1, maximum=_MOST_IMAGES, precision=0, elem_id="count"
        )
    form["truncation"] = gr.Slider(
        0.0,
        3.0,
        value=0.0,
        step=0.1,
        label="Truncation",
        info="0: none. 2 changes little; 0.5 trades much variety for quality.",
        elem_id="truncation",
    )
    return form, limits


def _next_seed(seed: int, count: int) -> int:
    return (seed or 0) + (count or 1)


def _model(studio: Studio, name: str | None) -> Any:
    """Returns a loaded model that generates images.

    Raises:
        ValueError: If it is of another kind.
    """
    model = loaded_model(studio.places.model(name or ""))
    if model.info.kind != "noise":
        raise ValueError(f"'{printable(name or '')}' takes images: it is for the tabs Enhance and Translate.")
    return model


def _abilities_of(studio: Studio, name: str | None) -> tuple[Any, Any, str]:
    """Returns the fields of classes and prompt for a model, and a line on the tools that it has nothing for."""
    if not name:
        return gr.Dropdown(choices=[], value=[], multiselect=True), gr.Textbox(visible=False), ""
    with studio.lock:
        model = _model(studio, name)
        takes_text, limits = bool(model.info.prompt_tokens), limits_of(model)
    classes = gr.Dropdown(choices=list(model.info.classes)[:_MOST_CLASSES_SHOWN], value=[], multiselect=True)
    # A hidden text would still be sent.
    prompt = gr.Textbox(visible=True) if takes_text else gr.Textbox(visible=False, value="")
    return classes, prompt, " ".join(limits)


def _numbers(values: Form) -> dict[str, Any]:
    """Returns seed, count, classes, prompt and truncation as `generate_arguments` takes them."""
    count = values["count"] or 1
    if not 1 <= count <= _MOST_IMAGES:
        raise ValueError(f"Images: from 1 to {_MOST_IMAGES} are expected. Received: {count}.")
    return {
        "count": count,
        "seed": values["seed"] or 0,
        "classes": values["classes"] or (),
        "prompt": (values["prompt"] or "").strip(),
        "truncation": values["truncation"],
    }


def _draw(studio: Studio, values: Form) -> list[tuple[Any, str]]:
    """Generates images in this process; returns them with their seeds."""
    with studio.lock:
        numbers = _numbers(values)
        count, seed = numbers["count"], numbers["seed"]
        images = _model(studio, values["model"]).generate(
            count,
            seed=seed,
            classes=numbers["classes"],
            prompts=numbers["prompt"] or (),
            truncation=numbers["truncation"] or None,
        )
    labels = [f"seed {seed + index % count}" for index in range(len(images))]
    return [
        (image[..., 0] if image.shape[-1] == 1 else image, label) for image, label in zip(images, labels, strict=True)
    ]


def _save(studio: Studio, values: Form) -> None:
    """Queues the command that writes the images into a folder."""
    model = studio.places.model(values["model"])
    output = studio.places.path(f"{RESULTS}/{new_name('generated')}", what="Folder of the results")
    arguments = generate_arguments(model, studio.places.shown(output), **_numbers(values))
    studio.jobs.add(f"Generate with {printable(Path(model).name)}", arguments, output=output)
