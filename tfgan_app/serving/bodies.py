"""Bodies of REST requests and compressed gRPC messages, read within the bounds on one request and on all together."""

from __future__ import annotations

import asyncio
import mmap
import zlib
from collections.abc import AsyncIterator, Iterator

from aiohttp import HttpVersion11, web

from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.held_bytes import Share
from tfgan_app.serving.limits import Limits

_STEP_BYTES = 2**16
"""Bytes unpacked at once: a step takes a fraction of a millisecond, and other requests run in between."""

_BLOCK_BYTES = 2**20

_ENCODINGS = ("gzip", "x-gzip", "deflate")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Unpacker:
    """Step-by-step unpacker of one gzip or zlib stream; a small one can expand beyond the memory."""

    def __init__(self, encoding: str) -> None:
        """Starts a stream.

        Args:
            encoding: Name of the encoding, for messages.
        """
        self._encoding = encoding
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # Either header.

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Unpacks the next bytes of the stream.

        Args:
            data: Received bytes, cut anywhere.

        Yields:
            The unpacked bytes, at most 64 KiB at a time.

        Raises:
            ServingError: INVALID_ARGUMENT, if they are damaged or continue behind the end of the stream.
        """
        for start in range(0, len(data), _STEP_BYTES):
            yield from self._unpack_step(data[start : start + _STEP_BYTES])

    def _unpack_step(self, data: bytes) -> Iterator[bytes]:
        size = _STEP_BYTES
        while not self._stream.eof and (data or size == _STEP_BYTES):
            try:
                unpacked = self._stream.decompress(data, _STEP_BYTES)
            except zlib.error as error:
                raise self._damaged(str(error)) from None
            data, size = self._stream.unconsumed_tail, len(unpacked)
            yield unpacked
        if data or self._stream.unused_data:
            raise self._damaged("bytes follow its end")

    def close(self) -> None:
        """Ends the stream.

        Raises:
            ServingError: INVALID_ARGUMENT, if the stream is not complete.
        """
        if not self._stream.eof:
            raise self._damaged("it is truncated")

    def _damaged(self, why: str) -> ServingError:
        return invalid(f"The body is not {self._encoding}: {why}")


async def read_body(request: web.BaseRequest, share: Share, limits: Limits) -> bytes:
    """Reads the body of a REST request, unpacked.

    Requests are rejected by their headers, if possible, before the client is told to continue (`Expect: 100-continue`).

    Args:
        request: A request whose body has not been read.
        share: Grows with the body, before the bytes are kept.
        limits: Bounds on size and time.

    Returns:
        The body.

    Raises:
        ServingError: TOO_LARGE, TOO_SLOW, RESOURCE_EXHAUSTED, or INVALID_ARGUMENT for a damaged or unknown encoding.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", *_ENCODINGS):
        raise invalid(f"Content-Encoding must be gzip or deflate. Received: {shortened(encoding)}.")
    size_bytes = request.content_length or 0
    if size_bytes > limits.max_body_bytes:
        raise _too_large(limits.max_body_bytes)
    share.resize(size_bytes)
    reading = _read(request, None if encoding == "identity" else Unpacker(encoding), share, limits.max_body_bytes)
    try:
        return await asyncio.wait_for(reading, limits.body_seconds)
    except asyncio.TimeoutError:  # Not the builtin before Python 3.11.
        raise ServingError(Code.TOO_SLOW, f"The request did not arrive within {limits.body_seconds:g} s.") from None


class _Kept:
    """Pieces of one message, each counted before it is kept.

    Pieces of a large message are copied into separate memory pages and joined at the end. In shared memory they would
    lie between the holes of other messages, and the process would hold twice as much.
    """

    def __init__(self, share: Share, limit: int, *, beside: int = 0) -> None:
        self._start = bytearray()
        self._blocks: list[mmap.mmap] = []
        self._size = 0
        self._share = share
        self._limit = limit
        self._beside = beside

    def keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise _too_large(self._limit)
        self._share.resize(max(self._share.size_bytes, self._beside + self._size))
        if self._size <= _STEP_BYTES:
            self._start += piece
            return
        if self._start:
            self._copy(memoryview(bytes(self._start)))
            self._start.clear()
        self._copy(memoryview(piece))

    def _copy(self, rest: memoryview) -> None:
        while rest:
            if not self._blocks or self._blocks[-1].tell() == _BLOCK_BYTES:
                self._blocks.append(mmap.mmap(-1, _BLOCK_BYTES))
            room = _BLOCK_BYTES - self._blocks[-1].tell()
            self._blocks[-1].write(rest[:room])
            rest = rest[room:]

    async def keep_all(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self.keep(piece)
            await asyncio.sleep(0)

    def message(self) -> bytes:
        self._share.resize(self._size)
        if not self._blocks:
            return bytes(self._start)
        *whole, last = self._blocks
        return b"".join([*whole, last[: self._size - len(whole) * _BLOCK_BYTES]])

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *_: object) -> None:
        # Cleared now: an error refers to its frames, and often only the garbage collector frees it.
        for block in self._blocks:
            block.close()
        self._blocks.clear()


async def _read(request: web.BaseRequest, unpacker: Unpacker | None, share: Share, limit: int) -> bytes:
    await _send_continue(request)
    arrived = 0
    with _Kept(share, limit) as kept:
        async for chunk in request.content.iter_any():
            arrived += len(chunk)
            if arrived > limit:
                raise _too_large(limit)
            if unpacker is None:
                kept.keep(chunk)
            else:
                await kept.keep_all(unpacker.unpack(chunk))
        if unpacker is not None:
            unpacker.close()
        return kept.message()


async def _send_continue(request: web.BaseRequest) -> None:
    expected = request.headers.get("Expect")
    if expected is None or request.version < HttpVersion11:
        return
    if expected.strip().lower() != "100-continue":
        raise ServingError(
            Code.EXPECTATION_FAILED, f"Expect must be 100-continue, or left out. Received: {shortened(expected)}."
        )
    await request.writer.write(_CONTINUE)
    request.writer.output_size = 0  # The answer's own headers are still to come.


def _too_large(limit: int) -> ServingError:
    return ServingError(Code.TOO_LARGE, f"A request may have at most {limit} bytes. Send less at once.")


_GZIP_START = b"\x1f\x8b"
_ZLIB_START = 0x78


async def read_message(messages: AsyncIterator[bytes], share: Share, limits: Limits) -> bytes:
    """Reads the only message of a gRPC request, unpacked.

    gRPC announces no size and would unpack without a bound, so it is configured to leave messages packed.

    Args:
        messages: Messages of the call.
        share: Reserves the largest message size until the message has arrived, then its real size.
        limits: Bounds on size and time.

    Returns:
        The message.

    Raises:
        ServingError: TOO_LARGE, RESOURCE_EXHAUSTED, or INVALID_ARGUMENT for a damaged or missing message.
    """
    share.resize(limits.max_body_bytes)
    message = await anext(aiter(messages), None)
    if message is None:
        raise invalid("The call holds no request.")
    share.resize(len(message))
    # No request of our services starts so: these bytes would be tags of unused fields.
    if not message or not (message.startswith(_GZIP_START) or message[0] == _ZLIB_START):
        return message
    unpacker = Unpacker("gzip or deflate")
    with _Kept(share, limits.max_body_bytes, beside=len(message)) as kept:
        await kept.keep_all(unpacker.unpack(message))
        unpacker.close()
        return kept.message()
