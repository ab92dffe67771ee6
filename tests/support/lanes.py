"""The two lanes of the tests: a quick one by default, and `pytest -m large`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first_quick(values: Iterable[Any], *, count: int = 1, unpack: bool = True) -> list[Any]:
    """Parameters of which the first `count` are tried in the default lane, and all others in the large one.

    For values that take the same code through the same steps, such as the rows of a registry.

    Args:
        values: Values or tuples of values, as `pytest.mark.parametrize` takes them.
        count: Number of values of the default lane.
        unpack: Whether a tuple holds a value for each of several arguments; otherwise it is that of one.
    """
    return [value if index < count else _large(value, unpack) for index, value in enumerate(values)]


def _large(value: Any, unpack: bool) -> Any:
    if hasattr(value, "marks"):  # As `pytest.param` makes them.
        return pytest.param(*value.values, marks=[*value.marks, pytest.mark.large], id=value.id)
    return pytest.param(*(value if unpack and isinstance(value, tuple) else (value,)), marks=pytest.mark.large)
