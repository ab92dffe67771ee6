import numpy as np
from PIL import Image

from tfgan_app.callbacks.grids import ImageGrids, find_grids


def rows():
    return [[np.full([8, 8, 3], value, np.uint8) for value in (0, 100, 200)] for _ in range(2)]


def test_grids_are_written_when_due_and_at_the_end(tmp_path, tiny_model):
    tiny_model.run([ImageGrids(tmp_path, 2, rows, headers=["input", "output", "target"])], steps=5)
    assert [step for step, _ in find_grids(tmp_path)] == [2, 4, 5]
    path = tmp_path / "samples" / "step-0000004.png"
    with Image.open(path) as grid:
        assert grid.width >= 24
        colors = {color for _, color in grid.convert("RGB").getcolors(10_000)}
    assert {(0, 0, 0), (100, 100, 100), (200, 200, 200)} <= colors
    assert list((tmp_path / "logs").rglob("events.*"))


def test_an_interrupted_run_writes_no_last_grid(tmp_path, tiny_model):
    tiny_model.at_step[3] = lambda: setattr(tiny_model, "stop_training", True)
    tiny_model.run([ImageGrids(tmp_path, 2, rows)], steps=5)
    assert [step for step, _ in find_grids(tmp_path)] == [2]


def test_a_resumed_run_removes_the_grids_past_its_step_and_nothing_else(tmp_path, tiny_model):
    tiny_model.run([ImageGrids(tmp_path, 2, rows)], steps=6)
    other = tmp_path / "samples" / "held_out_best.png"
    other.write_bytes(b"")
    tiny_model.at_step[5] = lambda: setattr(tiny_model, "stop_training", True)
    tiny_model.run([ImageGrids(tmp_path, 4, rows)], steps=9, initial_step=4)
    assert [step for step, _ in find_grids(tmp_path)] == [2, 4]
    assert other.exists()


def test_a_full_disk_is_recorded_and_training_goes_on(tmp_path, tiny_model):
    (tmp_path / "file").write_text("")
    said = []
    grids = ImageGrids(tmp_path / "file" / "run", 2, rows, record=lambda *event: said.append(event))
    assert tiny_model.run([grids], steps=2) == 2
    assert [(step, kind) for step, kind, _ in said] == [(2, "warning")]
