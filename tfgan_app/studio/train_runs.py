"""Runs in the tab "Train": live grids and curves, then evaluation, export and serving."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.files import printable
from tfgan_app.registry import EXPORTERS
from tfgan_app.studio import library, run_facts
from tfgan_app.studio.context import Studio, one_message
from tfgan_app.studio.requests import export_arguments, resume_arguments

_TICK_SECONDS = 2.0
_EXPORTS = "exported_models"
_QUANTIZE = ("none", "float16", "dynamic", "int8")


def build_runs(studio: Studio) -> gr.Dropdown:
    """Adds the runs to the tab.

    Returns:
        The choice of runs.
    """
    gr.Markdown("## Runs")
    with gr.Row():
        runs = gr.Dropdown(
            library.runs(studio.places),
            multiselect=True,
            allow_custom_value=True,
            label="Runs to show; several are compared",
            elem_id="runs",
            scale=2,
        )
        column = gr.Dropdown([], label="Curve", elem_id="column", allow_custom_value=True)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            grid = gr.Image(label="Newest grid", type="filepath", format="png", interactive=False, elem_id="grid")
        with gr.Column(scale=2, min_width=300):
            plot = gr.LinePlot(x="step", y="value", color="run", height=260, elem_id="curve", label="Curve")
            health = gr.Markdown(elem_id="health")
    _add_live_view(studio, [runs, column], [grid, plot, health])
    _add_actions(studio, runs)
    return runs


def _add_live_view(studio: Studio, chosen: Sequence[Any], views: Sequence[Any]) -> None:
    """Shows the chosen runs, and again whenever their files have changed."""
    runs, column = chosen
    seen, wanted, timer = gr.State(None), gr.State(None), gr.Timer(_TICK_SECONDS)

    def show(names: list[str] | None, name: str | None, before: Any) -> tuple[Any, ...]:
        folders = _folders(studio, names)
        now = (names, name, *(_stamp(folder) for folder in folders))
        if now == before or not folders:
            return (gr.skip(),) * 5
        known = run_facts.columns(folders)
        name = name if name in known else next(iter(known), None)
        return (gr.Dropdown(choices=known, value=name), *_shown(folders, name), now)

    options: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # Until the user chooses a curve it is the first there is: of the losses, then of the validation.
    column.input(lambda name: name, column, wanted, **options).then(
        show, [runs, wanted, seen], [column, *views, seen], **options
    )
    for event in (timer.tick, runs.change):
        event(show, [runs, wanted, seen], [column, *views, seen], **options)
    runs.focus(lambda: gr.Dropdown(choices=library.runs(studio.places)), None, runs, **options)


def _folders(studio: Studio, names: list[str] | None) -> list[Path]:
    """Returns the run directories of a choice, without those that do not exist (yet)."""
    found = []
    for name in names or ():
        with contextlib.suppress(ValueError):
            found.append(studio.places.existing(name, what="Run"))
    return found


def _stamp(folder: Path) -> tuple[int, ...]:
    """Returns times that change with the files that the page shows."""
    paths = [folder / name for name in ("metrics.csv", "events.jsonl", "samples")]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _shown(folders: Sequence[Path], column: str | None) -> tuple[Any, Any, str]:
    """Returns the grid of the first run, the curves of all, and their messages."""
    import pandas

    rows = run_facts.curves(folders, column) if column else []
    data = pandas.DataFrame(rows, columns=["step", "value", "run"])
    grid = run_facts.newest_grid(folders[0])
    texts = [
        f"**{run_facts.plain(folder.name)}**, {run_facts.last_step(folder)}\n\n{run_facts.health(folder)}"
        for folder in folders
    ]
    return (
        gr.Image(
            value=None if grid is None else _copied(grid),
            label=f"{printable(folders[0].name)}: {grid.stem}" if grid else "Newest grid",
        ),
        gr.LinePlot(value=data, y_title=column or "value"),
        "\n\n".join(texts),
    )


def _copied(grid: Path) -> Any:
    """Returns the pixels of a grid: the training may replace its file at any time."""
    from PIL import Image

    with Image.open(grid, formats=("PNG",)) as image:
        return image.convert("RGB")


def _add_actions(studio: Studio, runs: gr.Dropdown) -> None:
    """Adds the commands that follow a training."""
    with gr.Row():
        resume = gr.Button("Resume the run", elem_id="resume-run")
        evaluate = gr.Button("Evaluate", elem_id="evaluate")
    with gr.Row():
        kind = gr.Dropdown(list(EXPORTERS), value="tflite", label="Export as", elem_id="export-format")
        quantize = gr.Dropdown(list(_QUANTIZE), value="none", label="Weights", elem_id="quantize")
        export = gr.Button("Export", elem_id="export")
        serve = gr.Button("Serve the exports", elem_id="serve")
    private: dict[str, Any] = {"api_visibility": "private"}
    for button, function, fields in (
        (resume, resume_run, [runs]),
        (evaluate, evaluate_run, [runs]),
        (export, export_run, [runs, kind, quantize]),
        (serve, serve_exports, []),
    ):
        button.click(one_message(_bound(studio, function)), fields, None, **private)


def _bound(studio: Studio, function: Any) -> Any:
    def call(*values: Any) -> None:
        function(studio, *values)

    return call


def _first(studio: Studio, names: list[str] | None) -> str:
    """Returns the first run of a choice, checked."""
    if not names:
        raise ValueError("Choose a run first.")
    return studio.places.model(names[0])


def resume_run(studio: Studio, names: list[str] | None) -> None:
    """Queues the rest of a run's training."""
    run = _first(studio, names)
    arguments = resume_arguments(run)
    studio.jobs.add(f"Resume {printable(run)}", arguments, lane="training", resume=arguments, details=8)


def evaluate_run(studio: Studio, names: list[str] | None) -> None:
    """Queues the evaluation of a run on its held-out images."""
    run = _first(studio, names)
    studio.jobs.add(f"Evaluate {printable(run)}", ["evaluate", "--run", run], details=24)


def export_run(studio: Studio, names: list[str] | None, kind: str, quantize: str) -> None:
    """Queues the export of a run; the command compares the export with the model and states by how much they differ."""
    run = _first(studio, names)
    output = studio.places.shown(studio.places.path(_EXPORTS, what="Folder of the exports"))
    name = Path(run).stem.lstrip(".-") or "model"
    arguments = export_arguments(run, format=kind, quantize=quantize, output=output, name=name)
    studio.jobs.add(f"Export {printable(run)} as {kind}", arguments, details=12)


def serve_exports(studio: Studio) -> None:
    """Starts a server of the exported models on a free port; stopping its job ends it."""
    folder = studio.places.path(_EXPORTS, what="Folder of the exports")
    if not folder.is_dir():
        raise ValueError("There are no exports yet. Export a run as saved_model first.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["serve", "--models", studio.places.shown(folder), "--rest-port", str(port), "--grpc-port", "0"]
    studio.jobs.add("Serve the exports", arguments, lane="server", link=f"http://127.0.0.1:{port}/")
