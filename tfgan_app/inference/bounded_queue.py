"""Rows passed from the thread that computes them to the one that writes them, a few at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np


class Abandoned(Exception):
    """The other side has given up; its own error says why."""


class BoundedQueue:
    """A queue of strips of one image that either side can give up on, without ever leaving the other waiting."""

    def __init__(self, capacity_bytes: int = 3 * 2**23):
        """Makes an empty one; `put` waits while strips of so many bytes are not taken yet.

        A row of tiles comes at once. It should be written while the model is at the next.
        """
        self._capacity_bytes = capacity_bytes
        self._strips: deque[np.ndarray] = deque()
        self._changed = threading.Condition()
        self._is_complete = False
        self._is_abandoned = False

    def put(self, strip: np.ndarray) -> None:
        """Appends a strip; raises `Abandoned` where nobody will take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_abandoned or self._held() < self._capacity_bytes)
            if self._is_abandoned:
                raise Abandoned
            self._strips.append(strip)
            self._changed.notify_all()

    def _held(self) -> int:
        return sum(strip.nbytes for strip in self._strips)

    def complete(self) -> None:
        """Says that there will be no more strips."""
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
        """Takes the strips in order; raises `Abandoned` where the rest will not come."""
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
