"""Image files of all kinds through every interface: the answer shows the file's visible content, upright."""

from __future__ import annotations

import base64
import re

import grpc
import keras
import numpy as np
import pytest
import tensorflow as tf
from doubling_model import export_double
from image_files import ALPHA, JPEG, KINDS, RGB, RGBA, decoded, encoded
from live_server import live_server, predict_request, save_module
from PIL import Image

from tfgan_app.export import export_model
from tfgan_app.inference.folder import predict_path
from tfgan_app.inference.loading import load_predictor
from tfgan_app.serving import image_files
from tfgan_app.serving.errors import ServingError
from tfgan_app.serving.image_size import pixels_to_decode

NEGATIVE = "/v1/models/negative:predict"


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def by_json(live, data, model="negative"):
    status, answer = live.post(f"{model}:predict", {"instances": [b64(data)]})
    assert status == 200, answer
    return base64.b64decode(answer["predictions"][0]["b64"])


def by_data_url(live, data):
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    status, answer = live.post("negative:predict", {"inputs": [url]})
    assert status == 200, answer
    return base64.b64decode(answer["outputs"][0]["b64"])


def by_body(live, data):
    status, answer = live.request("POST", NEGATIVE, data, {"Content-Type": "image/png"})
    assert status == 200, answer
    return answer


def by_grpc(live, data, model="negative"):
    return live.predict(model, image_bytes=[data])["output_bytes"][0]


def negative_of(seen):
    """The result of `negative`: alpha is kept, and so is the color of hidden pixels."""
    if seen.shape[2] == 3:
        return 255 - seen
    color, alpha = seen[..., :3], seen[..., 3:]
    return np.concatenate([np.where(alpha == 0, color, 255 - color), alpha], axis=-1)


@pytest.mark.parametrize("send", [by_json, by_data_url, by_body, by_grpc])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_taken_by_every_endpoint(live, kind, send):
    data, seen = KINDS[kind]()
    answer = send(live, data)
    assert answer.startswith(b"\x89PNG")
    np.testing.assert_array_equal(decoded(answer), negative_of(seen))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """`double` upscales; `fill` takes a fourth channel and paints holes white."""
    folder = tmp_path_factory.mktemp("models")
    export_double(folder)
    inputs = keras.Input((None, None, 4))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    weights = np.concatenate([np.eye(3), -np.ones((1, 3))]).astype(np.float32)
    convolution.set_weights([weights[None, None], np.ones(3, np.float32)])
    export_model(model, format="saved_model", output_dir=folder, name="fill")
    return folder


@pytest.fixture(scope="module")
def live_images(images):
    with live_server(images) as server:
        yield server


@pytest.mark.parametrize("send", [by_json, by_grpc])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "transparent" in kind or "alpha" in kind])
def test_alpha_is_enlarged_as_predict_does(live_images, images, tmp_path, kind, send):
    data, _ = KINDS[kind]()
    (tmp_path / "image.png").write_bytes(encoded(decoded(data), "PNG"))
    predict_path(load_predictor(images / "double"), tmp_path / "image.png", tmp_path / "answer.png")
    expected = np.asarray(Image.open(tmp_path / "answer.png").convert("RGBA"))
    answer = decoded(send(live_images, data, "double"))
    assert answer.shape == (48, 64, 4)
    # Three equal channels of alpha are rounded before their mean is taken, in `predict` after.
    np.testing.assert_allclose(answer.astype(int), expected.astype(int), atol=1)


def test_transparent_pixels_are_the_holes_of_a_model_that_fills_them(live_images):
    expected = np.where(ALPHA[..., None] == 0, 255, RGB)
    for data in (encoded(RGBA, "PNG"), encoded(RGBA, "WEBP", lossless=True, exact=True), encoded(RGBA, "TIFF")):
        answer = decoded(by_grpc(live_images, data, "fill"))
        np.testing.assert_array_equal(np.where(ALPHA[..., None] == 0, 255, answer), expected)
    np.testing.assert_array_equal(decoded(by_grpc(live_images, encoded(RGB, "WEBP", lossless=True), "fill")), RGB)


def test_the_card_of_a_saved_model_says_what_becomes_of_transparency(images):
    cards = {name: (images / name / "1" / "MODEL_CARD.md").read_text() for name in ("double", "fill")}
    assert "- Transparency: composited on white in files given to the SavedModel; kept by `tfgan_app" in cards["double"]
    assert "- Transparency: transparent pixels of files are the holes" in cards["fill"]


def test_style_and_content_may_be_of_any_kind(live):
    plain = live.predict("style", image_bytes=[encoded(RGB, "PNG")], style_bytes=[encoded(255 - RGB, "PNG")])
    webp = {"lossless": True, "exact": True}
    other = live.predict(
        "style", image_bytes=[encoded(RGBA, "WEBP", **webp)], style_bytes=[encoded(255 - RGB, "WEBP", **webp)]
    )
    assert decoded(plain["output_bytes"][0]).shape == (24, 32, 3)
    result = decoded(other["output_bytes"][0])
    np.testing.assert_array_equal(result[..., 3], ALPHA)
    np.testing.assert_array_equal(result[ALPHA == 0][:, :3], RGB[ALPHA == 0])


BAD = {
    "cut off JPEG": (JPEG[:-200], "cut off|truncated"),
    "cut off PNG": (encoded(RGB, "PNG")[:-300], "cut off|truncated"),
    "cut off WebP": (encoded(RGB, "WEBP")[:-300], "cannot be read: .*(truncated|decoder|identif|format)"),
    "PNG of no pixels": (encoded(RGB, "PNG")[:16] + bytes(8) + encoded(RGB, "PNG")[24:], "no pixels"),
    "text": (b"not an image", "expected a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or PNM file"),
    "base64 twice": (base64.b64encode(JPEG), "this is the text of one"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected a PNG"),
    "ICO": (encoded(RGB, "ICO"), "expected a PNG"),
    "PDF": (encoded(RGB, "PDF"), "expected a PNG"),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_bad_image_of_a_batch_is_named_in_one_line(live, kind):
    data, reason = BAD[kind]
    files = [encoded(RGB, "PNG"), encoded(RGBA, "WEBP"), data]
    with pytest.raises(grpc.RpcError) as caught:
        live.predictions.Predict(predict_request("negative", image_bytes=files), timeout=240)
    status, answer = live.post("negative:predict", {"instances": [b64(each) for each in files]})
    assert (caught.value.code().name, status) == ("INVALID_ARGUMENT", 400)
    for message in (caught.value.details(), answer["error"]):
        assert message.startswith("Input 'image_bytes', image 2 cannot be read: ")
        assert "\n" not in message and "assertion failed" not in message and "tfgan_app-" not in message
        assert re.search(reason, message)


def test_a_body_that_is_an_image_is_answered_with_json_where_only_that_is_accepted(live):
    headers = {"Content-Type": "image/jpeg; charset=binary", "Accept": "application/json"}
    status, answer = live.request("POST", NEGATIVE, JPEG, headers)
    assert status == 200
    np.testing.assert_array_equal(decoded(base64.b64decode(answer["predictions"][0]["b64"])), 255 - decoded(JPEG))
    for accepted in ("image/png", "application/json, text/plain, */*"):  # The second is that of axios.
        status, answer = live.request("POST", NEGATIVE, JPEG, {**headers, "Accept": accepted})
        assert (status, answer[:4]) == (200, b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "content_type", "message"),
    [
        ("dots:predict", "image/png", "takes no image file as the body: send JSON with the inputs classes, seeds"),
        ("style:predict", "image/png", "send JSON with the inputs image_bytes, style_bytes"),
        ("negative:predict", "multipart/form-data; boundary=x", "Received: multipart/form-data"),
        ("negative:predict", "application/x-www-form-urlencoded", "an image file whose Content-Type is image/png"),
    ],
)
def test_an_image_as_the_body_is_refused_where_it_cannot_be_taken(live, path, content_type, message):
    headers = {"Content-Type": content_type}
    status, answer = live.request("POST", f"/v1/models/{path}", encoded(RGB, "PNG"), headers)
    assert status == 415 and message in answer["error"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png,%89PNG", "a `data:` URL must be data:TYPE;base64,... Received: data:image/png"),
        ("data:image/png;base64", "a `data:` URL must be data:TYPE;base64,..."),
        ("data:image/png;base64,%%%", "Unable to base64 decode"),
    ],
)
@pytest.mark.parametrize("wrap", [str, lambda url: {"b64": url}])
def test_data_urls_of_another_kind_are_named(live, url, message, wrap):
    status, answer = live.post("negative:predict", {"instances": [wrap(url)]})
    assert status == 400 and message in answer["error"]


def test_a_text_input_that_looks_like_a_data_url_stays_text(live):
    rows = [{"tag": "data:text/plain;base64,aGk=", "signal": [1, 2]}]
    status, answer = live.post("plain:predict", {"signature_name": "tags", "instances": rows})
    assert status == 200 and answer["predictions"][0]["tag"] == rows[0]["tag"]


def test_pixels_of_any_kind_are_bounded_before_they_are_decoded(few_models):
    large = np.zeros((40, 40, 3), np.uint8)
    with live_server(few_models, max_pixels=1000) as live:
        for file_format in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM"):
            status, answer = live.post("negative:predict", {"instances": [b64(encoded(large, file_format))]})
            assert status == 400 and "may have at most 1000 pixels together" in answer["error"], file_format


def test_a_server_without_shared_memory_uses_the_folder_for_temporary_files(monkeypatch, tmp_path):
    data, seen = KINDS["WebP"]()
    monkeypatch.setattr(image_files, "_SHARED_MEMORY", str(tmp_path / "none"))
    np.testing.assert_array_equal(image_files.read_request_image("image_bytes", 0, data).pixels, seen)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(ServingError, match="no room for temporary files"):
        image_files.read_request_image("image_bytes", 0, data)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "orientation" not in kind and "IDAT" not in kind])
def test_a_damaged_file_is_read_or_refused_in_one_line(kind):
    data, _ = KINDS[kind]()
    random = np.random.default_rng(len(kind))
    for _ in range(25):
        damaged = bytearray(data[:10_000])
        for place in random.integers(0, len(damaged), 1 + random.integers(4)):
            damaged[place] = random.integers(256)
        damaged = bytes(damaged[: random.integers(len(damaged) // 2, len(damaged) + 1)])
        image_files.is_plain(damaged)
        pixels, refusal = outcome(pixels_to_decode, damaged)
        if refusal or pixels > 10**6:  # The latter are refused by the bound on pixels.
            assert "\n" not in str(refusal)
            continue
        image, refusal = outcome(image_files.read_request_image, "image_bytes", 0, damaged)
        if refusal:
            assert refusal.message.startswith("Input 'image_bytes', image 0 cannot be read: ")
        else:
            assert image.pixels.dtype == np.uint8 and image.pixels.shape[2] == 3


def outcome(function, *arguments):
    """The result of a function, or its error."""
    try:
        return function(*arguments), None
    except (ValueError, ServingError) as error:
        return None, error


def test_what_a_graph_asserts_reaches_a_client_as_a_sentence(live, tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def positive(x):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(x > 0), ["Above 0, please. Received:", x])]):
            return {"y": tf.identity(x)}

    save_module(tmp_path / "positive" / "1", serving_default=positive)
    with live_server(tmp_path) as server:
        with pytest.raises(grpc.RpcError) as caught:
            server.predict("positive", x=np.float32([1, -2]))
        status, answer = server.post("positive:predict", {"instances": [1, -2]})
    assert status == 400 and answer["error"] == caught.value.details() == "Above 0, please. Received: 1 -2"
    status, answer = live.post("dots:predict", {"instances": [{"seeds": 1, "classes": "cat"}]})
    assert status == 400 and answer["error"].startswith("`classes` must be among: bar, box")
