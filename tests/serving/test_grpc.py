"""gRPC, driven with the official stubs of tensorflow-serving-api."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from live_server import png, predict_request, random_image
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)
from tiny_generator import expected_image


def refused(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=240)
    return caught.value.code(), caught.value.details()


def test_files(live):
    images = [random_image(5, 4), random_image(2, 9)]
    outputs = live.predict("negative", image_bytes=[png(image) for image in images])["output_bytes"]
    for output, image in zip(outputs, images, strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(output), 255 - image)


def test_tensors(live):
    image = random_image(40, 31)[None]
    np.testing.assert_array_equal(live.predict("negative", "tensor", images=image)["outputs"], 255 - image)
    outputs = live.predict("negative", "float", images=image / np.float32(255))["outputs"]
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, 1 - image / np.float32(255), atol=1e-6)


def test_a_tensor_may_come_as_typed_values_and_the_last_one_stands_for_the_rest(live):
    request = predict_request("negative", "tensor")
    request.inputs["images"].dtype = tf.uint8.as_datatype_enum
    request.inputs["images"].tensor_shape.CopyFrom(tf.TensorShape([1, 2, 2, 3]).as_proto())
    request.inputs["images"].int_val.extend([1, 2])
    outputs = tf.make_ndarray(live.predictions.Predict(request).outputs["outputs"])
    assert outputs.ravel().tolist() == [254, *[253] * 11]


def test_a_generator(live):
    outputs = live.predict("dots", "tensor", seeds=np.array([3, 42]), labels=np.array([0, 1], np.int32))["outputs"]
    np.testing.assert_array_equal(outputs, [expected_image(3), expected_image(42, label=1)])


def test_the_answer_says_who_answered(live):
    for choose in (lambda spec: None, lambda spec: setattr(spec.version, "value", 7), by_label):
        request = predict_request("plain", x=np.float32([2]))
        choose(request.model_spec)
        spec = live.predictions.Predict(request).model_spec
        assert (spec.name, spec.version.value, spec.signature_name) == ("plain", 7, "serving_default")


def by_label(spec):
    spec.version_label = "stable"


def test_output_filter(live):
    request = predict_request("plain", "tags", tag=[b"a"], signal=np.array([[1, 2]]))
    request.output_filter.append("sum")
    assert list(live.predictions.Predict(request).outputs) == ["sum"]
    request.output_filter.append("sum")
    assert refused(live.predictions.Predict, request)[0] == grpc.StatusCode.INVALID_ARGUMENT
    request.output_filter[:] = ["no"]
    code, details = refused(live.predictions.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "output tensor alias not found in signature: no" in details


def test_metadata(live):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "negative"
    response = live.predictions.GetModelMetadata(request)
    assert response.model_spec.version.value == 1
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "tensor", "float"} <= set(signatures.signature_def)
    request.metadata_field[:] = ["other"]
    assert refused(live.predictions.GetModelMetadata, request)[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_status(live):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "plain"
    (status,) = live.models.GetModelStatus(request).model_version_status
    assert (status.version, status.state) == (7, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    request.model_spec.version.value = 8
    assert refused(live.models.GetModelStatus, request)[0] == grpc.StatusCode.NOT_FOUND


def test_health(live):
    health = health_pb2_grpc.HealthStub(live.channel)
    for service in ("", "tensorflow.serving.PredictionService"):
        response = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert response.status == health_pb2.HealthCheckResponse.SERVING
    assert refused(health.Check, health_pb2.HealthCheckRequest(service="no"))[0] == grpc.StatusCode.NOT_FOUND


def test_what_is_not_implemented_says_so(live):
    predictions, models = live.predictions, live.models
    for call, request in (
        (predictions.Classify, classification_pb2.ClassificationRequest()),
        (predictions.Regress, regression_pb2.RegressionRequest()),
        (predictions.MultiInference, inference_pb2.MultiInferenceRequest()),
        (models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()),
    ):
        assert refused(call, request)[0] == grpc.StatusCode.UNIMPLEMENTED


def huge(request):
    request.inputs["images"].tensor_shape.dim[1].size = 10**9


def contradictory(request):
    request.inputs["images"].tensor_shape.dim[1].size = 4


def negative_size(request):
    request.inputs["images"].tensor_shape.dim[1].size = -1


def another_type(request):
    request.inputs["images"].dtype = tf.float32.as_datatype_enum


def no_type(request):
    request.inputs["images"].dtype = 99


def another_rank(request):
    del request.inputs["images"].tensor_shape.dim[0]


def four_channels(request):
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(np.zeros((1, 3, 3, 4), np.uint8)))


def empty(request):
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(np.zeros((1, 0, 3, 3), np.uint8)))


def values_that_do_not_fit(request):
    request.inputs["images"].tensor_content = b""
    request.inputs["images"].int_val.extend([1000])


def another_input(request):
    request.inputs["more"].CopyFrom(request.inputs["images"])


def no_input(request):
    request.ClearField("inputs")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (huge, "must have at most 4000000 pixels"),
        (contradictory, "takes 36 bytes. Received: 27"),
        (negative_size, "must be known"),
        (another_type, "must be uint8. Received: float32"),
        (no_type, "must be uint8. Received: type number 99"),
        (another_rank, "must have the shape"),
        (four_channels, "must have the shape [any, any, any, 3]. Received: [1, 3, 3, 4]"),
        (empty, "is empty"),
        (values_that_do_not_fit, "values that are not valid uint8"),
        (another_input, "Not known: more"),
        (no_input, "Missing: images"),
    ],
)
def test_bad_tensors_never_reach_tensorflow(live, spoil, message):
    request = predict_request("negative", "tensor", images=np.zeros((1, 3, 3, 3), np.uint8))
    spoil(request)
    code, details = refused(live.predictions.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert message in details


def test_models_and_signatures_that_are_not_there(live):
    assert refused(live.predictions.Predict, predict_request("no"))[0] == grpc.StatusCode.NOT_FOUND
    code, details = refused(live.predictions.Predict, predict_request("plain", "no"))
    assert code == grpc.StatusCode.FAILED_PRECONDITION and '"no" not found' in details
