"""What the tests of commands share."""

from __future__ import annotations

import math

import pytest

from tfgan_app.callbacks import report_charts
from tfgan_app.commands import predict_progress
from tfgan_app.tasks import progress


@pytest.fixture(scope="module", autouse=True)
def _empty_charts(request):
    """Leaves the curves out of reports, a quarter of a tiny training. `REAL_CHARTS` in a module keeps them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not getattr(request.module, "REAL_CHARTS", False):
            monkeypatch.setattr(report_charts, "_svg", lambda draw, height_px: "")
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_progress():
    """Keeps lines that appear every few seconds out of what a slow machine prints."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(predict_progress, "_REPORT_EVERY_SECONDS", math.inf)
        monkeypatch.setattr(progress, "EVERY_SECONDS", math.inf)
        yield
