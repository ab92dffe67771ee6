"""Suppression of output that LiteRT's native code writes to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()
"""Two threads that restore stderr in the wrong order would lose it for good."""


@contextlib.contextmanager
def native_stderr_hidden() -> Iterator[None]:
    """Hides native output on stderr: the converter and the interpreter have no log level.

    Errors are raised as exceptions as well.
    """
    with _ONE_AT_A_TIME:
        sys.stderr.flush()
        try:
            copy = os.dup(2)
        except OSError:  # There is no stderr.
            yield
            return
        try:
            with open(os.devnull, "w") as nothing:
                os.dup2(nothing.fileno(), 2)
                yield
        finally:
            os.dup2(copy, 2)
            os.close(copy)
