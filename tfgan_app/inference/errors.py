"""What TensorFlow and Keras say, in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def one_line(error: Exception) -> str:
    """The first line of an error's message, since TensorFlow and Keras append stacks and advice."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the path of the model in front of what is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Cannot use the model '{path}': {error}") from error
