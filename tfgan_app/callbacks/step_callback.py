"""The base of every callback here: work is counted in training steps, not in epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


class StepCallback(keras.callbacks.Callback):
    """A Keras callback that knows the run's training step, across resumes.

    `fit` counts batches from zero each time it is called. A run that is resumed sets
    `model.initial_step` (an int, 0 when missing) before `fit`, and runs one epoch.

    Subclasses implement `on_step`.

    Attributes:
        step: Steps done so far in this run.
        previous_step: `step` at the call before; more than one less with `steps_per_execution` > 1.
        initial_step: The step this call of `fit` started from.
    """

    def __init__(self):
        super().__init__()
        self.step = self.previous_step = self.initial_step = 0

    def on_train_begin(self, logs=None):
        """Takes the step that the run starts from or resumes at."""
        self.initial_step = int(getattr(self.model, "initial_step", 0))
        self.step = self.previous_step = self.initial_step

    def on_train_batch_end(self, batch, logs=None):
        """Counts the step and calls `on_step`."""
        self.previous_step, self.step = self.step, self.initial_step + int(batch) + 1
        self.on_step(logs or {})

    def on_step(self, logs: Mapping[str, Any]) -> None:
        """Called after each step (or block of steps) with Keras' logs. Does nothing by default."""

    def is_due(self, every_steps: int) -> bool:
        """True when a multiple of `every_steps` lies in the steps just done."""
        return self.step // every_steps > self.previous_step // every_steps

    @property
    def ended_by_itself(self) -> bool:
        """True when at least one step ran and nothing asked training to stop."""
        return self.step > self.initial_step and not getattr(self.model, "stop_training", False)


def checked_interval(name: str, steps: int) -> int:
    """Returns `steps`.

    Raises:
        ValueError: If it is not a positive number of steps.
    """
    if not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"`{name}` must be a whole number of steps, 1 or more. Received: {name}={steps!r}.")
    return int(steps)


def float_logs(logs: Mapping[str, Any]) -> dict[str, float]:
    """Returns the numbers in Keras' logs as floats; what is no number is left out.

    Under `MultiWorkerMirroredStrategy` a log has shape [1] or [workers]: those become their mean.
    """
    values = {}
    for name, value in logs.items():
        if value is None:  # NumPy would take it for NaN.
            continue
        try:
            values[name] = float(np.mean(np.asarray(value, dtype=np.float64)))
        except (TypeError, ValueError):
            continue
    return values
