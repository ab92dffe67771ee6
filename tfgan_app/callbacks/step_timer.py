"""How fast training steps run, with everything between them left out."""

from __future__ import annotations

import time


class StepTimer:
    """Sums the seconds spent inside training steps.

    Validation, grids and checkpoints run between steps and do not count. Nor does the first step of a
    run: it traces and compiles, which says nothing about speed.
    """

    def __init__(self):
        self._started: float | None = None
        self._warm = False
        self._steps = 0
        self._seconds = 0.0

    def start(self) -> None:
        """Marks the beginning of a step."""
        self._started = time.perf_counter()

    def stop(self, steps: int = 1) -> None:
        """Marks the end of what `start` began, which held `steps` steps."""
        if self._started is None:
            return
        if self._warm:
            self._steps += steps
            self._seconds += time.perf_counter() - self._started
        self._warm, self._started = True, None

    def take(self) -> float | None:
        """Returns steps per second since the last `take`, or None when no step was timed."""
        rate = self._steps / self._seconds if self._seconds > 0 else None
        self._steps, self._seconds = 0, 0.0
        return rate
