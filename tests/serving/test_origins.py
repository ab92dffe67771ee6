"""Hosts that the server answers to, and pages of others that may use it."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from live_server import live_server

from tfgan_app.serving.errors import ServingError
from tfgan_app.serving.origins import OriginRules

APP = "https://app.example"
PREDICT = "/v1/models/plain:predict"


def is_answered(rules, path="/", **headers):
    """Returns whether the rules allow a request."""
    request = make_mocked_request("GET", path, headers={name.title(): value for name, value in headers.items()})
    try:
        rules.check(request)
    except ServingError:
        return False
    return True


@pytest.mark.parametrize(
    ("allowed", "host", "origin", "answered"),
    [
        ({}, "localhost:8501", None, True),
        ({}, "[::1]:8501", None, True),
        ({}, "models.example", None, False),
        ({}, "", None, False),
        ({}, "[", None, False),
        ({}, "localhost:8501", "http://localhost:8501", True),
        ({}, "localhost:8501", "http://localhost:3000", False),
        ({}, "localhost:8501", "null", False),
        ({"allow_hosts": ["models.example"]}, "models.example", None, True),
        ({"allow_hosts": ["Models.Example"]}, "MODELS.example:443", None, True),
        ({"allow_hosts": ["models.example"]}, "models.example", "https://models.example", True),
        # A proxy that does not pass its name on.
        ({"allow_hosts": ["models.example"]}, "127.0.0.1:8501", "https://models.example", True),
        ({"allow_hosts": ["models.example"]}, "models.example", APP, False),
        ({"allow_hosts": ["models.example"]}, "other.example", None, False),
        ({"allow_hosts": ["models.example"]}, "models.example.evil.example", None, False),
        ({"allow_hosts": ["10.0.0.5", "[fd00::5]"]}, "[fd00::5]:8501", None, True),
        ({"allow_hosts": ["*"]}, "whatever.example", None, True),
        ({"allow_origins": [APP]}, "localhost:8501", APP, True),
        ({"allow_origins": [f"{APP}:443/"]}, "localhost:8501", APP, True),
        ({"allow_origins": [APP]}, "localhost:8501", f"{APP}:8443", False),
        ({"allow_origins": [APP]}, "localhost:8501", "http://app.example", False),
        ({"allow_origins": [APP]}, "app.example", APP, False),
        ({"allow_origins": ["http://localhost:3000", APP]}, "localhost:8501", "http://localhost:3000", True),
        ({"allow_origins": ["*"]}, "localhost:8501", "null", True),
    ],
)
def test_a_server_of_this_machine_answers_to_its_names_and_pages(allowed, host, origin, answered):
    rules = OriginRules(local_only=True, **allowed)
    assert is_answered(rules, host=host, **({} if origin is None else {"origin": origin})) is answered


def test_a_server_for_others_answers_to_any_name_unless_some_are_given():
    assert is_answered(OriginRules(local_only=False), host="whatever.example", origin="https://else.example")
    named = OriginRules(local_only=False, allow_hosts=["models.example"])
    assert is_answered(named, host="models.example")
    assert is_answered(named, host="localhost")
    assert not is_answered(named, host="whatever.example")
    assert is_answered(named, "/readyz", host="10.1.2.3:8501")  # Probes call it by its address.


@pytest.mark.parametrize("host", ["", "https://models.example", "models.example:8501", "models.example/x", "a b"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(ValueError, match="as models.example"):
        OriginRules(local_only=True, allow_hosts=[host])


@pytest.mark.parametrize(
    "origin", ["", "app.example", "https://", "https://app.example/page", "https://a@b.example", "https://a:b", "null"]
)
def test_an_origin_that_is_none_is_refused(origin):
    with pytest.raises(ValueError, match="as https://app.example"):
        OriginRules(local_only=True, allow_origins=[origin])


@pytest.fixture(scope="module")
def shared(light_models):
    with live_server(light_models, allow_origins=(APP, "http://localhost:3000")) as server:
        yield server


def cors(live, method, path, body=None, **headers):
    """The status and the CORS headers of an answer."""
    status, received, _ = live.request_with_headers(method, path, body, headers)
    return status, {name.lower(): value for name, value in received.items() if name.lower() in CORS}


CORS = {
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "vary",
}
READABLE = {
    "vary": "Origin",
    "access-control-allow-origin": APP,
    "access-control-expose-headers": "Retry-After",
}


def test_a_page_that_is_allowed_reads_answers_and_errors(shared):
    assert cors(shared, "POST", PREDICT, {"instances": [1.0]}, Origin=APP) == (200, READABLE)
    assert cors(shared, "POST", PREDICT, {"instances": ["x"]}, Origin=APP) == (400, READABLE)
    assert cors(shared, "GET", "/v1/models/no", Origin=APP) == (404, READABLE)
    assert cors(shared, "HEAD", "/v1/models/plain", Origin=APP) == (200, READABLE)


def test_a_page_that_is_not_allowed_is_refused(shared):
    for method, path in (("POST", PREDICT), ("GET", "/v1/models")):
        assert cors(shared, method, path, Origin="https://evil.example") == (403, {"vary": "Origin"})
    assert cors(shared, "GET", "/v1/models") == (200, {"vary": "Origin"})


ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-trace"}


def test_preflights_are_answered_to_pages_that_are_allowed(shared):
    status, headers = cors(shared, "OPTIONS", PREDICT, **ASKS, Origin=APP)
    assert status == 204
    assert headers == {
        **READABLE,
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": "content-type,x-trace",
        "access-control-max-age": "600",
    }
    assert cors(shared, "OPTIONS", PREDICT, **ASKS, Origin="https://evil.example") == (403, {"vary": "Origin"})
    # Without the headers of a preflight it is a method like any other.
    assert cors(shared, "OPTIONS", PREDICT, Origin=APP) == (400, READABLE)


def test_without_the_flag_no_page_of_others_reads_anything(light_models):
    with live_server(light_models) as live:
        assert cors(live, "GET", "/v1/models") == (200, {})
        assert cors(live, "GET", "/v1/models", Origin=APP) == (403, {})
        assert cors(live, "OPTIONS", PREDICT, **ASKS, Origin=APP) == (403, {})
        host = f"localhost:{live.server.rest_port}"
        assert cors(live, "OPTIONS", PREDICT, **ASKS, Host=host, Origin=f"http://{host}") == (403, {})


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/models/plain", "/v1/models/plain/versions/7", "/v1/models/plain/metadata", "/v1/models/no"),
        *("/v1/models/plain/versions/8", "/v1/models", "/healthz", "/readyz", "/metrics", "/", "/page.js"),
    ],
)
def test_head_is_answered_as_get_without_the_body(shared, path):
    status, headers, body = shared.request_with_headers("GET", path)
    head_status, head_headers, head_body = shared.request_with_headers("HEAD", path)
    assert (head_status, head_body) == (status, b"")
    changing = {"Date"} | ({"Content-Length"} if path == "/metrics" else set())
    assert {name: head_headers[name] for name in set(head_headers) - changing} == {
        name: headers[name] for name in set(headers) - changing
    }
    assert body
