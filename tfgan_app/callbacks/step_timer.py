"""Speed of training steps without the time between them."""

from __future__ import annotations

import time


class StepTimer:
    """Timer of training steps.

    Validation, grids and checkpoints run between steps and do not count. The first step of a run does not count
    either, because it traces and compiles.
    """

    def __init__(self):
        self._started: float | None = None
        self._warm = False
        self._steps = 0
        self._seconds = 0.0

    def start(self) -> None:
        """Marks the start of a step."""
        self._started = time.perf_counter()

    def stop(self, steps: int = 1) -> None:
        """Marks the end of `steps` steps since `start`."""
        if self._started is None:
            return
        if self._warm:
            self._steps += steps
            self._seconds += time.perf_counter() - self._started
        self._warm, self._started = True, None

    def take(self) -> float | None:
        """Returns steps per second since the last `take`, or None if no step was timed."""
        rate = self._steps / self._seconds if self._seconds > 0 else None
        self._steps, self._seconds = 0, 0.0
        return rate
