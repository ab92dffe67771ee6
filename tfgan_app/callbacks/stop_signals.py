"""Graceful stop on Ctrl-C and `kill`: the run ends after its current step with everything saved."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import keras

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal(keras.callbacks.Callback):
    """Stops training after the current step on SIGINT or SIGTERM.

    A second SIGINT raises `KeyboardInterrupt` at once. The previous handlers are restored when training ends; call
    `restore` in a `finally` block in case `fit` raises. `install` may be called before `fit` to handle a signal during
    setup: the run then stops after its first step.

    Attributes:
        received: The first signal (`signal.Signals`), or None.
    """

    def __init__(self):
        super().__init__()
        self.received: signal.Signals | None = None
        self._previous: dict[int, Any] = {}

    def on_train_begin(self, logs=None):
        """Installs the signal handlers."""
        self.install()
        if self.received is not None:
            self.model.stop_training = True

    def on_train_batch_end(self, batch, logs=None):
        """Stops the training, even if `stop_training` was reset after the signal."""
        if self.received is not None:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Restores the previous signal handlers."""
        self.restore()

    def install(self) -> None:
        """Installs the signal handlers; does nothing outside the main thread, where Python does not allow it."""
        if self._previous or threading.current_thread() is not threading.main_thread():
            return
        self._previous = {number: signal.signal(number, self._handle) for number in SIGNALS}

    def restore(self) -> None:
        """Restores the previous signal handlers."""
        previous, self._previous = self._previous, {}
        for number, handler in previous.items():
            # None means a handler that was not set from Python and cannot be restored.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame) -> None:
        if self.received is not None:
            if number == signal.SIGINT:
                self.restore()
                raise KeyboardInterrupt
            return
        self.received = signal.Signals(number)
        if self.model is not None:
            self.model.stop_training = True
        _write_stderr(f"\ntfgan_app: {self.received.name}: stopping after this step (Ctrl-C again: at once)\n")


def _write_stderr(text: str) -> None:
    try:
        # Not sys.stderr: the handler may interrupt a write to it, which is not reentrant.
        os.write(2, text.encode())
    except OSError:
        return
