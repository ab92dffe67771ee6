"""Checkpoints along the run."""

from __future__ import annotations

from collections.abc import Callable

from tfgan_app.callbacks.events import WRITE_ERRORS, Record, say
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval


class Checkpointing(StepCallback):
    """Saves every so often, and always when training ends or is interrupted.

    A disk that is full costs a checkpoint, not the run: the failure is told, training goes on, and the
    checkpoint before is what a resume would use. List this callback last, so that a checkpoint is never
    ahead of what the other callbacks wrote for its step.

    Args:
        every_steps: Steps between checkpoints.
        save_fn: Saves a checkpoint of the given step.
        record: Where a failed save is told: `EventLog.record`, or stderr alone.

    Attributes:
        saved_step: The last step that was saved by this process, or None.
        failed_step: The last step whose save failed with none saved since, or None.
    """

    def __init__(self, every_steps: int, save_fn: Callable[[int], object], *, record: Record = say):
        super().__init__()
        self.every_steps = checked_interval("every_steps", every_steps)
        self.saved_step: int | None = None
        self.failed_step: int | None = None
        self._save_fn = save_fn
        self._record = record

    def on_train_begin(self, logs=None):
        """Forgets what an earlier call of `fit` saved: after a rollback the same step is another one."""
        super().on_train_begin(logs)
        self.saved_step = self.failed_step = None

    def on_step(self, logs):
        """Saves when it is due; the last step when training ends, after what others write for it then."""
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
                f"could not save a checkpoint: {error}. Training goes on; free some disk space, or the work "
                "since the last checkpoint is lost if the run stops.",
            )
        else:
            self.saved_step, self.failed_step = self.step, None
