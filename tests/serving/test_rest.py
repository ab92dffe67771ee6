"""REST as TensorFlow Serving documents it; expected values are derived by hand from its documentation."""

from __future__ import annotations

import base64
import gzip
import io
import json

import numpy as np
import pytest
from live_server import png, random_image
from PIL import Image
from tiny_generator import expected_image


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def decoded(value):
    assert list(value) == ["b64"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(value["b64"]))))


@pytest.mark.parametrize("path", ["plain", "plain/versions/7", "plain/labels/stable"])
def test_one_input_and_one_output_need_no_names(live, path):
    assert live.post(f"{path}:predict", {"instances": [1.0, 2, 5.0]}) == (200, {"predictions": [2.5, 3.0, 4.5]})
    assert live.post(f"{path}:predict", {"inputs": [1.0, 2, 5.0]}) == (200, {"outputs": [2.5, 3.0, 4.5]})


def test_names_may_be_given(live):
    assert live.post("plain:predict", {"instances": [{"x": 1}, {"x": 2}]}) == (200, {"predictions": [2.5, 3.0]})
    assert live.post("plain:predict", {"inputs": {"x": [1, 2]}}) == (200, {"outputs": [2.5, 3.0]})


def test_several_outputs_are_objects_in_rows_and_one_object_in_columns(live):
    rows = [{"tag": "ü", "signal": [1, 2]}, {"tag": b64(b"b"), "signal": [3, 4]}]
    expected = [
        {"tag": "ü", "sum": 3, "tag_bytes": b64("ü".encode())},
        {"tag": "b", "sum": 7, "tag_bytes": b64(b"b")},
    ]
    assert live.post("plain:predict", {"signature_name": "tags", "instances": rows}) == (200, {"predictions": expected})
    columns = {"tag": ["ü", "b"], "signal": [[1, 2], [3, 4]]}
    expected = {"tag": ["ü", "b"], "sum": [3, 7], "tag_bytes": [b64("ü".encode()), b64(b"b")]}
    assert live.post("plain:predict", {"signature_name": "tags", "inputs": columns}) == (200, {"outputs": expected})


def test_outputs_without_rows_can_only_be_had_in_columns(live):
    body = {"signature_name": "total", "inputs": [1, 2]}
    assert live.post("plain:predict", body) == (200, {"outputs": {"total": 3.0, "x": [1.0, 2.0]}})
    status, answer = live.post("plain:predict", {"signature_name": "total", "instances": [1, 2]})
    assert status == 400 and "inconsistent batch sizes" in answer["error"]


def test_float32_comes_back_as_the_same_float32(live):
    values = np.random.default_rng(0).normal(size=32).astype(np.float32)
    status, answer = live.post("plain:predict", {"instances": values.tolist()})
    assert status == 200
    np.testing.assert_array_equal(np.array(answer["predictions"], np.float32), values / 2 + 2)


def test_nan_and_infinity_are_taken_and_given(live):
    status, answer = live.post("plain:predict", b'{"instances": [NaN, Infinity, -Infinity, 0.2]}')
    assert status == 200
    np.testing.assert_array_equal(answer["predictions"], [np.nan, np.inf, -np.inf, float(str(np.float32(2.1)))])


def test_images_go_in_and_out_as_base64(live):
    images = [random_image(5, 4), random_image(2, 9)]
    instances = [b64(png(images[0])), {"image_bytes": b64(png(images[1], "BMP"))}]
    for index, image in enumerate(images):
        status, answer = live.post("negative:predict", {"instances": [instances[index]]})
        assert status == 200
        np.testing.assert_array_equal(decoded(answer["predictions"][0]), 255 - image)
    status, answer = live.post("negative:predict", {"instances": [b64(png(image)) for image in images]})
    assert [decoded(value).shape for value in answer["predictions"]] == [(5, 4, 3), (2, 9, 3)]


def test_images_go_as_numbers(live):
    image = random_image(3, 2)
    status, answer = live.post("negative:predict", {"signature_name": "tensor", "instances": [image.tolist()]})
    assert (status, answer) == (200, {"predictions": [(255 - image).tolist()]})


def test_large_arrays_are_exact(live):
    image = random_image(200, 300)
    status, answer = live.post("negative:predict", {"signature_name": "tensor", "inputs": {"images": [image.tolist()]}})
    assert status == 200
    np.testing.assert_array_equal(answer["outputs"], 255 - image[None])


def test_a_body_may_be_compressed(live):
    body = gzip.compress(json.dumps({"instances": [1.0]}).encode())
    headers = {"Content-Encoding": "gzip"}
    assert live.request("POST", "/v1/models/plain:predict", body, headers) == (200, {"predictions": [2.5]})
    for damaged, encoding in ((body[:-9], "gzip"), (b"no", "gzip"), (body, "br")):
        status, _ = live.request("POST", "/v1/models/plain:predict", damaged, {"Content-Encoding": encoding})
        assert status == 400
    bomb = gzip.compress(bytes(40 * 2**20))
    assert live.request("POST", "/v1/models/plain:predict", bomb, headers)[0] == 413


def test_a_generator_takes_seeds_and_classes(live):
    status, answer = live.post("dots:predict", {"instances": [{"seeds": 42, "classes": "box"}]})
    assert status == 200
    np.testing.assert_array_equal(decoded(answer["predictions"][0]), expected_image(42, label=1)[..., 0])
    status, answer = live.post("dots:predict", {"instances": [{"seeds": 42, "classes": "cat"}]})
    assert status == 400 and "`classes` must be among: bar, box" in answer["error"]


@pytest.mark.parametrize("path", ["plain", "plain/versions/7", "plain/labels/stable"])
def test_status(live, path):
    status = {"version": "7", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert live.request("GET", f"/v1/models/{path}") == (200, {"model_version_status": [status]})


def test_metadata(live):
    status, answer = live.request("GET", "/v1/models/plain/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "plain", "signature_name": "", "version": "7"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert signature["inputs"]["x"]["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}


def test_models_are_listed_for_the_page(live):
    status, answer = live.request("GET", "/v1/models")
    assert status == 200
    listed = {model.pop("name"): model for model in answer["models"]}
    common = {"versions": [1], "state": "AVAILABLE"}
    assert [listed[name].pop("parameters", None) for name in ("negative", "plain")] == ["12", None]
    for name in ("dots", "style"):
        assert int(listed[name].pop("parameters").replace(",", "")) > 0
    assert listed == {
        "negative": {**common, "kind": "images", "channels": 3, "scale": 1},
        "dots": {**common, "kind": "latents", "classes": ["bar", "box"]},
        "style": {**common, "kind": "images", "takes_style": True, "channels": 3, "scale": 1},
        "plain": {**common, "versions": [7], "kind": "other"},
        "sleeper": {**common, "kind": "other"},
    }


NEGATIVE, PLAIN = "/v1/models/negative:predict", "/v1/models/plain:predict"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", PLAIN, b"", 400, "JSON Parse error: The document is empty"),
        ("POST", PLAIN, b"instances = [1, 2]", 400, "JSON Parse error"),
        ("POST", PLAIN, b"\xff\xfe", 400, "JSON Parse error"),
        ("POST", PLAIN, b"[1]", 400, "Is not object"),
        ("POST", PLAIN, b"[" * 100_000, 400, "JSON Parse error"),
        ("POST", PLAIN, b'{"a": NaN, "instances": ' + b"[" * 100_000, 400, "JSON Parse error"),
        ("POST", PLAIN, {}, 400, "Missing 'inputs' or 'instances' key"),
        ("POST", PLAIN, {"inputs": [1], "instances": [1]}, 400, "only one of 'inputs' or 'instances'"),
        ("POST", PLAIN, {"instances": 1}, 400, "Expecting 'instances' to be a list/array"),
        ("POST", PLAIN, {"instances": []}, 400, "No values in 'instances' array"),
        ("POST", PLAIN, {"instances": ["x"]}, 400, "not of expected type: float"),
        ("POST", PLAIN, {"instances": [True, 1.0]}, 400, "not of expected type: float"),
        ("POST", PLAIN, {"instances": [None]}, 400, "not of expected type: float"),
        ("POST", PLAIN, {"instances": [2**63, "x" * 10**6] * 10}, 400, "not of expected type: float"),
        ("POST", PLAIN, {"instances": [1e39]}, 400, "cannot convert JSON values"),
        ("POST", PLAIN, {"instances": [[1], [2, 3]]}, 400, "lists of the same length"),
        ("POST", PLAIN, {"instances": [[1], [2]]}, 400, "must have the shape [any]. Received: [2, 1]"),
        ("POST", PLAIN, {"instances": [{"z": 1}]}, 400, "Keys must be equal to: x"),
        ("POST", PLAIN, {"inputs": {"z": [1]}}, 400, "Missing named input: x"),
        ("POST", PLAIN, {"inputs": {"x": [1], "z": [1]}}, 400, "Not known: z"),
        ("POST", PLAIN, {"signature_name": 100}, 400, "'signature_name' key must be a string value"),
        (
            "POST",
            PLAIN,
            {"signature_name": "tags", "inputs": {"tag": ["a"], "signal": [[2**63, 1]]}},
            400,
            "beyond int64",
        ),
        ("POST", PLAIN, {"signature_name": "no", "inputs": [1]}, 400, '"no" not found in signature def'),
        ("POST", PLAIN, {"signature_name": "tags", "instances": [1]}, 400, "the signature has the inputs"),
        ("POST", PLAIN, {"instances": [1] * 33}, 400, "A request may have at most 32 rows. Received: 33"),
        ("POST", NEGATIVE, {"instances": [{"b64": "%%%"}]}, 400, "Unable to base64 decode"),
        ("POST", NEGATIVE, {"instances": [b64(b"no image")]}, 400, "expected a PNG, JPEG, WebP, GIF, BMP"),
        ("POST", NEGATIVE, {"instances": [b64(png(random_image(9, 9))[:120])]}, 400, "image file is truncated"),
        ("POST", NEGATIVE, {"signature_name": "tensor", "instances": [[[[300, 0, 0]]]]}, 400, "beyond 0 to 255"),
        ("POST", NEGATIVE, {"signature_name": "tensor", "instances": [[[[1.5, 0, 0]]]]}, 400, "expected type: uint8"),
        ("POST", "/v1/models/no:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(no)"),
        ("POST", "/v1/models/plain/versions/8:predict", {"instances": [1]}, 404, "Specific(plain, 8)"),
        ("POST", "/v1/models/plain/labels/no:predict", {"instances": [1]}, 400, "Unrecognized servable version label"),
        ("POST", f"/v1/models/plain/versions/{2**64}:predict", {}, 400, "Failed to convert version"),
        ("POST", "/v1/models/plain/versions/x:predict", {}, 400, "Malformed request: POST"),
        ("POST", "/v1/models/plain:classify", {}, 501, "`:classify` is not implemented"),
        ("GET", PLAIN, None, 400, "Malformed request: GET"),
        ("GET", "/v1/models/no", None, 404, "Could not find any versions of model no"),
        ("GET", "/v1/models/no/metadata", None, 404, "Servable not found"),
        ("GET", "/../../etc/passwd", None, 404, "Malformed request"),
        ("GET", "/page/..%2f..%2fsetup.cfg", None, 404, "Malformed request"),
        ("POST", "/healthz", {}, 405, "is read with GET"),
    ],
)
def test_errors_say_what_is_wrong(live, method, path, body, status, message):
    received, answer = live.request(method, path, body)
    assert (received, list(answer)) == (status, ["error"])
    assert message in answer["error"]
    assert len(answer["error"]) < 700


def test_probes(live):
    assert live.request("GET", "/healthz") == (200, {"status": "alive"})
    assert live.request("GET", "/readyz") == (200, {"status": "ready"})


def test_metrics_count_requests_by_model_and_outcome(live):
    live.post("plain:predict", {"instances": [1.0]})
    live.post("plain:predict", {"instances": ["x"]})
    live.post("never-heard-of:predict", {"instances": ["x"]})
    _, text = live.request("GET", "/metrics")
    lines = text.decode().splitlines()
    labels = 'model="plain",protocol="rest",signature="serving_default",version="7"'
    for code in ("OK", "INVALID_ARGUMENT"):
        assert [line for line in lines if line.startswith(f'tfgan_requests_total{{code="{code}",{labels}}}')]
    assert 'tfgan_model_loaded{model="plain",version="7"} 1.0' in lines
    assert any(line.startswith('tfgan_request_seconds_bucket{le="0.001",model="plain"') for line in lines)
    assert any(line.startswith('tfgan_batch_rows_bucket{le="1.0",model="plain"}') for line in lines)
    assert "tfgan_queue_length 0.0" in lines
    assert b"never-heard-of" not in text  # Or anybody could fill the memory with names.


def test_no_other_site_can_use_a_local_server(live):
    body = json.dumps({"instances": [1.0]}).encode()
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Host": "localhost", "Origin": "null"},
    ):
        status, answer = live.request("POST", PLAIN, body, headers)
        assert status == 403 and "only requests to localhost" in answer["error"]
    host = f"localhost:{live.server.rest_port}"
    status, _ = live.request("POST", PLAIN, body, {"Host": host, "Origin": f"http://{host}"})
    assert status == 200
