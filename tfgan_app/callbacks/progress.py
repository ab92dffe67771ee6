"""Progress line: step, losses, speed and time left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from tfgan_app.callbacks.step_callback import StepCallback, float_logs
from tfgan_app.callbacks.step_timer import StepTimer
from tfgan_app.durations import format_seconds, progress_seconds

SHOWN_LOGS = {"generator_loss": "G", "discriminator_loss": "D", "l1": "L1", "charbonnier": "L1"}
BAR_WIDTH = 20
TERMINAL_EVERY_SECONDS = 0.1
LINE_EVERY_SECONDS = 10.0
LINE_EVERY_STEPS = 100
LINE_AT_LEAST_SECONDS = 2.0
SPEED_EVERY_SECONDS = 1.0


class ProgressBar(StepCallback):
    """Shows step, losses, images/s and the time left.

    A terminal shows one line that overwrites itself. A file or pipe gets a line about every ten seconds, or every
    hundred steps if those take longer. A narrow or lost terminal never ends a run.

    Args:
        total_steps: The last step of the run.
        batch_size: Images per step over all devices.
        stream: Output stream; `sys.stderr` by default.
    """

    def __init__(self, total_steps: int, batch_size: int, stream: TextIO | None = None):
        super().__init__()
        self.total_steps = total_steps
        self.batch_size = batch_size
        self._stream = stream
        self._line_every_seconds = progress_seconds(LINE_EVERY_SECONDS)
        self._restart()

    def _restart(self) -> None:
        self._timer = StepTimer()
        self._images_per_second: float | None = None
        self._speed_taken = time.monotonic()
        self._first_done: tuple[float, int] | None = None
        self._shown_at, self._shown_step = -float("inf"), -1
        self._logs: Mapping = {}

    def on_train_begin(self, logs=None):
        """Starts the clocks."""
        super().on_train_begin(logs)
        self._restart()

    def on_train_batch_begin(self, batch, logs=None):
        """Starts the step's clock."""
        self._timer.start()

    def on_step(self, logs):
        """Shows the line if it is due."""
        now = time.monotonic()
        self._timer.stop(self.step - self.previous_step)
        if self._first_done is None:
            self._first_done = (now, self.step)
        if now - self._speed_taken > SPEED_EVERY_SECONDS or self._images_per_second is None:
            self._take_speed(now)
        self._logs = logs
        if self._is_time(now):
            self._show(now)

    def on_train_end(self, logs=None):
        """Shows the last step and ends the line."""
        if self.step > self.initial_step and self._shown_step != self.step:
            self._show(time.monotonic())
        if self._is_terminal():
            self._emit("\n")

    def _take_speed(self, now: float) -> None:
        steps_per_second = self._timer.take()
        if steps_per_second is None:
            return
        latest = steps_per_second * self.batch_size
        before = self._images_per_second
        self._images_per_second = latest if before is None else 0.7 * before + 0.3 * latest
        self._speed_taken = now

    def _is_time(self, now: float) -> bool:
        waited = now - self._shown_at
        if self._is_terminal():
            return waited >= TERMINAL_EVERY_SECONDS
        many_steps = self.step - self._shown_step >= LINE_EVERY_STEPS and waited >= LINE_AT_LEAST_SECONDS
        return waited >= self._line_every_seconds or many_steps

    def _show(self, now: float) -> None:
        self._shown_at, self._shown_step = now, self.step
        if self._is_terminal():
            # One column stays free: some terminals wrap a full line, which could then not be overwritten.
            text = self._text(now, with_bar=True)[: max(self._columns() - 1, 1)]
            self._emit(f"\r\x1b[K{text}")
        else:
            self._emit(self._text(now, with_bar=False) + "\n")

    def _text(self, now: float, *, with_bar: bool) -> str:
        share = min(self.step / max(self.total_steps, 1), 1.0)
        bar = f" [{'=' * int(share * BAR_WIDTH):<{BAR_WIDTH}}]" if with_bar else ""
        parts = [f"step {self.step}/{self.total_steps}{bar} {share:.0%}"]
        logs = float_logs({name: self._logs[name] for name in SHOWN_LOGS if name in self._logs})
        parts += [f"{SHOWN_LOGS[name]} {value:.3g}" for name, value in logs.items()]
        if self._images_per_second is not None:
            parts.append(f"{self._images_per_second:.3g} images/s")
        eta = self._seconds_left(now)
        if eta is not None:
            parts.append(f"ETA {format_seconds(eta)}")
        return "  ".join(parts)

    def _seconds_left(self, now: float) -> float | None:
        # By wall-clock time, because validation and checkpoints take part of the remaining time too.
        if self._first_done is None or self.step == self._first_done[1]:
            return None
        began, first_step = self._first_done
        return max(self.total_steps - self.step, 0) * (now - began) / (self.step - first_step)

    def _is_terminal(self) -> bool:
        try:
            return self._target().isatty()
        except (AttributeError, OSError, ValueError):
            return False

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._target().fileno()).columns or 80
        except (AttributeError, OSError, ValueError):
            return 80

    def _emit(self, text: str) -> None:
        try:
            self._target().write(text)
            self._target().flush()
        except (AttributeError, OSError, ValueError):
            return  # A lost console (closed pipe, no stderr) must not end the run.

    def _target(self) -> TextIO:
        return self._stream if self._stream is not None else sys.stderr
