"""Errors of TensorFlow and Keras in one line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tfgan_app.files import first_line as one_line

__all__ = ["naming", "one_line"]


def memory_errors() -> tuple[type[Exception], ...]:
    """Exceptions of a model that runs out of memory; TensorFlow's own if it has been loaded."""
    tensorflow = sys.modules.get("tensorflow")
    return (MemoryError,) if tensorflow is None else (MemoryError, tensorflow.errors.ResourceExhaustedError)


def model_errors() -> tuple[type[Exception], ...]:
    """Exceptions of a model that fails on its input; TensorFlow's own if it has been loaded."""
    tensorflow = sys.modules.get("tensorflow")
    return () if tensorflow is None else (tensorflow.errors.OpError,)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Prefixes errors with the path of the model."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Cannot use the model '{path}': {error}") from error
