"""`Expect: 100-continue`: a waiting client is asked for its body, or rejected before it sends it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from live_server import live_server
from raw_rest import chunk, head, raw_connection, read_answer

EXPECT = "Expect: 100-continue"
BODY = b'{"instances": [1.0]}'
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def waited(light_models):
    with live_server(light_models, max_body_bytes=2**21, max_pending_bytes=2**22) as server:
        yield server


@pytest.mark.parametrize("expect", [EXPECT, "expect:100-Continue"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_waits_is_told_to_go_on(waited, expect, chunked):
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(BODY)}"
    with raw_connection(waited) as connection:
        for _ in range(2):  # And its connection may be used again.
            connection.sendall(head("plain", expect, how))
            assert connection.recv(len(CONTINUE)) == CONTINUE
            connection.sendall(chunk(BODY) + chunk(b"") if chunked else BODY)
            status, answer = read_answer(connection)
            assert status == 200 and answer.endswith(b'{"predictions":[2.5]}')


@pytest.mark.parametrize(
    ("model", "headers", "status", "message"),
    [
        ("plain", [EXPECT, f"Content-Length: {2**21 + 1}"], 413, b"A request may have at most 2097152 bytes"),
        ("plain", [EXPECT, "Content-Length: 9", "Content-Encoding: br"], 400, b"Content-Encoding must be gzip"),
        ("plain", ["Expect: 200-ok", "Content-Length: 9"], 417, b"Expect must be 100-continue"),
        ("no", [EXPECT, "Content-Length: 9"], 404, b"Servable not found"),
        ("plain", [EXPECT, "Content-Length: 9", "Origin: http://evil.example"], 403, b"--allow-origin"),
        ("plain/labels/no", [EXPECT, "Content-Length: 9"], 400, b"Unrecognized servable version label"),
    ],
)
def test_what_can_be_refused_is_refused_before_the_body(waited, model, headers, status, message):
    with raw_connection(waited) as connection:
        connection.sendall(head(model, *headers))
        received, answer = read_answer(connection)
    assert received == status and answer.startswith(b"HTTP/1.1 %d " % status)
    assert message in answer
    assert b"connection: close" in answer.lower()


def test_a_server_that_holds_all_it_can_refuses_before_the_body(waited):
    with raw_connection(waited) as first, raw_connection(waited) as second, raw_connection(waited) as third:
        for connection in (first, second):
            connection.sendall(head("plain", f"Content-Length: {2**21}") + b" ")
        waited.wait_until(lambda: waited.server._core.held.total == 2**22)
        third.sendall(head("plain", EXPECT, "Content-Length: 9"))
        status, answer = read_answer(third)
    assert status == 429 and answer.startswith(b"HTTP/1.1 429 ") and b"retry-after: 1" in answer.lower()
    waited.wait_until(lambda: waited.server._core.held.total == 0)


def test_clients_of_http_1_0_are_not_told(waited):
    with raw_connection(waited) as connection:
        connection.sendall(head("plain", EXPECT, f"Content-Length: {len(BODY)}", version="1.0") + BODY)
        assert read_answer(connection)[1].startswith(b"HTTP/1.0 200 ")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl is installed")
@pytest.mark.parametrize(("size", "status"), [(2**21 - 100, "200"), (2**21 + 1, "413")])
def test_curl_does_not_wait_for_a_large_body(waited, tmp_path, size, status):
    body = tmp_path / "body.json"
    body.write_bytes(BODY.ljust(size))
    url = f"http://127.0.0.1:{waited.server.rest_port}/v1/models/plain:predict"
    options = [
        "-s",
        "-o",
        "/dev/null",
        "--max-time",
        "200",
        "--noproxy",
        "*",
        "-H",
        EXPECT,
        "--expect100-timeout",
        "100",
    ]
    said = "%{http_code} %{time_total}"
    done = subprocess.run(
        ["curl", *options, "-w", said, "--data-binary", f"@{body}", url], capture_output=True, text=True, timeout=240
    )
    received, seconds = done.stdout.split()
    assert received == status and float(seconds) < 90
