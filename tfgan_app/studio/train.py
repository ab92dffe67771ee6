"""Tab "Train": a folder, its problems, a task with an estimate of time, and the runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.registry import is_own
from tfgan_app.studio.context import Studio, new_name, one_message
from tfgan_app.studio.jobs import wait_for
from tfgan_app.studio.requests import TrainRequest, resume_arguments
from tfgan_app.studio.train_runs import build_runs
from tfgan_app.tasks import load_presets

_TASKS = {
    "Translate one kind of image into another": "translate",
    "Generate new images like mine": "generate",
    "Upscale: make images larger": "upscale",
    "Restore: remove noise, blocks, blur or holes": "restore",
    "Augment: more images for a classifier": "augment",
}
_DEFAULT_PRESET = "default"
_SAMPLE = "the bundled sample"
_KERAS = "keras:"
_EXAMPLES = 8
_THUMBNAIL_PX = 192
_RUNS = "runs"
_SIZES = {"steps": "Steps", "image_size": "Image size", "batch_size": "Images a step"}

Form = dict[str, Any]


def build(studio: Studio) -> None:
    """Adds the tab's content to the page."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            data = gr.Dropdown(
                _data_choices(studio),
                value=_SAMPLE,
                allow_custom_value=True,
                label="Folder of images",
                info="Folders with images are listed; a path may be typed too.",
                elem_id="data",
            )
            inspect = gr.Button("Inspect the folder", elem_id="inspect")
            form = {"data": data, **_task_fields()}
            with gr.Row():
                estimate = gr.Button("Estimate the time", elem_id="estimate")
                start = gr.Button("Start", variant="primary", elem_id="start")
        with gr.Column(scale=3, min_width=300):
            findings = gr.Textbox(label="Findings", lines=6, max_lines=16, elem_id="findings")
            examples = gr.Gallery(label="Examples", columns=4, height=220, elem_id="examples", format="png")
            time = gr.Textbox(label="Estimate", lines=2, elem_id="time")
    names, fields = list(form), list(form.values())

    def with_names(function: Callable[..., Any]) -> Callable[..., Any]:
        return one_message(lambda *values: function(studio, dict(zip(names, values, strict=True))))

    private: dict[str, Any] = {"api_visibility": "private"}
    data.focus(lambda: gr.Dropdown(choices=_data_choices(studio)), None, data, show_progress="hidden", **private)
    form["task"].change(_presets_of, form["task"], form["preset"], show_progress="hidden", **private)
    inspect.click(with_names(_inspect), fields, [findings, examples], **private)
    estimate.click(with_names(_estimate), fields, time, **private)
    runs = build_runs(studio)
    start.click(with_names(start_training), fields, runs, **private)


def _task_fields() -> Form:
    tasks = list(_TASKS.items())
    fields: Form = {
        "task": gr.Radio(tasks, value=tasks[0][1], label="Task", elem_id="task"),
        "preset": gr.Dropdown(_preset_choices(tasks[0][1]), value=_DEFAULT_PRESET, label="Preset", elem_id="preset"),
    }
    with gr.Row():
        for name, label in _SIZES.items():
            elem_id = name.replace("_", "-")
            fields[name] = gr.Number(0, label=f"{label} (0: the preset's)", minimum=0, precision=0, elem_id=elem_id)
    with gr.Accordion("More settings", open=False, elem_id="more"):
        fields["run_dir"] = gr.Textbox(label="Folder of the run", placeholder="runs/TASK-DATE-TIME", elem_id="run-dir")
        fields["settings"] = gr.Textbox(
            label="Settings, one a line", placeholder="training.validate_every_steps=500", lines=3, elem_id="settings"
        )
    return fields


def _data_choices(studio: Studio) -> list[str]:
    return [_SAMPLE, *studio.places.image_folders()]


def _preset_choices(task: str) -> list[tuple[str, str]]:
    return [(f"{name}: {preset.summary}", name) for name, preset in load_presets(task).items()]


def _presets_of(task: str) -> Any:
    return gr.Dropdown(choices=_preset_choices(task), value=_DEFAULT_PRESET)


def data_source(studio: Studio, text: str) -> str:
    """Returns the data source that a form names; empty for the bundled sample.

    Raises:
        ValueError: If it is outside of the allowed folders, or there is none.
    """
    text = (text or "").strip()
    if text in ("", _SAMPLE):
        return ""
    if text.startswith(_KERAS):
        return text
    return studio.places.shown(studio.places.existing(text, what="Folder of images"))


def settings_of(studio: Studio, text: str) -> list[str]:
    """Returns the settings that are written one a line.

    Raises:
        ValueError: If a line is not `KEY=VALUE`, names code, or a path outside of the allowed folders.
    """
    found = []
    for line in filter(None, map(str.strip, (text or "").splitlines())):
        key, sign, value = (part.strip() for part in line.partition("="))
        if not key or not sign:
            raise ValueError(f"Settings: KEY=VALUE is expected on each line. Received: '{printable(line)}'.")
        for part in value.split(","):
            if is_own(part.strip()):
                raise ValueError(
                    f"Settings: '{printable(part)}' names code of your own, which the page does not run. Use the "
                    "command line for it."
                )
        if "/" in value or "\\" in value or value.startswith((".", "~")):
            value = studio.places.shown(studio.places.path(value, what=f"Setting {key}"))
        found.append(f"{key}={value}")
    return found


def request_of(studio: Studio, values: Form) -> TrainRequest:
    """Returns the training that a form states.

    Raises:
        ValueError: If a field is not usable.
    """
    task = values["task"]
    run_dir = (values["run_dir"] or "").strip() or f"{_RUNS}/{new_name(task)}"
    for name, label in _SIZES.items():
        if (values[name] or 0) < 0:
            raise ValueError(f"{label}: at least 1 is expected, or 0 for the preset's. Received: {values[name]}.")
    return TrainRequest(
        task,
        studio.places.shown(studio.places.path(run_dir, what="Folder of the run")),
        data=data_source(studio, values["data"]),
        # The default preset is the one that fits `task.method` in the settings.
        preset="" if values["preset"] == _DEFAULT_PRESET else values["preset"],
        steps=values["steps"] or 0,
        batch_size=values["batch_size"] or 0,
        image_size=values["image_size"] or 0,
        settings=settings_of(studio, values["settings"]),
    )


def _inspect(studio: Studio, values: Form) -> tuple[str, list[tuple[Any, str]]]:
    """Returns the findings of `inspect`, and examples."""
    folder = data_source(studio, values["data"])
    if not folder:
        raise ValueError("Choose a folder of your own first: the bundled sample needs no inspection.")
    job = wait_for(studio.jobs.add(f"Inspect {printable(folder)}", ["inspect", "--data", folder], lane="quick"))
    if job.state not in ("done", "partly"):
        raise ValueError(job.message)
    return "\n".join(job.lines), _examples(folder)


def _examples(folder: str) -> list[tuple[Any, str]]:
    """Returns some images of a folder in small, with their names."""
    from PIL import Image

    from tfgan_app.image_io.loading import find_images, read_rgb

    if folder.startswith(_KERAS):
        return []
    paths = find_images(folder)
    shown = []
    for path in paths[:: max(len(paths) // _EXAMPLES, 1)][:_EXAMPLES]:
        try:
            image = Image.fromarray(read_rgb(path))
        except (ValueError, OSError):
            continue  # `inspect` names it.
        image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        shown.append((image, printable(Path(path).name)))
    return shown


def _estimate(studio: Studio, values: Form) -> str:
    """Returns the estimate of `train --dry-run`."""
    request = request_of(studio, values)
    title = f"Estimate {request.task}"
    job = wait_for(studio.jobs.add(title, request.arguments(dry_run=True), lane="quick"))
    if job.state not in ("done", "partly"):
        raise ValueError(job.message)
    return next((line for line in reversed(job.lines) if "take about" in line), job.message)


def start_training(studio: Studio, values: Form) -> Any:
    """Queues a training; returns the choice of runs with the new one."""
    request = request_of(studio, values)
    run_dir = studio.places.path(request.run_dir, what="Folder of the run")
    if (run_dir / "config.json").exists():
        raise ValueError(f"Folder of the run: '{request.run_dir}' holds a run already. Name another one, or resume it.")
    studio.jobs.add(
        f"Train {request.task} in {printable(request.run_dir)}",
        request.arguments(),
        lane="training",
        resume=resume_arguments(request.run_dir),
        details=8,
    )
    return gr.Dropdown(choices=[request.run_dir], value=[request.run_dir])
