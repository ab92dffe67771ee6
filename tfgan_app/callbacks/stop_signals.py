"""Ctrl-C and `kill` end a run after the step it is in, with everything saved."""

from __future__ import annotations

import os
import signal
import threading

import keras

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal(keras.callbacks.Callback):
    """Stops training after the current step on SIGINT or SIGTERM.

    A second SIGINT raises `KeyboardInterrupt` at once. The handlers that were there before come back when
    training ends; call `restore` in a `finally` for the case that `fit` raises. `install` may be called
    before `fit`, so that a signal during set-up is heard too: the run then stops after its first step.

    Attributes:
        received: The signal that came first (`signal.Signals`), or None.
    """

    def __init__(self):
        super().__init__()
        self.received: signal.Signals | None = None
        self._previous: dict[int, object] = {}

    def on_train_begin(self, logs=None):
        """Takes over the signals."""
        self.install()
        if self.received is not None:
            self.model.stop_training = True

    def on_train_batch_end(self, batch, logs=None):
        """Stops, also where something has set `stop_training` back since the signal came."""
        if self.received is not None:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Gives the signals back."""
        self.restore()

    def install(self) -> None:
        """Takes over the signals; outside the main thread, where Python cannot, does nothing."""
        if self._previous or threading.current_thread() is not threading.main_thread():
            return
        self._previous = {number: signal.signal(number, self._handle) for number in SIGNALS}

    def restore(self) -> None:
        """Gives the signals back to the handlers that were there before."""
        previous, self._previous = self._previous, {}
        for number, handler in previous.items():
            # None stands for a handler that was not set from Python and cannot be named.
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
        _tell(f"\ntfgan_app: {self.received.name}: stopping after this step (Ctrl-C again: at once)\n")


def _tell(text: str) -> None:
    try:
        # Not sys.stderr: a handler may run inside a write to it, which must not be entered twice.
        os.write(2, text.encode())
    except OSError:
        return
