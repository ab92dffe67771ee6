"""What TensorFlow and Keras say, in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tfgan_app.files import first_line as one_line

__all__ = ["naming", "one_line"]


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the path of the model in front of what is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Cannot use the model '{path}': {error}") from error
