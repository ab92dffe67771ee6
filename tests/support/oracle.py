"""Runs `torch_oracle.py` in a Python that has PyTorch, spandrel or ncnn."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

PYTHON_VARIABLE = "TFGAN_APP_ORACLE_PYTHON"
"""Names a Python with `torch`, `spandrel` and `ncnn`; without it this one is tried."""

_PROGRAM = Path(__file__).with_name("torch_oracle.py")


def oracle_cases(case: str, folder: Path, *, needs: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Inputs and what an independent runtime makes of them; `folder/weights.pth` has the weights.

    Skips the test where the runtime is missing.
    """
    python = os.environ.get(PYTHON_VARIABLE, sys.executable)
    for module in needs:
        if not _has(python, module):
            pytest.skip(f"{python} has no module `{module}`: set {PYTHON_VARIABLE} to a Python that has it")
    done = subprocess.run([python, _PROGRAM, case, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "cases.npz") as arrays:
        count = len(arrays.files) // 2
        return [(arrays[f"image_{index}"], arrays[f"output_{index}"]) for index in range(count)]


@functools.cache
def _has(python: str, module: str) -> bool:
    # Not imported: spandrel asks for torchvision, and the oracle does without.
    program = f"import importlib.util; raise SystemExit(importlib.util.find_spec({module!r}) is None)"
    return not subprocess.run([python, "-c", program], capture_output=True).returncode
