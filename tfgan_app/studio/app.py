"""The page: tabs from a table, and the server around them."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Before Gradio is imported: it sends and looks up nothing.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import fastapi
import gradio as gr
import uvicorn
from fastapi.responses import FileResponse, Response

from tfgan_app.files import printable
from tfgan_app.studio import jobs_panel, viewer
from tfgan_app.studio.context import Studio
from tfgan_app.studio.guard import OwnPagesOnly
from tfgan_app.studio.jobs import JobQueue
from tfgan_app.studio.places import Places

TABS: Mapping[str, str] = {
    "Enhance": "tfgan_app.studio.enhance:build",
    "Translate": "tfgan_app.studio.translate:build",
    "Generate": "tfgan_app.studio.generate:build",
    "Train": "tfgan_app.studio.train:build",
}
"""Tabs in their order: label -> `module:function` that adds the tab's content."""

HOST = "127.0.0.1"
_STYLE = """
:root { --color-accent: #4338ca; }
.dark { --color-accent: #a5b4fc; }
.hint, .gradio-container [data-testid="block-info"] + * { color: var(--body-text-color); font-size: .9rem; }
.gradio-container .or, .gradio-container [role=tab] { color: var(--body-text-color); }
.gradio-container input.subdued { color: var(--body-text-color); }
.gradio-container [role=tab][aria-selected=true] { color: var(--color-accent); }
.gradio-container { max-width: min(1400px, 100%) !important; margin: 0 auto; }
.gradio-container main { min-width: 0; max-width: 100%; }
@media (max-width: 520px) {
  .gradio-container main { padding: 12px !important; }
  .gradio-container .tab-container button { font-size: .875rem !important; padding-inline: 5px !important; }
}
footer { display: none !important; }
"""
_HEAD = """
<script>
// Gradio labels containers without a role, and buttons by other words than those that are seen.
const repair = () => {
  document.querySelectorAll('.empty[aria-label]:not([role])').forEach((item) => item.setAttribute('role', 'img'));
  document.querySelectorAll('.upload-container[aria-label]').forEach((item) => item.removeAttribute('aria-label'));
};
new MutationObserver(repair).observe(document, { childList: true, subtree: true });
</script>
"""
_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_MONO = ["ui-monospace", "Consolas", "monospace"]


@contextmanager
def open_studio(places: Places) -> Iterator[Studio]:
    """Opens the state of a page; jobs are stopped and temporary files removed in the end."""
    temporary = Path(tempfile.mkdtemp(prefix="tfgan_app-studio-"))
    os.environ["GRADIO_TEMP_DIR"] = str(temporary / "gradio")
    studio = Studio(places, JobQueue(Path.cwd()), temporary)
    try:
        yield studio
    finally:
        studio.jobs.close()
        shutil.rmtree(temporary, ignore_errors=True)


def build_page(studio: Studio) -> gr.Blocks:
    """Returns the page with all tabs of the table."""
    with gr.Blocks(title="tfgan_app studio", analytics_enabled=False, fill_width=True) as page:
        gr.Markdown("# tfgan_app studio")
        # Wrapped, as a menu of the tabs that do not fit is filled before the styles above apply.
        with gr.Tabs(overflow_behavior="wrap"):
            for label, target in TABS.items():
                with gr.Tab(label, id=label.lower()):
                    module, _, function = target.partition(":")
                    getattr(importlib.import_module(module), function)(studio)
        jobs_panel.build(studio)
    return page.queue(default_concurrency_limit=4, api_open=False)


def build_server(studio: Studio, *, port: int) -> uvicorn.Server:
    """Returns the server of the page, for this machine only."""
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OwnPagesOnly)

    @app.get("/studio/files/{number}/{stamp}")
    def file(number: int, stamp: int) -> Response:
        del stamp  # Another address for another content, as browsers keep what they have.
        return _file_answer(studio, number)

    theme = gr.themes.Default(primary_hue="indigo", secondary_hue="indigo", font=_FONTS, font_mono=_MONO).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
    )
    app = gr.mount_gradio_app(
        app,
        build_page(studio),
        path="/",
        server_name=HOST,
        server_port=port,
        footer_links=[],
        max_file_size=studio.places.bounds.max_bytes,
        ssr_mode=False,
        theme=theme,
        head=_HEAD,
        css="\n".join((_STYLE, viewer.STYLE, jobs_panel.STYLE)),
    )
    # An open page holds a connection for ever; the end of it is no error to print.
    return uvicorn.Server(uvicorn.Config(app, HOST, port, log_level="critical", timeout_graceful_shutdown=1))


def _file_answer(studio: Studio, number: int) -> Response:
    """Returns a file that the page has linked to; a folder as a zip."""
    if not 0 <= number < len(studio.files) or not studio.files[number].exists():
        return Response("This file is gone.", status_code=404, media_type="text/plain")
    path = studio.files[number]
    if path.is_dir():
        packed = shutil.make_archive(str(studio.new_folder("zip") / path.name), "zip", path)
        return FileResponse(packed, filename=f"{printable(path.name)}.zip")
    return FileResponse(path, filename=path.name, content_disposition_type="inline")
