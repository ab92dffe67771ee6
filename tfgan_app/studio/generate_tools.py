"""Tools for latents on the tab "Generate": interpolation, style mixing, sweeps and projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.studio.context import Studio, new_name, one_message
from tfgan_app.studio.jobs import wait_for
from tfgan_app.studio.previews import has_flag, parsed
from tfgan_app.studio.requests import drawing_flags
from tfgan_app.studio.viewer import result_links

RESULTS = "studio_results"

Form = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A flag of `predict` for models that generate images.

    Attributes:
        flag: The flag; the tool is offered if this version's `predict` has it.
        labels: Label of the field of each of its values.
        placeholder: Example of a value.
        choices: The possible values; empty for any text.
        takes_file: Whether the value is a file, which is dropped.
        uses: Fields of the tab that it takes, besides class and prompt.
        suffix: Suffix of its result.
    """

    flag: str
    labels: tuple[str, ...]
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    takes_file: bool = False
    uses: tuple[str, ...] = ()
    suffix: str = ".png"

    @property
    def slug(self) -> str:
        """Name of the tool in ids and files."""
        return self.flag.strip("-")


TOOLS: Mapping[str, Tool] = {
    "Interpolation strip": Tool("--interpolate", ("Seeds from first to last",), "1,5,9", uses=("truncation",)),
    "Style mixing": Tool(
        "--mix", ("Seeds of the rows: coarse structure", "Seeds of the columns: details"), "1,5,9", uses=("truncation",)
    ),
    "Sweep": Tool(
        "--sweep", ("What changes",), choices=("truncation", "classes", "directions"), uses=("seed", "truncation")
    ),
    "Projection": Tool("--project", ("Image to find in the model",), takes_file=True),
}
"""Tools by the label of their fields; a further one is a row."""


def tools() -> dict[str, Tool]:
    """Returns the tools whose flags `predict` has."""
    return {name: tool for name, tool in TOOLS.items() if has_flag("predict", tool.flag)}


def limits_of(model: Any) -> list[str]:
    """Returns a sentence for each thing of the tab that a loaded noise model cannot do."""
    limits = []
    if not model.info.classes:
        limits.append("It has no classes, so there is no sweep of classes.")
    if not model.has_layers:
        limits.append(
            "An exported model shows no layers: style mixing, projection and the sweeps of directions and classes need "
            "the run or a .keras file."
        )
    elif not model.style_layers:
        limits.append(
            "Style mixing needs a generator such as StyleGAN2 or BigGAN; this one has one input for all layers."
        )
    return limits


def add_tools(studio: Studio, form: Form, links: gr.HTML) -> None:
    """Adds fields and a button for each tool."""
    names = list(form)
    for name, tool in tools().items():
        with gr.Accordion(name, open=False, elem_id=f"{tool.slug}-fields"):
            values = [_field(tool, label, index) for index, label in enumerate(tool.labels)]
            button = gr.Button(name, elem_id=f"{tool.slug}-run")
            shown = gr.Image(
                label=name, type="filepath", format="png", interactive=False, elem_id=f"{tool.slug}-result"
            )
        run = one_message(_bound(studio, tool, names))
        button.click(run, [*values, *form.values()], [shown, links], api_visibility="private")


def _field(tool: Tool, label: str, index: int) -> Any:
    elem_id = tool.slug if not index else f"{tool.slug}-{index + 1}"
    if tool.takes_file:
        return gr.File(label=label, type="filepath", height=120, elem_id=elem_id)
    if tool.choices:
        return gr.Dropdown(list(tool.choices), value=tool.choices[0], label=label, elem_id=elem_id)
    return gr.Textbox(label=label, placeholder=tool.placeholder, elem_id=elem_id)


def _bound(studio: Studio, tool: Tool, names: Sequence[str]) -> Callable[..., Any]:
    count = len(tool.labels)
    return lambda *values: use_tool(studio, tool, values[:count], dict(zip(names, values[count:], strict=True)))


def tool_arguments(tool: Tool, values: Sequence[str | None], form: Form) -> list[str]:
    """Returns the flags of a tool and of the tab's fields that it takes.

    Raises:
        ValueError: If a value is missing, or begins like a flag.
    """
    texts = [str(value or "").strip() for value in values]
    for label, text in zip(tool.labels, texts, strict=True):
        if not text:
            raise ValueError(f"{label}: a value is expected. Received none.")
        if text.startswith("-"):
            raise ValueError(f"{label}: seeds are expected, as in 1,5,9. Received: {text}.")
    given = [f"{tool.flag}={texts[0]}"] if len(texts) == 1 else [tool.flag, *texts]
    uses = set(tool.uses) - ({"truncation"} if texts == ["truncation"] else set())
    given += ["--seed", str(form["seed"])] if "seed" in uses and form["seed"] else []
    truncation = form["truncation"] if "truncation" in uses else 0.0
    return given + drawing_flags(classes=form["classes"] or (), prompt=form["prompt"], truncation=truncation)


def use_tool(studio: Studio, tool: Tool, values: Sequence[str | None], form: Form) -> tuple[str, str]:
    """Runs `predict` with the flag of a tool, and waits for it.

    Returns:
        The image that it has written, and HTML with a link to it.

    Raises:
        ValueError: If there is no value, or the command fails; with its message.
    """
    model = studio.places.model(form["model"] or "")
    flags = tool_arguments(tool, values, form)
    if tool.takes_file:
        studio.places.check_uploads(list(values))
    output = studio.places.path(f"{RESULTS}/{new_name(tool.slug)}{tool.suffix}", what="Results")
    output.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["predict", "--model", model, "--output", studio.places.shown(output), *flags]
    parsed(arguments)
    title = f"{tool.slug.capitalize()} with {printable(Path(model).name)}"
    job = wait_for(studio.jobs.add(title, arguments, lane="quick", output=output))
    if job.state != "done":
        raise ValueError(job.message)
    return str(output), result_links(studio, [output])
