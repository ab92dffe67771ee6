"""Bounded queue of rows between the thread that computes them and the thread that writes them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np


class Abandoned(Exception):
    """The other side has given up; its own error gives the reason."""


class BoundedQueue:
    """Queue of strips of one image; either side can abandon it without blocking the other."""

    def __init__(self, capacity_bytes: int = 3 * 2**23):
        """Makes an empty queue; `put` waits while this many bytes of strips are pending.

        A whole row of tiles arrives at once. It should be written while the model runs on the next.
        """
        self._capacity_bytes = capacity_bytes
        self._strips: deque[np.ndarray] = deque()
        self._changed = threading.Condition()
        self._is_complete = False
        self._is_abandoned = False

    def put(self, strip: np.ndarray) -> None:
        """Appends a strip; raises `Abandoned` if the other side has given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._held() < self._capacity_bytes)
            if self._is_abandoned:
                raise Abandoned
            self._strips.append(strip)
            self._changed.notify_all()

    def _held(self) -> int:
        return sum(strip.nbytes for strip in self._strips)

    def complete(self) -> None:
        """Marks the end of the strips."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Gives up, from either side."""
        with self._changed:
            self._is_abandoned = True
            self._strips.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Takes the strips in order; raises `Abandoned` if the rest will not come."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._strips or self._is_complete or self._is_abandoned)
                if self._is_abandoned:
                    raise Abandoned
                if not self._strips:
                    return
                strip = self._strips.popleft()
                self._changed.notify_all()
            yield strip
