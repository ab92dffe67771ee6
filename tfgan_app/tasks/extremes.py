"""Selection of the best and worst held-out images to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def both_ends(ordered: Sequence[T], *, most: int) -> tuple[Sequence[T], Sequence[T]]:
    """The first of a sequence, and the last with the very last one first; none is on both sides.

    Args:
        ordered: Best first.
        most: Maximum on each side.

    Returns:
        Both sides; of an odd number in between the first has one more, and of a single one the second is empty.
    """
    first = min(most, (len(ordered) + 1) // 2)
    last = min(most, len(ordered) - first)
    return ordered[:first], ordered[len(ordered) - last :][::-1]
