"""The notebooks run from top to bottom with small parameters, and are committed without outputs."""

from __future__ import annotations

import os
import re

import pytest
from small_run import ROOT

nbformat = pytest.importorskip("nbformat")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))

SMALL = {
    "upscale_and_compare": "crop_size = 128",
    "pix2pix_keras": "image_size, epochs, train_pairs, held_out_pairs, width, depth = 16, 1, 16, 8, 4, 2",
    "text_gan": "epochs, steps_per_epoch, batch_size, width = 2, 5, 16, 16",
}
"""Parameters that replace those of the cell with the tag `parameters`."""


def read(path):
    return nbformat.read(path, as_version=4)


def printed(notebook) -> str:
    """Everything that cells print."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request, tmp_path, monkeypatch):
    """A notebook after its run in an empty folder: name, cells and folder."""
    client = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    # The kernel draws its figures into the notebook.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    cells = read(request.param)
    (place,) = (i for i, cell in enumerate(cells.cells) if "parameters" in cell.metadata.get("tags", ()))
    names = re.split(r", ", SMALL[request.param.stem].partition(" =")[0])
    assert all(re.search(rf"^{name} = ", cells.cells[place].source, re.M) for name in names)
    cells.cells.insert(place + 1, nbformat.v4.new_code_cell(SMALL[request.param.stem]))
    client.NotebookClient(cells, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return request.param.stem, cells, tmp_path


@pytest.mark.large
def test_a_notebook_runs(notebook):
    name, cells, folder = notebook
    text = printed(cells)
    if name == "upscale_and_compare":
        scores = {model: float(score) for model, score in re.findall(r"^(\w+) +([\d.]+) dB$", text, re.M)}
        assert scores["upscale_x4"] > scores["bicubic"]
    elif name == "pix2pix_keras":
        assert "step 2\n" in text
        assert {"pix2pix.keras", "colorize.keras", "serving", "grids"} <= {
            path.name for path in (folder / "pix2pix_output").iterdir()
        }
    else:
        assert re.search(r"known pairs: 0\.\d\d", text) and "different words" in text
    assert any("image/png" in output.get("data", {}) for cell in cells.cells for output in cell.get("outputs", ())), (
        "no figure was drawn"
    )
