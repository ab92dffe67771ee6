"""The queue below all tabs: progress, messages, commands and results of the jobs."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.durations import format_seconds
from tfgan_app.files import printable
from tfgan_app.studio.context import Studio, one_message
from tfgan_app.studio.jobs import OPEN_STATES, Job
from tfgan_app.studio.viewer import result_links

_TICK_SECONDS = 1.0
_SHOWN_JOBS = 12
_SHOWN_FILES = 24

STYLE = """
.job { border: 1px solid var(--border-color-primary); border-radius: 10px; padding: 10px 14px; margin: 0 0 8px; }
.job h3 { font-size: 1rem; margin: 0 0 2px; overflow-wrap: anywhere; }
.job p { margin: 2px 0; overflow-wrap: anywhere; }
.job code { display: block; font-size: .82rem; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.job pre { font-size: .82rem; overflow: auto; margin: 6px 0; max-height: 320px; }
.job progress { width: 100%; height: 10px; accent-color: var(--color-accent); }
.job .failed, .job .partly { color: var(--error-text-color); }
.links a { display: inline-block; padding: 2px 8px 2px 0; text-decoration: underline; overflow-wrap: anywhere; }
"""


def build(studio: Studio) -> None:
    """Adds the queue to the page."""
    gr.Markdown("## Jobs")
    table = gr.HTML(queue_html(studio), elem_id="jobs", padding=False)
    with gr.Row():
        chosen = gr.Dropdown([], label="Job", elem_id="job", scale=2)
        stop = gr.Button("Stop", elem_id="stop-job")
        resume = gr.Button("Resume", elem_id="resume-job")
    with gr.Accordion("Everything that the job printed", open=False):
        log = gr.Textbox(show_label=False, lines=8, max_lines=16, elem_id="log", autoscroll=True)
    seen = gr.State({})
    timer = gr.Timer(_TICK_SECONDS)

    def tick(before: dict[str, Any], number: int | None) -> tuple[Any, ...]:
        now: dict[str, Any] = {"table": queue_html(studio), "choices": _choices(studio), "log": _log(studio, number)}
        changed = [key for key in now if now[key] != before.get(key)]
        return (
            now["table"] if "table" in changed else gr.skip(),
            _chosen(studio, now["choices"], number) if "choices" in changed else gr.skip(),
            now["log"] if "log" in changed else gr.skip(),
            now if changed else gr.skip(),
        )

    timer.tick(tick, [seen, chosen], [table, chosen, log, seen], show_progress="hidden", api_visibility="private")
    for button, action in ((stop, studio.jobs.cancel), (resume, studio.jobs.continue_job)):
        button.click(_ignoring_result(one_message(action)), chosen, None, api_visibility="private")


def _ignoring_result(function: Any) -> Any:
    def call(number: int | None) -> None:
        function(number)

    return call


def _choices(studio: Studio) -> list[tuple[str, int]]:
    return [(f"{job.number}: {job.title}", job.number) for job in studio.jobs.jobs]


def _chosen(studio: Studio, choices: list[tuple[str, int]], number: int | None) -> Any:
    """Returns the choice of jobs; a job that is open stays chosen, else the newest is."""
    stays = any(job.number == number and job.state in OPEN_STATES for job in studio.jobs.jobs)
    newest = choices[0][1] if choices else None
    return gr.Dropdown(choices=choices, value=number if stays else newest)


def _log(studio: Studio, number: int | None) -> str:
    return "\n".join(studio.jobs.find(number).lines) if number else ""


def queue_html(studio: Studio) -> str:
    """Returns the newest jobs as HTML."""
    jobs = studio.jobs.jobs[:_SHOWN_JOBS]
    if not jobs:
        return '<p class="hint">No jobs yet. Each is a command, which is shown here for scripts of your own.</p>'
    return "".join(job_html(studio, job) for job in jobs)


def job_html(studio: Studio, job: Job) -> str:
    """Returns one job as HTML: state, progress, command, and the results once there are some."""
    parts = [f"<h3>{job.number}. {html.escape(printable(job.title))}</h3>", _state_html(job)]
    parts += [f"<code>{html.escape(printable(job.command))}</code>"]
    if job.state == "running" and job.link:
        parts += [f'<p class="links"><a href="{job.link}" target="_blank">{job.link}</a></p>']
    if job.state in ("done", "partly") and job.details:
        lines = [html.escape(printable(line)) for line in job.results[-job.details :]]
        parts += ['<pre tabindex="0">', "\n".join(lines), "</pre>"]
    if job.state in ("done", "partly") and job.output is not None:
        parts += [_results_html(studio, job.output)]
    return f'<section class="job" data-state="{job.state}">{"".join(parts)}</section>'


def _state_html(job: Job) -> str:
    if job.state not in OPEN_STATES:
        took = f" ({format_seconds(job.seconds)})" if job.seconds else ""
        return f'<p class="{job.state}">{job.state}{took}: {html.escape(printable(job.message))}</p>'
    known = job.progress
    value, words = "", "starting" if job.state == "running" else str(job.state)
    if job.state != "waiting" and known is not None:
        value = f' value="{known.share:.3f}"'
        words = f"{job.state}, {known.share:.0%}" + (f", {known.left} left" if known.left else "")
    return f'<progress max="1"{value} aria-label="Job {job.number}"></progress><p>{words}</p>'


def _results_html(studio: Studio, output: Path) -> str:
    """Returns links to the files that a job has written, and to all of them in one."""
    files = written_files(output)
    links = result_links(studio, files[:_SHOWN_FILES])
    place = f"<p>In {html.escape(printable(studio.places.shown(output)))}: {len(files)} files.</p>"
    if len(files) < 2:
        return links
    return f'{place}{links}<p><a href="{studio.link(output)}" download>Download all (zip)</a></p>'


def written_files(output: Path) -> list[Path]:
    """Returns the files of a job's output, without hidden ones."""
    if output.is_file():
        return [output]
    found = sorted(path for path in output.rglob("*") if path.is_file()) if output.is_dir() else []
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(output).parts)]
