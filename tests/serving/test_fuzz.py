"""Random bodies, documents and configurations: read, or rejected as the client's fault."""

from __future__ import annotations

import gzip
import json
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_server import live_server

from tfgan_app.serving import json_requests
from tfgan_app.serving.bodies import Unpacker
from tfgan_app.serving.endpoints import Endpoint, TensorInfo
from tfgan_app.serving.errors import Code, ServingError
from tfgan_app.serving.models_config import read_models_config

BOUNDED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

ENDPOINT = Endpoint(
    "serving_default",
    inputs={"x": TensorInfo(tf.float32, (None, None)), "tag": TensorInfo(tf.string, (None,))},
    outputs={},
    function=dict,
    mergeable=False,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
KEYS = st.sampled_from(["instances", "inputs", "signature_name", "x", "tag", "b64"]) | st.text(max_size=3)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=20,
)
NUMBERS = st.lists(st.lists(st.integers(-9, 9) | st.floats() | LEAVES, max_size=2), max_size=3)
TAGS = st.lists(
    st.text(max_size=3) | st.builds(lambda text: {"b64": text}, st.text("ABab=-_ ", max_size=8)), max_size=3
)
LIKELY = st.fixed_dictionaries({"inputs": st.fixed_dictionaries({"x": NUMBERS | VALUES, "tag": TAGS | VALUES})})
DOCUMENTS = (LIKELY | st.dictionaries(KEYS, VALUES, max_size=3)).map(lambda value: json.dumps(value).encode())


def attempt(kind, function):
    """The result of a function, or the expected kind of error that it raises."""
    try:
        return function(), None
    except kind as error:
        return None, error


@BOUNDED
@given(st.binary(max_size=200) | DOCUMENTS)
def test_any_body_is_read_or_refused(body):
    inputs, error = attempt(ServingError, lambda: checked_inputs(body))
    if error:
        assert error.code is Code.INVALID_ARGUMENT
        assert "\n" not in error.message and len(error.message) < 700
    else:
        assert set(inputs) == {"x", "tag"}
        assert inputs["x"].dtype == np.float32 and inputs["tag"].dtype == object


def checked_inputs(body):
    """The inputs of a request in the model's form."""
    inputs, _ = json_requests.read_inputs(json_requests.parse(body), ENDPOINT)
    ENDPOINT.check(inputs, max_batch=3, max_pixels=100)
    return inputs


@BOUNDED
@given(
    data=st.binary(max_size=3000),
    repeats=st.integers(1, 200),
    pack=st.sampled_from([gzip.compress, zlib.compress]),
    cuts=st.lists(st.integers(0, 4000), max_size=5),
)
def test_a_stream_is_unpacked_wherever_it_is_cut(data, repeats, pack, cuts):
    packed, unpacker = pack(data * repeats), Unpacker("gzip")
    ends = [*sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    parts = [packed[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert b"".join(piece for part in parts for piece in unpacker.unpack(part)) == data * repeats
    unpacker.close()


@BOUNDED
@given(
    data=st.binary(min_size=1, max_size=300),
    change=st.tuples(st.integers(0, 10**6), st.binary(max_size=3)),
    pack=st.sampled_from([gzip.compress, zlib.compress, bytes]),
)
def test_a_damaged_stream_is_refused_or_has_what_was_packed(data, change, pack):
    packed = bytearray(pack(data))
    place = change[0] % len(packed)
    packed[place : place + 1] = change[1]
    unpacked, error = attempt(ServingError, lambda: unpack(bytes(packed)))
    if error:
        assert error.code is Code.INVALID_ARGUMENT
    else:  # A changed byte of the header, such as its time, changes nothing.
        assert pack is bytes or unpacked == data


def unpack(packed):
    """All bytes of a stream."""
    unpacker = Unpacker("gzip")
    unpacked = b"".join(unpacker.unpack(packed))
    unpacker.close()
    return unpacked


WORDS = st.sampled_from(
    [
        *(
            "model_config_list",
            "config",
            "name",
            "base_path",
            "model_platform",
            "model_version_policy",
            "latest",
            "all",
        ),
        *("specific", "versions", "num_versions", "version_labels", "key", "value", "model_type", "logging_config"),
        *("{", "}", ":", '"a"', '"tensorflow"', "1", "-1", "99999999999999999999", "TENSORFLOW", "#", ",", "[", "\n"),
    ]
)


@BOUNDED
@given(st.lists(WORDS, max_size=30).map(lambda words: " ".join(words).encode()) | st.binary(max_size=100))
def test_any_configuration_is_read_or_refused(tmp_path, text):
    (tmp_path / "models.config").write_bytes(text)
    rules, error = attempt(ValueError, lambda: read_models_config(tmp_path))
    if error:
        assert "models.config'" in str(error)
    else:
        assert all(rule.wanted({1, 2}, keep=1, broken=()) is not None for rule in rules.values())


@pytest.fixture(scope="module")
def small(light_models):
    limits = {"max_body_bytes": 1000, "max_pending_bytes": 2000}
    with live_server(light_models, **limits) as server:
        yield server


@settings(BOUNDED, max_examples=60)
@given(
    body=DOCUMENTS | st.binary(max_size=1200),
    encoding=st.sampled_from(["identity", "gzip", "GZIP", "deflate", "br", "", "gzip, gzip"]),
    packed=st.booleans(),
    chunked=st.booleans(),
    extra=st.dictionaries(st.sampled_from(["Content-Type", "X-Other", "Accept"]), st.just("*/*"), max_size=2),
)
def test_any_request_is_answered_as_the_clients_fault_or_as_it_should_be(small, body, encoding, packed, chunked, extra):
    data = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding.lower(), bytes)(body) if packed else body
    parts = iter([data[:7], data[7:]] if len(data) > 7 else [data] if data else []) if chunked else data
    headers = {"Content-Encoding": encoding, **extra}
    status, answer = small.request("POST", "/v1/models/plain:predict", parts, headers)
    assert status in (200, 400, 413)
    assert list(answer) == (["error"] if status != 200 else ["predictions"]) or list(answer) == ["outputs"]
    small.wait_until(lambda: small.server._core.held.total == 0)
