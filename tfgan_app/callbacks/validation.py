"""Periodic validation, and the best step by a metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from tfgan_app.callbacks.events import WRITE_ERRORS, Record, say
from tfgan_app.callbacks.scalars import ScalarLog
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval, float_logs
from tfgan_app.registry import METRICS

ValidationListener = Callable[[int, Mapping[str, float]], None]


def is_better(metric: str, value: float, other: float) -> bool:
    """Returns whether `value` is better than `other` by `metric`; a non-finite value never is."""
    if not math.isfinite(value):
        return False
    if not math.isfinite(other):
        return True
    return value > other if METRICS[metric].higher_is_better else value < other


class Validation(StepCallback):
    """Evaluates at intervals and at the regular end of a run.

    Values go to the scalar log as `val_NAME`. The best value so far is read from that log, so it is kept across
    resumes. List this callback before `Checkpointing`, so that no checkpoint is ahead of its own validation.

    Args:
        every_steps: Steps between validations.
        evaluate_fn: Returns metrics by name, for example `{"psnr": 21.3, "copy_psnr": 18.6}`.
        scalar_log: Log that receives the values.
        best_metric: The metric of `evaluate_fn` that selects the best step.
        on_best: Called with (step, values) if `best_metric` is the best so far.
        listeners: Called with (step, values) after each validation, such as `HealthMonitor.on_validation`.
        record: Receives a failure of `on_best` (a full disk): `EventLog.record`, or `say` for stderr only.
    """

    def __init__(
        self,
        every_steps: int,
        evaluate_fn: Callable[[], Mapping[str, float]],
        scalar_log: ScalarLog,
        *,
        best_metric: str,
        on_best: ValidationListener | None = None,
        listeners: tuple[ValidationListener, ...] = (),
        record: Record = say,
    ):
        super().__init__()
        self.every_steps = checked_interval("every_steps", every_steps)
        self.best_metric = best_metric
        self._evaluate_fn = evaluate_fn
        self._scalar_log = scalar_log
        self._on_best = on_best
        self._listeners = listeners
        self._record = record
        self._validated_step: int | None = None

    def on_train_begin(self, logs=None):
        """Resets the validated step of an earlier call of `fit`."""
        super().on_train_begin(logs)
        self._validated_step = None

    def on_step(self, logs):
        """Validates if it is due."""
        if self.is_due(self.every_steps):
            self.validate()

    def on_train_end(self, logs=None):
        """Validates the last step."""
        if self.ended_by_itself and self._validated_step != self.step:
            self.validate()

    def validate(self) -> dict[str, float]:
        """Evaluates now, logs the values, and calls `on_best` if they are the best so far.

        Returns:
            The metrics by name, without the prefix.

        Raises:
            ValueError: If `best_metric` is not one of the metrics.
        """
        values = float_logs(self._evaluate_fn())
        if self.best_metric not in values:
            raise ValueError(
                f"`best_metric` must be one of {sorted(values)}. Received: best_metric={self.best_metric!r}."
            )
        best_before = self._best_so_far()
        self._scalar_log.write(self.step, {f"val_{name}": value for name, value in values.items()})
        self._validated_step = self.step
        # Compared as logged (rounded), so that a resumed run, which reads the log, decides the same.
        logged = self._scalar_log.rows[-1][f"val_{self.best_metric}"]
        if self._on_best is not None and is_better(self.best_metric, logged, best_before):
            self._call_on_best(values)
        for listener in self._listeners:
            listener(self.step, values)
        return values

    def complete(self, step: int) -> None:
        """Completes the validation and the best model for a run that was killed at its last step."""
        self.step = step
        logged = next((row for row in self._scalar_log.rows if row["step"] == step), {})
        values = {name.removeprefix("val_"): value for name, value in logged.items() if name.startswith("val_")}
        if self.best_metric not in values:
            self.validate()
        elif self._on_best is not None and is_better(self.best_metric, values[self.best_metric], self._best_so_far()):
            self._call_on_best(values)

    def _best_so_far(self) -> float:
        best = math.nan
        for row in self._scalar_log.rows:
            value = row.get(f"val_{self.best_metric}", math.nan)
            if row["step"] < self.step and is_better(self.best_metric, value, best):
                best = value
        return best

    def _call_on_best(self, values: Mapping[str, float]) -> None:
        try:
            self._on_best(self.step, values)
        except WRITE_ERRORS as error:
            self._record(self.step, "error", f"could not save the best checkpoint; training continues: {error}")
