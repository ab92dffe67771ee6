"""The bounds of the server, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits on one request, and on all of them together.

    Attributes:
        max_body_bytes: Bytes of a REST body or gRPC message.
        max_pending_bytes: Bytes of all pending requests; at least twice `max_body_bytes`.
        max_pixels: Pixels of all input images of one request together.
        max_batch: Rows (images, seeds) of one request.
        max_queue: Requests that wait for a worker.
        max_connections: Open REST connections.
        timeout_seconds: Time from a complete request to its answer.
        head_seconds: Time from a new REST connection to a complete request line with headers.
        body_seconds: Time from there to the complete body.
        idle_seconds: Time from an answer until it is fetched and the connection's next request has arrived.
        memory_bytes: Memory of all model runs together; `None` means no limit. Needs models that state their memory
            (`receptive_field`), and lowers `max_pixels` for them.
    """

    max_body_bytes: int = 32 * 2**20
    max_pending_bytes: int = 512 * 2**20
    max_pixels: int = 4_000_000
    max_batch: int = 32
    max_queue: int = 128
    max_connections: int = 512
    timeout_seconds: float = 60.0
    head_seconds: float = 20.0
    body_seconds: float = 60.0
    idle_seconds: float = 120.0
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        """Checks fields that depend on each other.

        Raises:
            ValueError: If a request of the largest size could not be held both packed and unpacked.
        """
        if self.max_pending_bytes < 2 * self.max_body_bytes:
            raise ValueError(
                f"`max_pending_bytes` must be at least twice `max_body_bytes`, {2 * self.max_body_bytes}. "
                f"Received: {self.max_pending_bytes}."
            )
