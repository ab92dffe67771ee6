"""New versions, broken ones, drains, warm-up and the end of the server."""

from __future__ import annotations

import gc
import shutil
import socket
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from lanes import first_quick
from live_server import (
    UNTIL_RELEASED,
    export_negative,
    held_sleepers,
    live_server,
    predict_request,
    random_image,
    save_sleeper,
)
from tensorflow_serving.apis import prediction_log_pb2

from tfgan_app.model_info import ModelInfo
from tfgan_app.serving.entries import State

IMAGE = random_image(3, 3)[None]


def answers(level):
    """The result of `export_negative(level=level)` for `IMAGE`."""
    return np.rint(np.clip(level - IMAGE / 255, 0, 1) * 255).astype(np.uint8)


def predict(live, model="negative"):
    return live.predict(model, "tensor", images=IMAGE)["outputs"]


def test_new_versions_and_models_are_loaded_while_the_server_runs(tmp_path):
    export_negative(tmp_path)
    with live_server(tmp_path) as live:
        np.testing.assert_array_equal(predict(live), answers(1.0))
        export_negative(tmp_path, level=0.5)
        live.wait_until(lambda: "negative version 1 is unloaded" in live.reports)
        np.testing.assert_allclose(predict(live), answers(0.5), atol=1)
        _, answer = live.request("GET", "/v1/models/negative")
        assert [version["version"] for version in answer["model_version_status"]] == ["2"]
        export_negative(tmp_path, "another")
        live.wait_until(lambda: "another version 1 is available" in live.reports)
        np.testing.assert_array_equal(predict(live, "another"), answers(1.0))
        shutil.rmtree(tmp_path / "another")
        live.wait_until(lambda: "another version 1 is unloaded" in live.reports)
        assert live.post("another:predict", {"instances": [1]})[0] == 404


@pytest.mark.large
def test_the_folder_of_one_model_and_no_models_yet(tmp_path):
    (tmp_path / "negative").mkdir()
    with live_server(tmp_path / "negative", wait=False) as live:
        live.wait_until(lambda: live.request("GET", "/readyz")[0] == 200)
        assert live.request("GET", "/v1/models") == (200, {"models": []})
        export_negative(tmp_path)
        live.wait_until(lambda: "negative version 1 is available" in live.reports)
        np.testing.assert_array_equal(predict(live), answers(1.0))


@pytest.mark.large
def test_several_versions_can_be_kept(tmp_path):
    for level in (1.0, 0.5, 0.25):
        export_negative(tmp_path, level=level)
    config = 'model_config_list { config { name: "negative" version_labels { key: "old" value: 1 } } }'
    with live_server(tmp_path, keep_versions=2) as live:
        assert sorted(live.reports) == ["negative version 2 is available", "negative version 3 is available"]
        request = predict_request("negative", "tensor", images=IMAGE)
        request.model_spec.version.value = 2
        outputs = live.predictions.Predict(request).outputs["outputs"]
        np.testing.assert_allclose(tf.make_ndarray(outputs), answers(0.5), atol=1)
        (tmp_path / "models.config").write_text(config)
        live.wait_until(lambda: "negative version 1 is available" in live.reports)
        request.model_spec.version_label = "old"
        np.testing.assert_array_equal(
            tf.make_ndarray(live.predictions.Predict(request).outputs["outputs"]), answers(1.0)
        )
        (tmp_path / "models.config").write_text("no {")
        live.wait_until(lambda: any("is not a ModelServerConfig" in line for line in live.reports))
        assert live.predictions.Predict(request).model_spec.version.value == 1


@pytest.mark.large
def test_a_broken_version_is_named_once_and_the_one_before_serves_on(tmp_path):
    path = export_negative(tmp_path)
    broken = tmp_path / "negative" / "2"
    broken.mkdir()
    with live_server(tmp_path) as live:
        (broken / "saved_model.pb").write_bytes(b"half of a mod")
        live.wait_until(lambda: any("cannot be loaded" in line for line in live.reports))
        time.sleep(0.3)
        assert len([line for line in live.reports if "version 2 cannot be loaded" in line]) == 1
        np.testing.assert_array_equal(predict(live), answers(1.0))
        assert live.request("GET", "/readyz")[0] == 200
        _, answer = live.request("GET", "/v1/models/negative/versions/2")
        (failed,) = answer["model_version_status"]
        assert failed["state"] == "END" and failed["status"]["error_message"]
        shutil.copytree(path, broken, dirs_exist_ok=True)
        live.wait_until(lambda: "negative version 2 is available" in live.reports)


def half_a_copy(source, path):
    """A version whose variables are still missing."""
    shutil.copytree(source, path, ignore=shutil.ignore_patterns("variables"))


@pytest.mark.parametrize("spoil", first_quick([lambda source, path: path.mkdir(parents=True), half_a_copy]))
def test_a_broken_model_has_a_status_of_its_own_and_the_server_stays_ready(tmp_path, spoil):
    source = export_negative(tmp_path)
    broken = tmp_path / "broken" / "1"
    with live_server(tmp_path) as live:
        spoil(source, broken)
        if not (broken / "saved_model.pb").exists():
            (broken / "saved_model.pb").write_bytes(b"junk")
        live.wait_until(lambda: any("broken version 1 cannot be loaded" in line for line in live.reports))
        assert live.request("GET", "/readyz")[0] == 200
        (failed,) = live.request("GET", "/v1/models/broken")[1]["model_version_status"]
        assert failed["state"] == "END" and failed["status"]["error_message"]
        states = {model["name"]: model["state"] for model in live.request("GET", "/v1/models")[1]["models"]}
        assert states == {"negative": "AVAILABLE", "broken": "END"}
        status, answer = live.post("broken:predict", {"instances": [1]})
        assert status == 404 and "It cannot be loaded: " in answer["error"]
        assert b'tfgan_model_failed{model="broken",version="1"} 1.0' in live.request("GET", "/metrics")[1]
        check = health_pb2_grpc.HealthStub(live.channel).Check
        serving = {
            name: check(health_pb2.HealthCheckRequest(service=name)).status for name in ("", "negative", "broken")
        }
        states = health_pb2.HealthCheckResponse
        assert serving == {"": states.SERVING, "negative": states.SERVING, "broken": states.NOT_SERVING}
        np.testing.assert_array_equal(predict(live), answers(1.0))
        shutil.copytree(source, broken, dirs_exist_ok=True)
        live.wait_until(lambda: "broken version 1 is available" in live.reports)
        assert check(health_pb2.HealthCheckRequest(service="broken")).status == states.SERVING


@pytest.mark.large
def test_models_are_served_on_while_their_folder_is_away(tmp_path):
    root = tmp_path / "models"
    export_negative(root)
    with live_server(root) as live:
        root.rename(tmp_path / "away")
        live.wait_until(lambda: any("cannot be read: No such file" in line for line in live.reports))
        time.sleep(0.3)
        assert len(live.reports) == 2
        np.testing.assert_array_equal(predict(live), answers(1.0))
        assert live.request("GET", "/readyz")[0] == 200
        (tmp_path / "away").rename(root)
        live.wait_until(lambda: f"'{root}' can be read again" in live.reports)
        assert len(live.reports) == 3


def test_what_is_not_a_version_is_not_touched(tmp_path):
    path = export_negative(tmp_path)
    for name in (".tmp-3", "03", "4.part", "-1", "x"):
        shutil.copytree(path, path.parent / name)
    (path.parent / "9").mkdir()
    shutil.copytree(path.parent, tmp_path / ".hidden")
    with live_server(tmp_path) as live:
        assert live.reports == ["negative version 1 is available"]


def test_an_overtaken_version_answers_what_it_has_begun_and_its_memory_is_freed(tmp_path):
    save_sleeper(tmp_path)
    with live_server(tmp_path) as live, ThreadPoolExecutor(1) as pool, held_sleepers() as release:
        catalog = live.server._catalog
        old = weakref.ref(catalog.available()["sleeper"][1])
        answer = pool.submit(live.predict, "sleeper", seconds=np.float32([UNTIL_RELEASED]))
        live.wait_until(lambda: old().users)
        save_sleeper(tmp_path, version=2)
        live.wait_until(lambda: "sleeper version 2 is available" in live.reports)
        live.wait_until(lambda: catalog.statuses("sleeper", version=1)[1].state is State.UNLOADING)
        assert not answer.done()
        release()
        assert answer.result(240)["seconds"] == [UNTIL_RELEASED]
        live.wait_until(lambda: "sleeper version 1 is unloaded" in live.reports)
        gc.collect()
        assert old() is None


def record_warm_up(version, *requests):
    folder = version / "assets.extra"
    folder.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def test_warm_up_requests_are_replayed_before_a_version_answers(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr("tfgan_app.serving.saved_models.Endpoint.run", lambda self, inputs: ran.append(self.name) or {})
    monkeypatch.setattr("tfgan_app.serving.saved_models._info", lambda endpoints: ModelInfo(kind="other"))
    version = export_negative(tmp_path)
    request = predict_request("negative", "tensor", images=IMAGE)
    record_warm_up(version, request, predict_request("negative", "float", images=IMAGE / np.float32(255)))
    with live_server(tmp_path):
        assert ran == ["tensor", "float"]


@pytest.mark.large
def test_what_is_recorded_may_be_more_than_clients_may_ask_for(tmp_path):
    record_warm_up(export_negative(tmp_path), predict_request("negative", "tensor", images=np.repeat(IMAGE, 9, axis=0)))
    with live_server(tmp_path, max_batch=2, max_pixels=10) as live:
        assert live.request("GET", "/readyz")[0] == 200


@pytest.mark.large
def test_a_version_whose_warm_up_fails_is_not_served(tmp_path):
    record_warm_up(export_negative(tmp_path), predict_request("negative", "tensor", images=IMAGE[0]))
    with live_server(tmp_path, wait=False) as live:
        live.wait_until(lambda: live.reports)
        assert "warm-up request 1" in live.reports[0] and "must have the shape" in live.reports[0]
        assert live.request("GET", "/readyz")[0] == 503


def test_a_stopped_server_finishes_what_has_begun(tmp_path):
    save_sleeper(tmp_path)
    with live_server(tmp_path) as live, ThreadPoolExecutor(2) as pool, held_sleepers() as release:
        by_grpc = pool.submit(live.predict, "sleeper", seconds=np.float32([UNTIL_RELEASED]))
        by_rest = pool.submit(live.post, "sleeper:predict", {"instances": [UNTIL_RELEASED]})
        live.wait_until(lambda: live.server._core.calls == 2)
        port = live.server.rest_port
        stopping = threading.Thread(target=live.run, args=(live.server.stop(),))
        stopping.start()
        live.wait_until(lambda: live.server._core.draining)
        release()
        assert by_rest.result(240) == (200, {"predictions": [UNTIL_RELEASED]})
        assert by_grpc.result(240)["seconds"] == [UNTIL_RELEASED]
        stopping.join()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        live.server.stop = _nothing


async def _nothing():
    """A server that has already been stopped."""
