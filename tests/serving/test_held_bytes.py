"""Bytes of all requests together are bounded: on arrival, unpacked, and until they are answered."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gzip
import select
import threading
import zlib
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from live_server import UNTIL_RELEASED, held_sleepers, live_server, predict_request
from raw_rest import chunk, head, raw_connection, read_answer

from tfgan_app.serving import Limits
from tfgan_app.serving.bodies import Unpacker
from tfgan_app.serving.errors import Code, ServingError
from tfgan_app.serving.held_bytes import HeldBytes

MEBIBYTE = 2**20
LIMITS = {"max_body_bytes": 4 * MEBIBYTE, "max_pending_bytes": 16 * MEBIBYTE}
BODY = b'{"instances": [0.0]}'.ljust(3 * MEBIBYTE)
CLIENTS = 60


@pytest.fixture(scope="module")
def bounded(light_models):
    with live_server(light_models, workers=1, **LIMITS) as server:
        assert server.request("POST", "/v1/models/plain:predict", BODY)[0] == 200  # What the first one takes stays.
        yield server


@contextlib.contextmanager
def peaks(live):
    """Measures the peak of the counted bytes, and of this process's memory, clients included."""
    resident = Path("/proc/self/statm")
    found = {"held": 0, "grown": 0}
    before = int(resident.read_text().split()[1]) if resident.exists() else 0
    done = threading.Event()

    def watch():
        while not done.wait(0.005):
            found["held"] = max(found["held"], live.server._core.held.total)
            if before:
                found["grown"] = max(found["grown"], (int(resident.read_text().split()[1]) - before) * 4096)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


PACKERS = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_bodies_that_do_not_end_are_counted_as_they_arrive_and_unpack(bounded, encoding, framing):
    data = PACKERS[encoding](BODY)
    how = "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {len(data)}"
    start, end = (chunk(data[:-1]), chunk(data[-1:]) + chunk(b"")) if framing == "chunked" else (data[:-1], data[-1:])
    with contextlib.ExitStack() as stack, peaks(bounded) as peak:
        clients = [stack.enter_context(raw_connection(bounded)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(head("plain", f"Content-Encoding: {encoding}", how) + start)
        bounded.wait_until(lambda: bounded.server._core.held.total >= 4 * len(BODY))
        bounded.wait_until(lambda: len(select.select(clients, [], [], 0)[0]) >= CLIENTS // 2)  # They are refused.
        for client in clients:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(end)
        statuses = [read_answer(client)[0] for client in clients]
    assert sorted(set(statuses)) == [200, 429]
    # Whoever comes once others have been answered finds room again.
    assert statuses.count(200) >= 4
    assert statuses.count(429) >= CLIENTS // 2
    assert peak["held"] <= LIMITS["max_pending_bytes"]
    assert peak["grown"] < CLIENTS * len(BODY) // 2
    bounded.wait_until(lambda: bounded.server._core.held.total == 0)


def test_a_client_that_leaves_gives_its_bytes_back(bounded):
    with raw_connection(bounded) as client:
        client.sendall(head("plain", "Transfer-Encoding: chunked") + chunk(BODY))
        bounded.wait_until(lambda: bounded.server._core.held.total >= len(BODY))
    bounded.wait_until(lambda: bounded.server._core.held.total == 0)


def padded(request, size):
    """The bytes of a request with an unknown field."""
    return request.SerializeToString() + b"\xfa\x07" + _varint(size) + bytes(size)


def _varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def code_of(future):
    try:
        future.result(240)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]
)
def test_grpc_messages_are_counted_before_they_are_taken_in(bounded, compression):
    call = bounded.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    message = padded(predict_request("sleeper", seconds=np.float32([UNTIL_RELEASED])), len(BODY))
    with peaks(bounded) as peak, held_sleepers() as release:
        futures = [call.future(message, timeout=240, compression=compression) for _ in range(CLIENTS)]
        bounded.wait_until(lambda: sum(future.done() for future in futures) >= CLIENTS // 4)
        health = health_pb2_grpc.HealthStub(bounded.channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
        release()
        codes = [code_of(future) for future in futures]
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"}
    assert codes.count("RESOURCE_EXHAUSTED") >= CLIENTS // 4
    assert peak["held"] <= LIMITS["max_pending_bytes"]
    if compression is not grpc.Compression.NoCompression:  # Or the clients of this process hold as much.
        assert peak["grown"] < CLIENTS * len(BODY) // 2
    bounded.wait_until(lambda: bounded.server._core.held.total == 0)


def test_many_small_grpc_requests_are_all_answered(bounded):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda value: bounded.predict("plain", x=np.float32([value]))["y"][0], range(200)))
    assert answers == [value / 2 + 2 for value in range(200)]


def test_a_packed_grpc_message_is_read_whatever_it_is_packed_with(bounded):
    request = predict_request("plain", x=np.float32([1]))
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        response = bounded.predictions.Predict(request, timeout=240, compression=compression)
        assert response.model_spec.name == "plain"


@pytest.mark.parametrize(
    ("method", "message", "code"),
    [
        (
            "tensorflow.serving.PredictionService/Predict",
            gzip.compress(bytes(5 * MEBIBYTE), mtime=0),
            "RESOURCE_EXHAUSTED",
        ),
        ("tensorflow.serving.PredictionService/Predict", gzip.compress(b"x", mtime=0)[:-9], "INVALID_ARGUMENT"),
        ("tensorflow.serving.PredictionService/Predict", b"\x1f\x8bno", "INVALID_ARGUMENT"),
        ("tensorflow.serving.PredictionService/Predict", gzip.compress(b"", mtime=0) + b"more", "INVALID_ARGUMENT"),
        (
            "tensorflow.serving.ModelService/GetModelStatus",
            b"\x1a" + _varint(70_000) + bytes(70_000),
            "RESOURCE_EXHAUSTED",
        ),
        ("grpc.health.v1.Health/Watch", b"", "UNIMPLEMENTED"),
    ],
)
def test_grpc_messages_that_are_refused(bounded, caplog, method, message, code):
    assert code_of(bounded.channel.unary_unary(f"/{method}").future(message, timeout=240)) == code
    assert not caplog.records


def test_a_grpc_client_that_sends_nothing_is_cut_off(light_models):
    with live_server(light_models, body_seconds=2.0) as live:
        gate = threading.Event()
        call = live.channel.stream_unary("/tensorflow.serving.PredictionService/Predict")
        future = call.future(iter(lambda: gate.wait(240) and None, None), timeout=240)
        assert code_of(future) == "DEADLINE_EXCEEDED"
        gate.set()
        assert live.predict("plain", x=np.float32([1]))["y"] == [2.5]


def test_a_share_is_counted_once_and_given_back():
    held = HeldBytes(10)
    with held.share() as first, held.share() as second:
        first.resize(6)
        second.resize(3)
        second.resize(4)
        with pytest.raises(ServingError, match="it holds 6 bytes") as caught:
            second.resize(5)
        assert caught.value.code is Code.RESOURCE_EXHAUSTED
        assert held.total == 6  # Who is refused holds nothing any more.
        first.resize(3)
        assert held.total == 3
    assert held.total == 0


def test_a_bound_that_no_request_could_keep_is_refused():
    with pytest.raises(ValueError, match="at least twice `max_body_bytes`, 200. Received: 199"):
        Limits(max_body_bytes=100, max_pending_bytes=199)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_nothing_is_unpacked_beyond_a_step(pack):
    unpacker = Unpacker("gzip")
    pieces = list(unpacker.unpack(pack(bytes(10 * MEBIBYTE))))
    unpacker.close()
    assert sum(map(len, pieces)) == 10 * MEBIBYTE
    assert max(map(len, pieces)) <= 2**16
