"""Bounded reception of gRPC requests: bytes are limited before gRPC reads them, and time is limited too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from tfgan_app.serving.bodies import read_message
from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.held_bytes import HeldBytes, Share
from tfgan_app.serving.limits import Limits

CHANNEL_OPTIONS = (
    # A stream that is not yet read stays within its first window of 64 KiB; larger ones would be held uncounted.
    ("grpc.http2.bdp_probe", 0),
    # Compressed messages arrive packed: unpacked by gRPC they would be held before they can be counted.
    ("grpc.per_message_decompression", 0),
)
"""Options of a server with `BoundedRequests`."""

_PREDICT = "/tensorflow.serving.PredictionService/Predict"

_MAX_SMALL_BYTES = 2**16
"""Largest request that is not for a prediction: names, and numbers of versions."""

_SMALL_ARRIVING = 4


class BoundedRequests(grpc.aio.ServerInterceptor):
    """Interceptor that reads the request of each unary method, where gRPC would hold any number of requests.

    The size of a message is known only once gRPC reads it. So a few arrive at a time, each counted as the largest that
    may come; flow control keeps the others with their clients. Requests for anything but a prediction are counted
    separately, so that a server at its limit still answers probes.
    """

    def __init__(self, held: HeldBytes, limits: Limits) -> None:
        """Starts without methods.

        Args:
            held: Counts the bytes of predictions.
            limits: Bounds on each request. Messages in transit take at most half of `max_pending_bytes`.
        """
        largest = limits.max_body_bytes
        self._predictions = _Gate(held, limits, at_once=max(1, limits.max_pending_bytes // (2 * largest)))
        self._others = _Gate(HeldBytes(2 * _SMALL_ARRIVING * largest), limits, at_once=_SMALL_ARRIVING)
        self._handlers: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(self, continuation: Callable, details: grpc.HandlerCallDetails) -> Any:
        """Finds the handler of a method and wraps it to receive its requests here."""
        if details.method not in self._handlers:
            handler = await continuation(details)
            if handler is None:
                return None
            is_prediction = details.method == _PREDICT
            gate = self._predictions if is_prediction else self._others
            self._handlers[details.method] = (
                _received_by(gate, handler, None if is_prediction else _MAX_SMALL_BYTES)
                if handler.unary_unary
                else grpc.stream_stream_rpc_method_handler(_not_implemented)
            )
        return self._handlers[details.method]


def _received_by(gate: _Gate, handler: grpc.RpcMethodHandler, max_bytes: int | None) -> grpc.RpcMethodHandler:
    async def answer(messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> Any:
        try:
            async with gate.request(messages, handler.request_deserializer, max_bytes) as request:
                return await handler.unary_unary(request, context)
        except ServingError as error:
            await context.abort(grpc.StatusCode[error.code.grpc_name], error.message)

    # To the client, a stream of one message is the same as one message.
    return grpc.stream_unary_rpc_method_handler(answer, None, handler.response_serializer)


async def _not_implemented(messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Only methods with one request and one answer are implemented.")


class _Gate:
    """Gate that admits a few messages at a time."""

    def __init__(self, held: HeldBytes, limits: Limits, *, at_once: int) -> None:
        self._held = held
        self._limits = limits
        self._free = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def request(
        self, messages: AsyncIterator[bytes], deserialize: Callable, max_bytes: int | None
    ) -> AsyncIterator[Any]:
        """Yields the request of a call, counted until the block ends."""
        with self._held.share() as share:
            yield _parsed(await self._receive(messages, share, max_bytes), deserialize)

    async def _receive(self, messages: AsyncIterator[bytes], share: Share, max_bytes: int | None) -> bytes:
        loop, limits = asyncio.get_running_loop(), self._limits
        end = loop.time() + limits.body_seconds
        with _too_slow(Code.RESOURCE_EXHAUSTED, "The server is overloaded: too many requests arrive. Try later."):
            await asyncio.wait_for(self._free.acquire(), limits.body_seconds)
        try:
            with _too_slow(Code.TOO_SLOW, f"The request did not arrive within {limits.body_seconds:g} s."):
                message = await asyncio.wait_for(read_message(messages, share, limits), end - loop.time())
        finally:
            self._free.release()
        if max_bytes is not None and len(message) > max_bytes:
            raise ServingError(
                Code.TOO_LARGE, f"A request may have at most {max_bytes} bytes. Received: {len(message)}."
            )
        return message


@contextmanager
def _too_slow(code: Code, message: str) -> Any:
    try:
        yield
    except asyncio.TimeoutError:  # Not the builtin before Python 3.11.
        raise ServingError(code, message) from None


def _parsed(message: bytes, deserialize: Callable) -> Any:
    """Parses the request; malformed bytes are the client's fault, where gRPC answers UNKNOWN and logs a traceback."""
    try:
        return deserialize(message)
    except DecodeError as error:
        raise invalid(f"The request cannot be read: {shortened(str(error), max_chars=200)}") from None
