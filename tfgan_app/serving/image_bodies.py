"""REST requests with an image file as the body, answered with an image file: an extension of TensorFlow Serving."""

from __future__ import annotations

from aiohttp import web

from tfgan_app.serving import json_answers
from tfgan_app.serving.core import Call, Core
from tfgan_app.serving.endpoints import IMAGE_INPUT_SUFFIXES, Endpoint
from tfgan_app.serving.errors import Code, ServingError, shortened
from tfgan_app.serving.image_size import SIGNATURES
from tfgan_app.serving.tensors import string_array

_OUTPUT = "output_bytes"
_IMAGES = ("*/*", "image/*", "image/png")


def is_image_body(media_type: str, body: bytes) -> bool:
    """Returns whether a body is an image file, by its `Content-Type`.

    Args:
        media_type: Media type from aiohttp, in lower case and without parameters.
        body: The whole body, unpacked.

    Returns:
        False for a body to parse as JSON, of any type: TensorFlow Serving ignores the type.

    Raises:
        ServingError: WRONG_MEDIA_TYPE, for a form, or an image file announced as another type.
    """
    if media_type.startswith("image/"):
        return True
    if media_type.startswith("multipart/") or body.startswith(SIGNATURES):
        raise ServingError(
            Code.WRONG_MEDIA_TYPE,
            "A body must be JSON, or an image file whose Content-Type is image/png, image/jpeg or another of image/. "
            f"Received: {shortened(media_type)}.",
        )
    return False


async def answer(core: Core, call: Call, request: web.BaseRequest, body: bytes) -> web.Response:
    """Runs the default signature of a model on one image file.

    Args:
        core: Runs the signature.
        call: A call that is not yet resolved.
        request: The request; its `Accept` header selects the image or JSON.
        body: The image file.

    Returns:
        The PNG file that the model made. JSON as for one of `instances`, if the client accepts only that or the model's
        output is not an image.

    Raises:
        ServingError: WRONG_MEDIA_TYPE, if the model takes anything but one image. Also the errors of `Core.predict`.
    """
    with core.resolved(call) as endpoint:
        outputs = await core.predict(call, {_image_input(call, endpoint): string_array([body], (1,))})
    accepted = request.headers.get("Accept", "*/*").lower()
    wants_json = "json" in accepted and not any(kind in accepted for kind in _IMAGES)
    if set(outputs) == {_OUTPUT} and not wants_json:
        return web.Response(body=outputs[_OUTPUT][0], content_type="image/png")
    return web.Response(body=json_answers.write_outputs(outputs, True), content_type="application/json")


def _image_input(call: Call, endpoint: Endpoint) -> str:
    (name, *others) = endpoint.inputs
    if others or not name.endswith(IMAGE_INPUT_SUFFIXES) or not endpoint.has_rows:
        raise ServingError(
            Code.WRONG_MEDIA_TYPE,
            f"The model '{shortened(call.target.model)}' takes no image file as the body: send JSON with the inputs "
            f"{', '.join(endpoint.inputs)}.",
        )
    return name
