"""What the tests of commands share."""

from __future__ import annotations

import pytest

from tfgan_app.callbacks import report_charts


@pytest.fixture(scope="module", autouse=True)
def _empty_charts(request):
    """Leaves the curves out of reports, a quarter of a tiny training. `REAL_CHARTS` in a module keeps them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not getattr(request.module, "REAL_CHARTS", False):
            monkeypatch.setattr(report_charts, "_svg", lambda draw, height_px: "")
        yield
