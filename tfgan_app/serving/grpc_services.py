"""gRPC: PredictionService and ModelService of TensorFlow Serving, and the standard health service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgan_app.serving import messages
from tfgan_app.serving.core import Core, Target
from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.tensors import read_inputs, write_output

_SIGNATURES = "signature_def"


async def _answer(context: grpc.aio.ServicerContext, work: Awaitable) -> Any:
    """Awaits an answer; an error ends the call with its status."""
    try:
        return await work
    except ServingError as error:
        await context.abort(grpc.StatusCode[error.code.grpc_name], error.message)


def _target(spec: Any) -> Target:
    which = spec.WhichOneof("version_choice")
    return Target(
        spec.name,
        version=spec.version.value if which == "version" else None,
        label=spec.version_label if which == "version_label" else None,
        signature=spec.signature_name,
    )


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the methods on `tf.Example` are not implemented."""

    def __init__(self, core: Core) -> None:
        """Answers with `core`."""
        self._core = core

    async def Predict(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Runs a signature of a model."""
        return await _answer(context, self._predict(request, context.time_remaining()))

    async def _predict(self, request: Any, seconds: float | None) -> Any:
        core = self._core
        with core.call(_target(request.model_spec), protocol="grpc") as call:
            with core.resolved(call) as endpoint:
                inputs = read_inputs(request.inputs, endpoint, max_pixels=core.max_pixels(call))
                outputs = await core.predict(call, inputs, output_filter=request.output_filter, timeout_seconds=seconds)
            response = predict_pb2.PredictResponse()
            response.model_spec.name = call.model.name
            response.model_spec.version.value = call.model.version
            response.model_spec.signature_name = endpoint.name
            for name, array in outputs.items():
                write_output(response.outputs[name], array)
            return response

    async def GetModelMetadata(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Returns the signatures of a model."""
        return await _answer(context, self._metadata(request))

    async def _metadata(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise invalid(f"Metadata field {shortened(field)} is not supported. Supported: {_SIGNATURES}.")
        target = _target(request.model_spec)
        with self._core.catalog.use(target.model, version=target.version, label=target.label) as model:
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = model.name
            response.model_spec.version.value = model.version
            signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signature_defs)
            response.metadata[_SIGNATURES].Pack(signatures)
            return response

    async def Classify(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Not implemented."""
        await _not_implemented(context, "Classify")

    async def Regress(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Not implemented."""
        await _not_implemented(context, "Regress")

    async def MultiInference(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Not implemented."""
        await _not_implemented(context, "MultiInference")


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the folder determines what is served, not requests."""

    def __init__(self, core: Core) -> None:
        """Answers with `core`."""
        self._core = core

    async def GetModelStatus(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Returns the states of the versions of a model."""
        return await _answer(context, self._status(request))

    async def _status(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        target = _target(request.model_spec)
        return messages.model_status(self._core.catalog, target.model, version=target.version, label=target.label)

    async def HandleReloadConfigRequest(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Not implemented."""
        await _not_implemented(context, "HandleReloadConfigRequest", "Models are found in the server's folder.")


async def _not_implemented(context: grpc.aio.ServicerContext, method: str, instead: str = "Use Predict.") -> None:
    await context.abort(grpc.StatusCode[Code.UNIMPLEMENTED.grpc_name], f"{method} is not implemented. {instead}")


class HealthService(health_pb2_grpc.HealthServicer):
    """Health of the server as a whole, of its services by name, and of its models by name."""

    def __init__(self, core: Core) -> None:
        """Answers with `core`."""
        self._core = core

    async def Check(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Returns SERVING or NOT_SERVING."""
        catalog, name = self._core.catalog, request.service
        if name in ("", *_SERVICE_NAMES):
            serving = catalog.ready
        elif name in catalog.names():
            serving = bool(catalog.available()[name])
        else:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"There is no service or model {shortened(name)}.")
        state = "SERVING" if serving and not self._core.draining else "NOT_SERVING"
        status = health_pb2.HealthCheckResponse.ServingStatus.Value(state)
        return health_pb2.HealthCheckResponse(status=status)


_SERVICE_NAMES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


def add_services(server: grpc.aio.Server, core: Core) -> None:
    """Registers all services."""
    add: list[tuple[Callable, Any]] = [
        (prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server, PredictionService(core)),
        (model_service_pb2_grpc.add_ModelServiceServicer_to_server, ModelService(core)),
        (health_pb2_grpc.add_HealthServicer_to_server, HealthService(core)),
    ]
    for register, service in add:
        register(service, server)
