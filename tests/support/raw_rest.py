"""REST over plain sockets: requests that are sent in parts, and answers as they come."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def raw_connection(live, *, timeout: float = 120.0) -> Iterator[socket.socket]:
    """A connection to the REST port of a `LiveServer`."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", live.server.rest_port), timeout)) as connection:
        yield connection


def head(model: str, *headers: str, version: str = "1.1") -> bytes:
    """The head of a predict request."""
    lines = [f"POST /v1/models/{model}:predict HTTP/{version}", "Host: localhost", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked body; an empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """The status and everything of one answer, by its `Content-Length`."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    start = received.index(b"\r\n\r\n") + 4
    length = [line for line in received[:start].lower().split(b"\r\n") if line.startswith(b"content-length:")]
    end = start + (int(length[0].split(b":")[1]) if length else 0)
    while len(received) < end:
        received += _receive(connection)
    return int(received.split(b" ")[1]), received


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(2**16)
    assert data, "the server closed the connection"
    return data
