"""Repeatedly used held-out images, of any number and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]
"""Input and target of a model: uint8 `[height, width, channels]` each."""


class HeldOutPairs:
    """Pairs of images, computed again in each pass unless all of them fit a memory budget.

    Args:
        make: Starts a new pass over the pairs.
        count: Returns the number of pairs.
        budget_bytes: Memory for keeping them.
    """

    def __init__(self, make: Callable[[], Iterator[Pair]], *, count: Callable[[], int], budget_bytes: int = 2**29):
        self._make = make
        self._count = count
        self._budget_bytes = budget_bytes
        self._kept: list[Pair] | None = None

    def __len__(self) -> int:
        return self._count()

    def __iter__(self) -> Iterator[Pair]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Pair] = []
        room = self._budget_bytes
        for pair in self._make():
            room -= sum(image.nbytes for image in pair)
            kept = [*kept, pair] if room >= 0 else []
            yield pair
        if room >= 0:
            self._kept = kept
