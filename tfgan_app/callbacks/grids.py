"""Image grids during a run, as PNG files and in TensorBoard."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_app.callbacks.events import WRITE_ERRORS, Record, say
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval
from tfgan_app.image_io.grid import make_grid
from tfgan_app.image_io.loading import write_image

SAMPLES_DIR = "samples"
_GRID_NAME = re.compile(r"step-(\d+)\.png")


class ImageGrids(StepCallback):
    """Writes grids such as `samples/step-0000500.png` at intervals and at the regular end of a run.

    A resumed run removes the grids after its first step, which belong to a discarded continuation.

    Args:
        run_dir: The run directory.
        every_steps: Steps between grids.
        sample_fn: Returns the grid's rows, each a sequence of uint8 [height, width, 3] images
            (for example input, output, target). Without rows, no grid is written.
        headers: Text above each column, or None.
        record: Receives failed writes: `EventLog.record`, or `say` for stderr only.
    """

    def __init__(
        self,
        run_dir: str | Path,
        every_steps: int,
        sample_fn: Callable[[], Sequence[Sequence[np.ndarray]]],
        *,
        headers: Sequence[str] | None = None,
        record: Record = say,
    ):
        super().__init__()
        self.every_steps = checked_interval("every_steps", every_steps)
        self._run_dir = Path(run_dir)
        self._sample_fn = sample_fn
        self._headers = headers
        self._record = record
        self._written_step: int | None = None
        self._writer: tf.summary.SummaryWriter | None = None

    def on_train_begin(self, logs=None):
        """Removes the grids after the step at which the run resumes."""
        super().on_train_begin(logs)
        self._written_step = None
        for step, path in find_grids(self._run_dir):
            if step > self.initial_step:
                path.unlink(missing_ok=True)

    def on_step(self, logs):
        """Writes a grid if one is due."""
        if self.is_due(self.every_steps):
            self._write()

    def on_train_end(self, logs=None):
        """Writes the grid of the last step."""
        if self.ended_by_itself and self._written_step != self.step:
            self._write()

    def complete(self, step: int) -> None:
        """Writes the missing grid of the last step for a run that was killed there."""
        self.step = step
        if step not in dict(find_grids(self._run_dir)):
            self._write()

    def _write(self) -> None:
        rows = self._sample_fn()
        if not rows:
            return  # Not every task has images to show.
        grid = make_grid(rows, headers=self._headers)
        self._written_step = self.step
        try:
            write_image(self._run_dir / SAMPLES_DIR / f"step-{self.step:07d}.png", grid)
            self._write_summary(grid)
        except WRITE_ERRORS as error:
            self._record(self.step, "warning", f"could not write an image grid; training continues: {error}")

    def _write_summary(self, grid: np.ndarray) -> None:
        if self._writer is None:
            # A separate folder: TensorBoard reads only the newest file of a folder with two writers.
            self._writer = tf.summary.create_file_writer(os.fsencode(self._run_dir / "logs" / "samples"))
        with self._writer.as_default():
            tf.summary.image("samples", grid[None], step=self.step)
        self._writer.flush()


def find_grids(run_dir: str | Path) -> list[tuple[int, Path]]:
    """Returns (step, path) of the grids in a run directory, ordered by step."""
    matches = ((_GRID_NAME.fullmatch(path.name), path) for path in (Path(run_dir) / SAMPLES_DIR).glob("*.png"))
    return sorted((int(match[1]), path) for match, path in matches if match)
