"""Shared style sheet of all HTML pages: server, exported web page and reports."""

from __future__ import annotations

from importlib.resources import files

THEME_FILE = "theme.css"
THEME = files(__name__).joinpath(THEME_FILE).read_text(encoding="utf-8")
"""Style sheet with the colors, light and dark, the type scale, cards, buttons and the slider over two images."""
