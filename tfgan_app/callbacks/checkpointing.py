"""Periodic checkpoints."""

from __future__ import annotations

from collections.abc import Callable

from tfgan_app.callbacks.events import WRITE_ERRORS, Record, say
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval


class Checkpointing(StepCallback):
    """Saves a checkpoint at intervals, and when training ends or is interrupted.

    A full disk does not end the run: the failure is reported, training continues, and a resume would use the previous
    checkpoint. List this callback last, so that a checkpoint is never ahead of the other callbacks' files.

    Args:
        every_steps: Steps between checkpoints.
        save_fn: Saves a checkpoint of the given step.
        record: Receives failed saves: `EventLog.record`, or `say` for stderr only.

    Attributes:
        saved_step: The last step that this process saved, or None.
        failed_step: The step of the last failed save if none has succeeded since, else None.
    """

    def __init__(self, every_steps: int, save_fn: Callable[[int], object], *, record: Record = say):
        super().__init__()
        self.every_steps = checked_interval("every_steps", every_steps)
        self.saved_step: int | None = None
        self.failed_step: int | None = None
        self._save_fn = save_fn
        self._record = record

    def on_train_begin(self, logs=None):
        """Resets the saved step: after a rollback, the same step has other weights."""
        super().on_train_begin(logs)
        self.saved_step = self.failed_step = None

    def on_step(self, logs):
        """Saves if a checkpoint is due; `on_train_end` saves the last step, after the other callbacks' writes."""
        is_last = self.step - self.initial_step == (self.params or {}).get("steps")
        if self.is_due(self.every_steps) and not is_last:
            self._save()

    def on_train_end(self, logs=None):
        """Saves the last step."""
        if self.step > self.initial_step and self.saved_step != self.step:
            self._save()

    def _save(self) -> None:
        try:
            self._save_fn(self.step)
        except WRITE_ERRORS as error:
            self.failed_step = self.step
            self._record(
                self.step,
                "error",
                f"could not save a checkpoint: {error}. Training continues; free some disk space, or a stop loses "
                "the work since the last checkpoint.",
            )
        else:
            self.saved_step, self.failed_step = self.step, None
