"""Images of a result: a slider over before and after, and a magnifier that shows pixels at their own size."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from tfgan_app.image_io.loading import image_header
from tfgan_app.studio.context import Studio

_SYNC = """
const panes = () => [...element.querySelectorAll('.pane')];
const follow = (pane) => panes().forEach((other) => {
  if (other !== pane) { other.scrollLeft = pane.scrollLeft; other.scrollTop = pane.scrollTop; }
});
element.addEventListener('scroll', (event) => {
  if (event.target.classList?.contains('pane')) follow(event.target);
}, true);
element.addEventListener('load', (event) => {
  const pane = event.target.closest?.('.pane');
  if (pane !== panes()[0]) return;
  pane.scrollLeft = (pane.scrollWidth - pane.clientWidth) / 2;
  pane.scrollTop = (pane.scrollHeight - pane.clientHeight) / 2;
}, true);
let from = null;
element.addEventListener('pointerdown', (event) => {
  const pane = event.target.closest('.pane');
  if (pane && event.pointerType === 'mouse') {
    from = { pane, x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop };
    pane.setPointerCapture(event.pointerId);
    pane.focus();
    event.preventDefault();
  }
});
element.addEventListener('pointermove', (event) => {
  if (from) { from.pane.scrollLeft = from.x - event.clientX; from.pane.scrollTop = from.y - event.clientY; }
});
element.addEventListener('pointerup', () => { from = null; });
"""
"""Panes move together: by scrolling, by arrow keys, by touch, and by dragging with the mouse."""

STYLE = """
.panes { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); gap: 8px; }
.panes figure { margin: 0; min-width: 0; }
.panes figcaption { font-size: .86rem; padding: 2px 0; overflow-wrap: anywhere; }
.pane { overflow: auto; height: 320px; border-radius: 8px; border: 1px solid var(--border-color-primary);
  cursor: grab; background: conic-gradient(#8884 25%, #8882 0 50%, #8884 0 75%, #8882 0) 0 0 / 20px 20px; }
.pane:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.pane img { display: block; max-width: none !important; margin: 0; }
@media (max-width: 520px) { .pane { height: 220px; } }
"""


def magnifier(elem_id: str = "magnifier") -> gr.HTML:
    """Returns the component that shows `magnified`; empty at first."""
    return gr.HTML("", js_on_load=_SYNC, elem_id=elem_id, padding=False)


def magnified(studio: Studio, panes: Sequence[tuple[str, Path]]) -> str:
    """Returns panes that show the same detail of several images, one pixel of the last image as one of the page.

    Args:
        studio: State of the page.
        panes: (label, file); all are shown at the size of the last one.
    """
    size = image_header(panes[-1][1])
    figures = "".join(
        f'<figure><div class="pane" tabindex="0" role="group" aria-label="{html.escape(label)}, at 100 %">'
        f'<img src="{studio.link(path)}" alt="" style="width:{size.width}px;height:{size.height}px"></div>'
        f"<figcaption>{html.escape(label)}</figcaption></figure>"
        for label, path in panes
    )
    return (
        f'<div class="panes">{figures}</div><p class="hint">100 %: {size.width} x {size.height} pixels. '
        "Drag, scroll or use the arrow keys.</p>"
    )


def result_links(studio: Studio, paths: Sequence[Path]) -> str:
    """Returns download links of files."""
    links = "".join(
        f'<a href="{studio.link(path)}" download="{html.escape(path.name)}">{html.escape(path.name)}</a> '
        for path in paths
    )
    return f'<p class="links">{links}</p>' if links else ""
