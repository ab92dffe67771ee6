"""User errors as one-line ValueErrors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tfgan_app.arguments.parsing import error_message
from tfgan_app.files import printable


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Converts ValueError and OSError into a ValueError with the line that the command line would print.

    It also works as a decorator.

    Raises:
        ValueError: Instead of the original error, which becomes its cause.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(printable(error_message(error))) from error
