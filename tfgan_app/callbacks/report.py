"""`report.html`: results, curves, images, events and settings of a run in one self-contained file."""

from __future__ import annotations

import base64
import datetime
import io
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_app.callbacks.events import figure_caveats, read_events, warning_events
from tfgan_app.callbacks.grids import SAMPLES_DIR, find_grids
from tfgan_app.callbacks.metrics_file import read_metrics
from tfgan_app.callbacks.report_curves import Rows, curves_html
from tfgan_app.callbacks.report_page import Section, page, sections_html
from tfgan_app.callbacks.report_results import BASELINES, METRICS, find_results, results_html
from tfgan_app.callbacks.report_study import STUDY_NOTE, study_section
from tfgan_app.durations import format_seconds
from tfgan_app.files import printable, quoted, write_text
from tfgan_app.image_io.loading import write_image
from tfgan_app.image_io.opening import open_image

REPORT_FILE = "report.html"
EXAMPLES_DIR = "examples"
GRIDS_SHOWN = 6
EVENTS_SHOWN = 50
PNG_LIMIT_BYTES = 400_000
ENLARGE_TO_PX = 420


def write_report(
    run_dir: str | Path,
    *,
    title: str,
    next_commands: Sequence[str] = (),
    summary: Mapping[str, object] | None = None,
) -> Path:
    """Writes `report.html` from the files in the run directory, at any stage of the run.

    It reads `metrics.csv`, `events.jsonl`, `config.json`, `run.json`, `study.json`, the grids `samples/step-*.png` and
    the images `samples/examples/NUMBER-CAPTION.png`; missing or damaged files are left out.

    Args:
        run_dir: The run directory.
        title: The page's heading.
        next_commands: Suggested shell commands; a trailing `  # comment` is shown as text.
        summary: The final evaluation. Metrics (`METRICS`), also with the prefix of a baseline (`copy_psnr`,
            `floor_fid`), form the headline; other items are shown as facts (`val_images=94` as "val images: 94").
            Without metrics, the last validation is shown.

    Returns:
        The report's path.

    Raises:
        OSError: If the report cannot be written.
    """
    run_dir, summary = Path(run_dir), dict(summary or {})
    rows, events, config = read_metrics(run_dir), read_events(run_dir), _flattened(_read_json(run_dir / "config.json"))
    warnings = warning_events(events)
    sections = [
        Section("Does it help a classifier", study_section(run_dir), STUDY_NOTE),
        Section("Examples", _examples(run_dir), "Results of the finished model."),
        Section("Over time", _grids(run_dir), "The same images during training; the newest is at the right."),
        Section("Curves", curves_html(rows, [event["step"] for event in warnings if isinstance(event["step"], int)])),
        Section("Warnings and events", _events(events)),
        Section("Next commands", _commands(next_commands)),
        Section("Configuration", _config(config)),
    ]
    body = [
        _header(title, rows, len(warnings), config),
        results_html(find_results(summary, rows), caveats=figure_caveats(events)),
        _facts(summary, rows, config, _read_json(run_dir / "run.json").get("best")),
        sections_html(sections),
        _footer(run_dir),
    ]
    path = run_dir / REPORT_FILE
    write_text(path, page(title, "\n".join(body)))
    return path


def _header(title: str, rows: Rows, warnings: int, config: Mapping[str, object]) -> str:
    done, wanted = (rows[-1]["step"] if rows else 0), config.get("training.steps")
    if not isinstance(wanted, int):
        chip = f'<span class="chip warn">{done:,} steps</span>'
    elif done >= wanted:
        chip = f'<span class="chip good">finished, {done:,} steps</span>'
    else:
        chip = f'<span class="chip warn">not finished: {done:,} of {wanted:,} steps</span>'
    if warnings:
        chip += f'<a class="chip warn" href="#warnings-and-events">{_counted(warnings, "warning")}</a>'
    return f"<header><h1>{_escape(title)}</h1>{chip}</header>"


def _facts(summary: Mapping[str, object], rows: Rows, config: Mapping[str, object], best: object) -> str:
    facts: dict[str, object] = {}
    if isinstance(best, dict) and {"step", "metric", "value"} <= best.keys():
        facts["best.keras"] = f"step {_text(best['step'])}, {best['metric']} {_text(best['value'])}"
    if rows and "seconds" in rows[-1]:
        facts["training time"] = format_seconds(rows[-1]["seconds"])
    speeds = sorted(row["images_per_second"] for row in rows if "images_per_second" in row)
    if speeds:
        facts["speed"] = f"{speeds[len(speeds) // 2]:.3g} images/s"
    for label, key in (("image size", "data.image_size"), ("batch size", "training.batch_size")):
        if key in config:
            facts[label] = config[key]
    headline = {*METRICS, *(f"{baseline.prefix}{name}" for name in METRICS for baseline in BASELINES)}
    headline |= {f"{name}{end}" for name in headline for end in ("_low", "_high")}
    facts |= {name.replace("_", " "): value for name, value in summary.items() if name not in headline}
    items = (f"<div><dt>{escape(name)}</dt><dd>{_escape(_text(value))}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{"".join(items)}</dl>' if facts else ""


def _commands(commands: Sequence[str]) -> str:
    html = []
    for line in commands:
        command, purpose = re.fullmatch(r"(.*?)(?:  # ([^'\"]*))?", line).groups()  # A quoted path may contain "#".
        purpose_html = f'<p class="small muted">{escape(purpose.strip())}</p>' if purpose else ""
        html.append(f'{purpose_html}<div class="command"><div><pre>{_escape(command.strip())}</pre></div></div>')
    return f'<div class="card">{"".join(html)}</div>' if html else ""


def write_examples(run_dir: str | Path, examples: Mapping[str, np.ndarray]) -> None:
    """Writes the images of the section "Examples" and replaces earlier ones.

    Args:
        run_dir: The run directory.
        examples: Caption (letters, digits, hyphens and spaces) -> uint8 [height, width, 3], in the order of the report.

    Raises:
        OSError: If an image cannot be written.
    """
    folder = Path(run_dir) / SAMPLES_DIR / EXAMPLES_DIR
    for old in folder.glob("*.png"):
        old.unlink()
    for number, (caption, image) in enumerate(examples.items(), start=1):
        write_image(folder / f"{number}-{caption.replace(' ', '_')}.png", image)


def _examples(run_dir: Path) -> str:
    images = []
    for path in sorted((run_dir / SAMPLES_DIR / EXAMPLES_DIR).glob("*.png")):
        caption = path.stem.partition("-")[2].replace("_", " ")
        images.append(_image(path, caption[:1].upper() + caption[1:]))
    return f'<div class="pair">{"".join(images)}</div>' if any(images) else ""


def _grids(run_dir: Path) -> str:
    grids = find_grids(run_dir)
    if len(grids) > GRIDS_SHOWN:
        last = len(grids) - 1
        grids = [grids[round(index * last / (GRIDS_SHOWN - 1))] for index in range(GRIDS_SHOWN)]
    images = "".join(_image(path, f"Step {step:,}") for step, path in grids)
    return (
        f'<div class="strip" tabindex="0" role="region" aria-label="Grids over time">{images}</div>' if images else ""
    )


def _image(path: Path, caption: str) -> str:
    try:
        with open_image(path, formats=("PNG",)) as image:
            image = image.convert("RGB")
    except (OSError, ValueError):
        return ""
    width, height = image.size
    # The style sheet scales examples to their cards; grids over time are side by side at a fixed size.
    scale = max(ENLARGE_TO_PX // width, 1)
    css_class = "pixels" if scale > 1 else "smooth"
    return (
        f'<figure class="image"><figcaption><strong>{escape(caption)}</strong></figcaption>'
        f'<img class="{css_class}" src="{_data_uri(image, path)}" alt="{escape(caption)}" '
        f'width="{width * scale}" height="{height * scale}"></figure>'
    )


def _data_uri(image: Image.Image, path: Path) -> str:
    content, kind = path.read_bytes(), "png"
    if len(content) > PNG_LIMIT_BYTES:  # Large photographs would make the file too big to mail.
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90, subsampling=0)
        content, kind = buffer.getvalue(), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _events(events: Sequence[Mapping]) -> str:
    if not events:
        return '<p class="muted">None.</p>'
    colors = {"warning": "warn", "rollback": "warn", "error": "bad"}
    items = [
        f'<li><span class="chip {colors.get(event["kind"], "")}">{escape(str(event["kind"]))}</span>'
        f'<span class="muted small">step {escape(_text(event["step"]))}</span>'
        f'<span class="message">{_escape(str(event["message"]))}</span></li>'
        for event in events[-EVENTS_SHOWN:]
    ]
    earlier = len(events) - len(items)
    more = f'<p class="muted small">{earlier} earlier events are in events.jsonl.</p>' if earlier else ""
    return f'{more}<ul class="events">{"".join(items)}</ul>'


def _config(config: Mapping[str, object]) -> str:
    if not config:
        return ""
    table_rows = "".join(
        f'<tr><th scope="row"><code>{escape(key)}</code></th>'
        f"<td>{_escape(json.dumps(value, ensure_ascii=False))}</td></tr>"
        for key, value in config.items()
    )
    return (
        f'<details class="card"><summary>{len(config)} settings, each settable with --set KEY=VALUE'
        f"</summary><table>{table_rows}</table></details>"
    )


def _footer(run_dir: Path) -> str:
    written = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    logs = _escape(quoted(run_dir / "logs"))
    return (
        f"<footer>Written by tfgan_app on {escape(written)} from <code>{_escape(str(run_dir))}</code>. "
        "All numbers are in <code>metrics.csv</code>; "
        f"<code>tensorboard --logdir {logs}</code> shows them live.</footer>"
    )


def _read_json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _flattened(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _escape(text: str) -> str:
    """Returns a text that may contain file names as HTML."""
    return escape(printable(" ".join(text.splitlines())))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
