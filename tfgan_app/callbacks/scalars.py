"""Scalar logs in `metrics.csv` and TensorBoard."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from tfgan_app.callbacks.events import WRITE_ERRORS, Record, say
from tfgan_app.callbacks.metrics_file import METRICS_FILE, MetricsFile
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval, float_logs
from tfgan_app.callbacks.step_timer import StepTimer


class ScalarLog(StepCallback):
    """Logs means over windows of steps, and values from other callbacks.

    Keras' logs are running means. They are reset after each row, so a row covers only its own window. A resumed run
    drops the rows after its first step and continues to count `seconds`. A file that cannot be written is reported
    once; training continues, and the rows are written when it is possible again.

    Args:
        run_dir: The run directory, for `metrics.csv` and TensorBoard's `logs/scalars`.
        every_steps: Steps per row.
        batch_size: Images per step over all devices, for `images_per_second`.
        extra: Returns further values for each row, such as the learning rates.
        record: Receives failed writes: `EventLog.record`, or `say` for stderr only.
    """

    def __init__(
        self,
        run_dir: str | Path,
        every_steps: int,
        batch_size: int,
        *,
        extra: Callable[[], Mapping[str, float]] = dict,
        record: Record = say,
    ):
        super().__init__()
        self.every_steps = checked_interval("every_steps", every_steps)
        self.batch_size = batch_size
        self._metrics = MetricsFile(Path(run_dir) / METRICS_FILE)
        self._log_dir = Path(run_dir) / "logs" / "scalars"
        self._extra = extra
        self._record = record
        self._writer: tf.summary.SummaryWriter | None = None
        self._failed: set[str] = set()
        self._timer = StepTimer()
        self._began = time.monotonic()
        self._unlogged: Mapping | None = None

    @property
    def rows(self) -> list[dict[str, float]]:
        """The rows of `metrics.csv` so far, `{column: value}`, oldest first."""
        return self._metrics.rows

    def on_train_begin(self, logs=None):
        """Drops the rows after the step at which the run resumes."""
        super().on_train_begin(logs)
        self._close_writer()
        self._timer, self._unlogged = StepTimer(), None
        self._tolerate("metrics.csv", lambda: self._metrics.rewind(self.initial_step))
        seconds_before = self.rows[-1].get("seconds", 0.0) if self.rows else 0.0
        self._began = time.monotonic() - seconds_before

    def on_train_batch_begin(self, batch, logs=None):
        """Starts the step's clock."""
        self._timer.start()

    def on_step(self, logs):
        """Writes a row if one is due."""
        self._timer.stop(self.step - self.previous_step)
        self._unlogged = logs
        if self.is_due(self.every_steps):
            self._log_window()

    def on_train_end(self, logs=None):
        """Writes the row of the last, shorter window."""
        if self._unlogged is not None:
            self._log_window()
        self._close_writer()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Adds values to the row of `step` and to TensorBoard.

        Args:
            step: Training step, at least that of the last row.
            values: Values by name, for example `{"val_psnr": 21.3}`; new names become new columns.
        """
        values = float_logs(values)
        self._tolerate("metrics.csv", lambda: self._metrics.write(step, values))
        self._tolerate("TensorBoard's log", lambda: self._write_summaries(step, values))

    def _log_window(self) -> None:
        values = {"seconds": round(time.monotonic() - self._began, 1)}
        steps_per_second = self._timer.take()
        if steps_per_second is not None:
            values["images_per_second"] = steps_per_second * self.batch_size
        self.write(self.step, {**values, **float_logs(self._unlogged), **self._extra()})
        self._unlogged = None
        self.model.reset_metrics()

    def _write_summaries(self, step: int, values: Mapping[str, float]) -> None:
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(os.fsencode(self._log_dir))
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step=step)
        self._writer.flush()

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._tolerate("TensorBoard's log", writer.close)

    def _tolerate(self, what: str, write) -> None:
        try:
            write()
        except WRITE_ERRORS as error:
            if what not in self._failed:
                self._record(self.step, "warning", f"could not write {what}; training continues: {error}")
            self._failed.add(what)
        else:
            self._failed.discard(what)
