"""The report's page in a browser."""

from __future__ import annotations

import numpy as np
import pytest
from browser import CHROMIUM, open_browser

from tfgan_app.callbacks.report import write_examples, write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("size", [8, 64, 300])
def test_examples_fill_their_cards_whatever_their_size(tmp_path, width, size):
    image = np.zeros((size // 2, size, 3), np.uint8)
    write_examples(tmp_path, {"best": image, "worst": image})
    path = write_report(tmp_path, title="a run")
    with open_browser() as page:
        page.set_viewport(width, 900, mobile=width < 500)
        page.open(path.as_uri())
        figures = "[...document.querySelectorAll('.pair figure')]"
        filled = page.evaluate(f"{figures}.map((it) => it.querySelector('img').offsetWidth / (it.clientWidth - 24))")
        assert filled == pytest.approx([1.0, 1.0], abs=0.01)
        rendering = page.evaluate("getComputedStyle(document.querySelector('.pair img')).imageRendering")
        assert rendering == ("auto" if size == 300 else "pixelated")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
