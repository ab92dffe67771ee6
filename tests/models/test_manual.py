"""The programs of the manual's page and the examples of the docstrings run unchanged."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from tfgan_app.models import __all__ as MODELS

PAGE = Path(__file__).parents[2] / "docs" / "manual" / "keras.md"
MODULES = ["cut", "cyclegan", "gan", "pix2pix", "restoration", "style_transfer", "super_resolution"]


def test_the_programs_of_the_manual_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    namespace = {}
    for program in programs:
        exec(compile(program, str(PAGE), "exec"), namespace)
    assert len(programs) == 5
    assert {"gan.keras", "best.keras", "translate.keras", "serving", "grids", "logs"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.large
@pytest.mark.parametrize("module", [*(f"models.{name}" for name in MODULES), "callbacks.image_grid"])
def test_the_examples_of_docstrings_run(module):
    found = doctest.testmod(importlib.import_module(f"tfgan_app.{module}"))
    assert found.attempted and not found.failed


def test_every_model_has_an_example():
    assert len(MODULES) == len(MODELS)
