"""Tab "Generate": new images by seed and class, and further tools of `predict`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.studio import library
from tfgan_app.studio.context import Studio, new_name, one_message
from tfgan_app.studio.jobs import wait_for
from tfgan_app.studio.previews import has_flag, loaded_model, parsed
from tfgan_app.studio.requests import generate_arguments
from tfgan_app.studio.viewer import result_links

_RESULTS = "studio_results"
_MOST_IMAGES = 64
_MOST_CLASSES_SHOWN = 200

Form = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A flag of `predict` for models that generate images.

    Attributes:
        flag: The flag; the tool is offered if this version's `predict` has it.
        label: Label of the field.
        placeholder: Example of a value.
        choices: The possible values; empty for any text.
        takes_file: Whether the value is a file, which is dropped.
        suffix: Suffix of its result.
    """

    flag: str
    label: str
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    takes_file: bool = False
    suffix: str = ".png"


TOOLS: Mapping[str, Tool] = {
    "Interpolation strip": Tool("--interpolate", "Seeds from first to last", "1,5,9"),
    "Prompt": Tool("--prompt", "Prompt", "a red shoe"),
    "Style mixing": Tool("--mix", "Seeds to mix", "1,5,9"),
    "Sweep": Tool("--sweep", "What changes", choices=("truncation", "classes", "directions")),
    "Projection": Tool("--project", "Image to find in the model", takes_file=True),
}
"""Tools by the label of their fields; a further one is a row."""


def tools() -> dict[str, Tool]:
    """Returns the tools whose flags `predict` has."""
    return {name: tool for name, tool in TOOLS.items() if has_flag("predict", tool.flag)}


def build(studio: Studio) -> None:
    """Adds the tab's content to the page."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            form = _fields(studio)
            draw = gr.Button("Generate", variant="primary", elem_id="generate")
            another = gr.Button("The next seeds", elem_id="next-seeds")
            save = gr.Button("Save as files", elem_id="save-generated")
        with gr.Column(scale=3, min_width=300):
            gallery = gr.Gallery(label="Images", columns=4, format="png", elem_id="generated", object_fit="contain")
            links = gr.HTML("", elem_id="generated-links")
            _add_tools(studio, form, links)
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
        one_message(lambda name: _classes_of(studio, name)),
        form["model"],
        form["classes"],
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


def _fields(studio: Studio) -> Form:
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
    return form


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


def _classes_of(studio: Studio, name: str | None) -> Any:
    if not name:
        return gr.Dropdown(choices=[], value=[])
    with studio.lock:
        return gr.Dropdown(choices=list(_model(studio, name).info.classes)[:_MOST_CLASSES_SHOWN], value=[])


def _numbers(values: Form) -> dict[str, Any]:
    """Returns seed, count, classes and truncation as `generate_arguments` takes them."""
    count = values["count"] or 1
    if not 1 <= count <= _MOST_IMAGES:
        raise ValueError(f"Images: from 1 to {_MOST_IMAGES} are expected. Received: {count}.")
    return {
        "count": count,
        "seed": values["seed"] or 0,
        "classes": values["classes"] or (),
        "truncation": values["truncation"],
    }


def _draw(studio: Studio, values: Form) -> list[tuple[Any, str]]:
    """Generates images in this process; returns them with their seeds."""
    with studio.lock:
        numbers = _numbers(values)
        count, seed = numbers["count"], numbers["seed"]
        images = _model(studio, values["model"]).generate(
            count, seed=seed, classes=numbers["classes"], truncation=numbers["truncation"] or None
        )
    labels = [f"seed {seed + index % count}" for index in range(len(images))]
    return [
        (image[..., 0] if image.shape[-1] == 1 else image, label) for image, label in zip(images, labels, strict=True)
    ]


def _save(studio: Studio, values: Form) -> None:
    """Queues the command that writes the images into a folder."""
    model = studio.places.model(values["model"])
    output = studio.places.path(f"{_RESULTS}/{new_name('generated')}", what="Folder of the results")
    arguments = generate_arguments(model, studio.places.shown(output), **_numbers(values))
    studio.jobs.add(f"Generate with {printable(Path(model).name)}", arguments, output=output)


def _add_tools(studio: Studio, form: Form, links: gr.HTML) -> None:
    """Adds a field and a button for each further tool of `predict`."""
    for name, tool in tools().items():
        slug = tool.flag.strip("-")
        with gr.Accordion(name, open=False, elem_id=f"{slug}-fields"):
            value: Any
            if tool.takes_file:
                value = gr.File(label=tool.label, type="filepath", height=120, elem_id=slug)
            elif tool.choices:
                value = gr.Dropdown(list(tool.choices), value=tool.choices[0], label=tool.label, elem_id=slug)
            else:
                value = gr.Textbox(label=tool.label, placeholder=tool.placeholder, elem_id=slug)
            button = gr.Button(name, elem_id=f"{slug}-run")
            shown = gr.Image(label=name, type="filepath", format="png", interactive=False, elem_id=f"{slug}-result")
        run = one_message(_bound(studio, tool))
        fields = [value, form["model"], form["seed"], form["truncation"]]
        button.click(run, fields, [shown, links], api_visibility="private")


def _bound(studio: Studio, tool: Tool) -> Callable[..., Any]:
    return lambda *values: use_tool(studio, tool, *values)


def use_tool(studio: Studio, tool: Tool, value: str | None, name: str, seed: int, truncation: float) -> tuple[str, str]:
    """Runs `predict` with the flag of a tool, and waits for it.

    Returns:
        The image that it has written, and HTML with a link to it.

    Raises:
        ValueError: If there is no value, or the command fails; with its message.
    """
    if not value:
        raise ValueError(f"{tool.label}: a value is expected. Received none.")
    model = studio.places.model(name)
    if tool.takes_file:
        studio.places.check_uploads([value])
    output = studio.places.path(f"{_RESULTS}/{new_name(tool.flag.strip('-'))}{tool.suffix}", what="Results")
    output.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["predict", "--model", model, "--output", studio.places.shown(output), f"{tool.flag}={value}"]
    arguments += ["--truncation", f"{truncation:g}"] if truncation and not math.isclose(truncation, 0.0) else []
    parsed(arguments)
    title = f"{tool.flag.strip('-').capitalize()} with {printable(Path(model).name)}"
    job = wait_for(studio.jobs.add(title, arguments, lane="quick", output=output))
    if job.state != "done":
        raise ValueError(job.message)
    return str(output), result_links(studio, [output])
