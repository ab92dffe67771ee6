"""Bound on the bytes of all requests together: counted as they arrive and as they unpack, before they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tfgan_app.serving.errors import Code, ServingError


class HeldBytes:
    """Bytes that all requests hold, on the event loop.

    Attributes:
        total: Bytes that are held now, those that are set aside for messages on their way included.
    """

    def __init__(self, max_bytes: int) -> None:
        """Starts with nothing held.

        Args:
            max_bytes: What `total` may become.
        """
        self._max_bytes = max_bytes
        self.total = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The share of one request; it is given back when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            share.resize(0)

    def take(self, size_bytes: int) -> None:
        """Counts bytes.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if all together would be beyond the bound.
        """
        if self.total + size_bytes > self._max_bytes:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The server is overloaded: it holds {self.total} bytes of requests. Try later.",
            )
        self.total += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Counts bytes no longer."""
        self.total -= size_bytes


class Share:
    """Bytes that one request holds.

    Attributes:
        size_bytes: How many.
    """

    def __init__(self, owner: HeldBytes) -> None:
        """Starts with nothing."""
        self._owner = owner
        self.size_bytes = 0

    def resize(self, size_bytes: int) -> None:
        """Sets how many bytes the request holds. Called before they are kept.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if all requests together would hold too many. The share is given back at
                once: by the time that the error has gone its way, others would have been refused for its sake.
        """
        self._owner.give_back(self.size_bytes)
        self.size_bytes = 0
        self._owner.take(size_bytes)
        self.size_bytes = size_bytes
