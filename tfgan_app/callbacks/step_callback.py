"""Base class of callbacks that count training steps instead of epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


class StepCallback(keras.callbacks.Callback):
    """Keras callback that tracks the run's training step across resumes.

    `fit` counts batches from zero at each call. A resumed run sets `model.initial_step` (an int, 0 if missing) before
    `fit` and runs one epoch.

    Subclasses implement `on_step`.

    Attributes:
        step: Number of completed steps of the run.
        previous_step: `step` at the previous call; with `steps_per_execution` > 1 it is lower by more than one.
        initial_step: The step at which this call of `fit` started.
    """

    def __init__(self):
        super().__init__()
        self.step = self.previous_step = self.initial_step = 0

    def on_train_begin(self, logs=None):
        """Reads the step at which the run starts or resumes."""
        self.initial_step = int(getattr(self.model, "initial_step", 0))
        self.step = self.previous_step = self.initial_step

    def on_train_batch_end(self, batch, logs=None):
        """Counts the step and calls `on_step`."""
        self.previous_step, self.step = self.step, self.initial_step + int(batch) + 1
        self.on_step(logs or {})

    def on_step(self, logs: Mapping[str, Any]) -> None:
        """Handles a completed step (or block of steps) with Keras' logs; does nothing by default."""

    def is_due(self, every_steps: int) -> bool:
        """Returns whether the steps just completed include a multiple of `every_steps`."""
        return self.step // every_steps > self.previous_step // every_steps

    @property
    def ended_by_itself(self) -> bool:
        """Returns whether at least one step ran and nothing stopped the training early."""
        return self.step > self.initial_step and not getattr(self.model, "stop_training", False)


def checked_interval(name: str, steps: int) -> int:
    """Returns `steps` if it is a valid interval.

    Raises:
        ValueError: If it is not a positive number of steps.
    """
    if not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"`{name}` must be a whole number of steps, 1 or more. Received: {name}={steps!r}.")
    return int(steps)


def float_logs(logs: Mapping[str, Any]) -> dict[str, float]:
    """Returns the numbers in Keras' logs as floats; other values are left out.

    Under `MultiWorkerMirroredStrategy` a log has shape [1] or [workers]; it becomes its mean.
    """
    values = {}
    for name, value in logs.items():
        if value is None:  # NumPy would convert it to NaN.
            continue
        try:
            values[name] = float(np.mean(np.asarray(value, dtype=np.float64)))
        except (TypeError, ValueError):
            continue
    return values
