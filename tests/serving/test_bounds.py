"""Every bound has its error, and no client can exceed its share."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from live_server import UNTIL_RELEASED, held_sleepers, live_server, png, predict_request, random_image

from tfgan_app.serving.image_size import pixels_to_decode


@pytest.fixture(scope="module")
def narrow(few_models):
    """A server with one worker and low limits."""
    limits = {"max_body_bytes": 100_000, "max_pixels": 1000, "max_batch": 4, "max_queue": 2, "max_connections": 20}
    with live_server(few_models, workers=1, **limits) as server:
        yield server


# Each test of a time limit has a server whose other limits are long, so that a slow machine runs into none of them.
@contextlib.contextmanager
def hurried(light_models, **seconds):
    with live_server(light_models, workers=1, **seconds) as server:
        yield server


def grpc_error(live, request):
    with pytest.raises(grpc.RpcError) as caught:
        live.predictions.Predict(request, timeout=240)
    return caught.value.code().name, caught.value.details()


def huge_png():
    """A PNG of a few bytes whose header claims 10 gigapixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def test_body(narrow):
    status, answer = narrow.post("plain:predict", b" " * 100_001)
    assert status == 413 and "A request may have at most 100000 bytes" in answer["error"]
    request = predict_request("negative", image_bytes=[b"x" * 100_001])
    assert grpc_error(narrow, request)[0] == "RESOURCE_EXHAUSTED"


def test_a_body_of_unknown_length_is_cut_off(narrow):
    chunks = (b" " * 4096 for _ in range(30))
    status, answer = narrow.request("POST", "/v1/models/plain:predict", chunks)
    assert status == 413 and "A request may have at most 100000 bytes" in answer["error"]


def test_pixels(narrow):
    for request in (
        predict_request("negative", image_bytes=[huge_png()]),
        predict_request("negative", image_bytes=[png(random_image(20, 30))] * 2),
        predict_request("negative", "tensor", images=np.zeros((2, 20, 30, 3), np.uint8)),
    ):
        code, details = grpc_error(narrow, request)
        assert code == "INVALID_ARGUMENT" and "pixels" in details


def test_batch(narrow):
    code, details = grpc_error(narrow, predict_request("plain", x=np.zeros(5, np.float32)))
    assert code == "INVALID_ARGUMENT" and "A request may have at most 4 rows. Received: 5" in details


def test_memory_bounds_the_pixels_of_a_model_that_tells_what_it_takes(few_models):
    # `negative` takes 24 bytes for each pixel: 3 channels of float32, in and out.
    with live_server(few_models, workers=1, memory_bytes=24 * 5000) as live:
        live.predict("negative", "tensor", images=np.zeros((1, 50, 100, 3), np.uint8))
        code, details = grpc_error(
            live, predict_request("negative", "tensor", images=np.zeros((1, 50, 101, 3), np.uint8))
        )
        assert code == "INVALID_ARGUMENT" and "at most 5000 pixels" in details


def test_time(light_models):
    with hurried(light_models, timeout_seconds=0.5) as live:
        status, answer = live.post("sleeper:predict", {"instances": [3.0]})
        assert status == 504 and "No answer within 0.5 s" in answer["error"]
        live.wait_until(lambda: not live.server._catalog.available()["sleeper"][1].users)


def test_the_time_that_a_client_is_ready_to_wait(narrow):
    with pytest.raises(grpc.RpcError) as caught:
        narrow.predict("sleeper", seconds=np.float32([3.0]), timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    narrow.wait_until(lambda: not narrow.server._catalog.available()["sleeper"][1].users)


def test_queue(light_models):
    body = {"instances": [UNTIL_RELEASED] * 3}
    with (
        live_server(light_models, workers=1, max_queue=2, max_batch=4) as live,
        ThreadPoolExecutor(8) as pool,
        held_sleepers() as release,
    ):
        first = pool.submit(live.post, "sleeper:predict", body)
        live.wait_until(lambda: live.server._catalog.available()["sleeper"][1].users)
        others = [pool.submit(live.post, "sleeper:predict", body) for _ in range(7)]
        live.wait_until(lambda: sum(answer.done() for answer in others) == 5)
        refused = [answer.result() for answer in others if answer.done()]
        assert all(status == 429 and "The server is overloaded" in answer["error"] for status, answer in refused)
        release()
        assert sorted(answer.result()[0] for answer in (first, *others)) == [200] * 3 + [429] * 5
        assert live.post("sleeper:predict", {"instances": [0.0]})[0] == 200


def raw_connection(live):
    return contextlib.closing(socket.create_connection(("127.0.0.1", live.server.rest_port), timeout=15))


@pytest.mark.parametrize("sent", [b"", b"POST /v1/models/plain:predict HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_client_that_does_not_finish_its_headers_is_cut_off(light_models, sent):
    with hurried(light_models, head_seconds=0.5) as live:
        start = time.monotonic()
        with raw_connection(live) as connection:  # Gives up after 15 s, before any longer limit of the server ends.
            connection.sendall(sent)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert time.monotonic() - start > 0.3


def test_a_client_that_does_not_finish_its_body_is_told_so(light_models):
    with hurried(light_models, body_seconds=0.5) as live, raw_connection(live) as connection:
        connection.sendall(b"POST /v1/models/plain:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_connections_are_kept_for_the_next_request_but_not_for_ever(light_models):
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with hurried(light_models, idle_seconds=3.0) as live, raw_connection(live) as connection:
        for _ in range(3):
            connection.sendall(get)
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.1)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_connections_are_bounded(narrow):
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(raw_connection(narrow))
        with raw_connection(narrow) as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 503 ")
    narrow.wait_until(lambda: not narrow.server._connections.open)
    assert narrow.request("GET", "/healthz")[0] == 200


def test_requests_that_fit_together_run_as_one_batch_and_a_bad_one_spoils_only_itself(models, tmp_path):
    for name in ("dots", "sleeper"):
        shutil.copytree(models / name, tmp_path / name)
    with live_server(tmp_path, workers=1) as live, ThreadPoolExecutor(10) as pool, held_sleepers() as release:
        blocker = pool.submit(live.predict, "sleeper", seconds=np.float32([UNTIL_RELEASED]))
        live.wait_until(lambda: live.server._catalog.available()["sleeper"][1].users)
        seeds = range(6)
        labels = [0, 1, 0, 9, 1, 0]
        pending = [
            pool.submit(
                live.predict, "dots", "tensor", seeds=np.array([seed]), labels=np.array([labels[seed]], np.int32)
            )
            for seed in seeds
        ]
        live.wait_until(lambda: len(live.server._scheduler) == 6)
        release()
        blocker.result()
        for seed, future in zip(seeds, pending, strict=True):
            if labels[seed] == 9:
                assert "`labels` must be 0 to 1" in future.exception(240).details()
            else:
                expected = live.predict("dots", "tensor", seeds=np.array([seed]), labels=np.int32([labels[seed]]))
                np.testing.assert_array_equal(future.result(240)["outputs"], expected["outputs"])
        _, metrics = live.request("GET", "/metrics")
        assert b'tfgan_batch_rows_bucket{le="4.0",model="dots"} 11.0' in metrics  # One of 6, then 6 and 5 alone.
        assert b'tfgan_batch_rows_bucket{le="8.0",model="dots"} 12.0' in metrics


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"])
@pytest.mark.parametrize("size", [(1, 1), (37, 500), (700, 3)])
def test_sizes_are_read_from_headers(file_format, size):
    frames = 2 if file_format == "GIF" else 1  # Its canvas, and the frame on it.
    assert pixels_to_decode(png(random_image(*size), file_format)) == frames * size[0] * size[1]


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_headers_that_are_cut_off_anywhere_are_an_error_or_tell_the_size(file_format):
    data = png(random_image(20, 20), file_format)
    told = set()
    for length in range(len(data)):
        with contextlib.suppress(ValueError):
            told.add(pixels_to_decode(data[:length]))
    assert told <= {400, 800}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff" * 10**6,
        b"\xff\xd8\xff" + b"\xff\x01" * 10**6,
        b"\xff\xd8" + b"\xff\xda\x00\x02" * 10**6,
        b"\xff\xd8\xff\xc2\x00\x0b\x08\x00\x09\x00\x09\x01\x01\x11\x00" + b"\xff\xda\x00\x02" * 65,
        b"\xff\xd8\xff\xe0" + b"\x00\x02\xff\xe0" * 10**6,
        b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\x00\x01\x04\x00\xff\xff\xff\x00\x00\x00\x00\x00" * 65535,
        b"P6 99999999999 99999999999 255 ",
        b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"\x21\xf9" + b"\x01x" * 10**6,
        b"BM" + b"\x00" * 100,
    ],
)
def test_hostile_headers_are_refused_at_once(data):
    start = time.thread_time()  # Only what this took itself, however busy the machine is.
    with pytest.raises(ValueError):
        pixels_to_decode(data)
    assert time.thread_time() - start < 2
