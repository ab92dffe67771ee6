"""Errors of a user's making, as ValueErrors of one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tfgan_app.arguments.parsing import error_message
from tfgan_app.files import printable


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns ValueError and OSError into a ValueError with the line that the command line prints.

    It is a decorator, too.

    Raises:
        ValueError: In place of the error from inside, which is its cause.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(printable(error_message(error))) from error
