"""HTML frame, style sheet and copy-button script of the report."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from html import escape

from tfgan_app.files import printable
from tfgan_app.pages import THEME

STYLE = """
:root { --s0: var(--accent); --s1: #d9622b; --s2: #12876f; --s3: #9a3fc0; --baseline: var(--muted); }
@media (prefers-color-scheme: dark) { :root { --s1: #ff9a66; --s2: #4fd0b3; --s3: #d695f0; } }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 48px; }
h2 { margin: 36px 0 12px; }
p { margin: 0 0 12px; }
header { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin-bottom: 18px; }
.chip { font-size: .8rem; font-weight: 600; padding: 2px 10px; border-radius: 99px; white-space: nowrap; }
.good { color: var(--good); background: var(--good-soft); }
.bad { color: var(--bad); background: var(--bad-soft); }
.warn { color: var(--warn); background: var(--warn-soft); }
.chart, .image { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); }
.verdict { font-size: 1.1rem; margin-bottom: 14px; }
.cards { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); }
.metric .name { color: var(--muted); font-size: .86rem; }
.metric .value { font-size: 2rem; font-weight: 650; line-height: 1.2; letter-spacing: -.02em; }
.metric .value small { font-size: 1rem; font-weight: 500; color: var(--muted); }
.metric .base { color: var(--muted); font-size: .86rem; margin-top: 8px; }
.metric .chip { display: inline-block; margin-top: 2px; }
.facts { display: grid; gap: 10px 24px; margin: 14px 0 0;
  grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
.facts div { min-width: 0; }
.facts dt { color: var(--muted); font-size: .8rem; }
.facts dd { margin: 0; font-weight: 550; }
.charts { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); }
.charts + .card { margin-top: 14px; }
figure { margin: 0; }
.chart { padding: 12px 12px 6px; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 2px 12px; justify-content: space-between;
  font-size: .9rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0 12px; color: var(--muted); font-size: .82rem; }
.legend b { color: var(--text); font-weight: 600; font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: 14px; border-top: 3px solid; margin-right: 5px;
  vertical-align: middle; }
.legend i.baseline { border-top: 2px dashed; }
svg { display: block; width: 100%; height: auto; margin-top: 6px; }
svg text { fill: var(--muted); font-size: 12.5px; font-variant-numeric: tabular-nums; }
i.s0 { color: var(--s0); } i.s1 { color: var(--s1); } i.s2 { color: var(--s2); } i.s3 { color: var(--s3); }
i.baseline { color: var(--baseline); }
img { max-width: 100%; height: auto; border-radius: 8px; display: block; background: #fff; }
img.pixels { image-rendering: pixelated; }
.strip { display: flex; gap: 14px; overflow-x: auto; scroll-snap-type: x proximity; padding-bottom: 10px; }
.strip figure { flex: 0 0 auto; max-width: min(84vw, 480px); scroll-snap-align: start; }
.image { padding: 12px; }
.image figcaption { font-size: .9rem; margin-bottom: 8px; display: flex; gap: 10px; align-items: baseline; }
.pair .image { max-width: 720px; }
.pair img { width: 100%; }
.pair { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.events { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
.events li { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; padding: 10px 14px;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.events .chip { background: var(--code); color: var(--muted); }
.events .chip.warn { color: var(--warn); background: var(--warn-soft); }
.events .chip.bad { color: var(--bad); background: var(--bad-soft); }
.events span.message { flex: 1 1 260px; }
.command { display: flex; gap: 10px; align-items: center; margin-bottom: 10px; }
.command div { flex: 1 1 auto; min-width: 0; }
.command pre { margin: 0; background: var(--code); border-radius: 8px; padding: 10px 12px;
  white-space: pre-wrap; user-select: all; -webkit-user-select: all;
  font: .86rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
button { font: inherit; font-size: .84rem; font-weight: 600; color: var(--accent); background: transparent;
  border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; min-width: 74px; cursor: pointer; }
button:hover { border-color: var(--accent); }
details { margin-top: 14px; }
summary { cursor: pointer; font-weight: 600; padding: 4px 0; }
summary:hover, a { color: var(--accent); }
details > :nth-child(2) { margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 500; color: var(--muted); width: 46%; }
td { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
tr:last-child > * { border-bottom: 0; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
nav { display: flex; flex-wrap: wrap; gap: 6px 18px; margin-top: 18px; font-size: .9rem; }
nav a { text-decoration: none; padding: 4px 0; }
nav a:hover { text-decoration: underline; }
footer { margin-top: 40px; color: var(--muted); font-size: .84rem; }
@media (max-width: 480px) { main { padding: 18px 14px 36px; } .metric .value { font-size: 1.7rem; }
  .cards { grid-template-columns: repeat(auto-fit, minmax(min(100%, 150px), 1fr)); gap: 10px; }
  .card { padding: 12px 14px; } .command { flex-direction: column; align-items: stretch; } }
@media print { body { background: #fff; } button { display: none; } .strip { flex-wrap: wrap; } }
"""

# `navigator.clipboard` is missing in browsers that do not trust file:// pages: then the text is selected.
SCRIPT = """
document.querySelectorAll('.command').forEach(function (row) {
  var button = document.createElement('button'), code = row.querySelector('pre');
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', function () {
    function done() {
      button.textContent = 'Copied';
      setTimeout(function () { button.textContent = 'Copy'; }, 1500);
    }
    function select() {
      window.getSelection().selectAllChildren(code);
      if (document.execCommand('copy')) { done(); }
    }
    if (!navigator.clipboard) { return select(); }
    navigator.clipboard.writeText(code.textContent).then(done, select);
  });
  row.appendChild(button);
});
document.querySelectorAll('.strip').forEach(function (strip) { strip.scrollLeft = strip.scrollWidth; });
"""


def page(title: str, body: str) -> str:
    """Returns the whole HTML document.

    Args:
        title: Plain text, escaped here.
        body: HTML of the page content.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(printable(title))}</title>\n<style>{THEME}{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page with a heading.

    Attributes:
        heading: Plain text, escaped here.
        content: HTML; an empty section is left out of the page.
        note: Plain text under the heading, escaped here.
    """

    heading: str
    content: str
    note: str = ""

    @property
    def anchor(self) -> str:
        """The element id, the target of links."""
        return re.sub(r"[^a-z]+", "-", self.heading.lower()).strip("-")

    def html(self) -> str:
        """Returns the section as HTML."""
        note = f'<p class="muted small">{escape(self.note)}</p>\n' if self.note else ""
        heading = f"<h2>{escape(self.heading)}</h2>"
        return f'<section id="{self.anchor}">\n{heading}\n{note}{self.content}\n</section>'


def sections_html(sections: Sequence[Section]) -> str:
    """Returns the non-empty sections after a line of links to them."""
    sections = [section for section in sections if section.content]
    links = [f'<a href="#{section.anchor}">{escape(section.heading)}</a>' for section in sections]
    navigation = f'<nav aria-label="Sections">{"".join(links)}</nav>'
    return "\n".join([navigation, *(section.html() for section in sections)])
