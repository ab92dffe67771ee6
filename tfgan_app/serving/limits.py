"""The bounds of the server, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one request, and all of them together, may take.

    Attributes:
        max_body_bytes: Bytes of a REST body or gRPC message.
        max_pending_bytes: Bytes of all requests that arrive or are being answered; at least twice `max_body_bytes`.
        max_pixels: Pixels of all input images of one request together.
        max_batch: Rows (images, seeds) of one request.
        max_queue: Requests that wait for a worker.
        max_connections: Open REST connections.
        timeout_seconds: From a whole request to its answer.
        head_seconds: From a new REST connection to a whole request line with headers.
        body_seconds: From there to the whole body.
        idle_seconds: From an answer until it was fetched and the connection's next request has come.
        memory_bytes: What the runs of models may take together; `None`: not bounded. Needs models that tell what they
            take (`receptive_field`), and lowers `max_pixels` for them.
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
        """Checks what depends on each other.

        Raises:
            ValueError: If no request of the allowed size could be held, packed and unpacked.
        """
        if self.max_pending_bytes < 2 * self.max_body_bytes:
            raise ValueError(
                f"`max_pending_bytes` must be at least twice `max_body_bytes`, {2 * self.max_body_bytes}. "
                f"Received: {self.max_pending_bytes}."
            )
