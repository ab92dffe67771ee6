"""Bound on the bytes of all requests together, counted as they arrive and unpack, before they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tfgan_app.serving.errors import Code, ServingError


class HeldBytes:
    """Bytes held by all requests, on the event loop.

    Attributes:
        total: Bytes held now, including those reserved for messages in transit.
    """

    def __init__(self, max_bytes: int) -> None:
        """Starts with nothing held.

        Args:
            max_bytes: Upper bound of `total`.
        """
        self._max_bytes = max_bytes
        self.total = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """The share of one request; it is released when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            share.resize(0)

    def take(self, size_bytes: int) -> None:
        """Counts bytes.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if the total would exceed the bound.
        """
        if self.total + size_bytes > self._max_bytes:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The server is overloaded: it holds {self.total} bytes of requests. Try later.",
            )
        self.total += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Releases bytes."""
        self.total -= size_bytes


class Share:
    """Bytes held by one request.

    Attributes:
        size_bytes: Number of bytes.
    """

    def __init__(self, owner: HeldBytes) -> None:
        """Starts with nothing."""
        self._owner = owner
        self.size_bytes = 0

    def resize(self, size_bytes: int) -> None:
        """Sets the number of bytes the request holds. Called before they are kept.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if all requests together would hold too many. The share is released at
                once: otherwise others would be rejected while the error propagates.
        """
        self._owner.give_back(self.size_bytes)
        self.size_bytes = 0
        self._owner.take(size_bytes)
        self.size_bytes = size_bytes
