"""Errors for clients, with their codes and messages in REST and gRPC."""

from __future__ import annotations

import enum
import re

import tensorflow as tf

_MAX_MESSAGE_CHARS = 500
"""Longest text from TensorFlow or quoted from the client."""


class Code(enum.Enum):
    """Kinds of failure, each with its gRPC status and the HTTP status that TensorFlow Serving uses."""

    CANCELLED = ("CANCELLED", 499)
    INVALID_ARGUMENT = ("INVALID_ARGUMENT", 400)
    FAILED_PRECONDITION = ("FAILED_PRECONDITION", 400)
    PERMISSION_DENIED = ("PERMISSION_DENIED", 403)
    NOT_FOUND = ("NOT_FOUND", 404)
    WRONG_METHOD = ("UNIMPLEMENTED", 405)
    TOO_SLOW = ("DEADLINE_EXCEEDED", 408)
    TOO_LARGE = ("RESOURCE_EXHAUSTED", 413)
    WRONG_MEDIA_TYPE = ("INVALID_ARGUMENT", 415)
    EXPECTATION_FAILED = ("FAILED_PRECONDITION", 417)
    RESOURCE_EXHAUSTED = ("RESOURCE_EXHAUSTED", 429)
    INTERNAL = ("INTERNAL", 500)
    UNIMPLEMENTED = ("UNIMPLEMENTED", 501)
    UNAVAILABLE = ("UNAVAILABLE", 503)
    DEADLINE_EXCEEDED = ("DEADLINE_EXCEEDED", 504)

    def __init__(self, grpc_name: str, http_status: int) -> None:
        self.grpc_name = grpc_name
        self.http_status = http_status


class ServingError(Exception):
    """A failure that is reported to the client.

    Attributes:
        code: Kind of failure.
        message: One line with what was expected, what was received and what to do.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ServingError:
    """Error for a request that no server could answer."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def shortened(text: str, *, max_chars: int = 80) -> str:
    """Text of a client on one line, cut to a useful length."""
    text = " ".join(text.split())
    return text if len(text) <= max_chars else f"{text[:max_chars]}..."


_OF_INPUTS = (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError, tf.errors.FailedPreconditionError)

# Text around the reason in the message of an op that failed inside a graph.
_FRAME = re.compile(
    r"^(Graph execution error:|Detected at node .*|<stack traces unavailable>"
    r"|\(\d+\) \w+: .*Detected at node.*|\t? ?\[\[\{\{node.*)$"
)
_OP_PREFIX = re.compile(r"^\{\{function_node [^}]*\}\}\s*")
_ASSERTION = re.compile(r"assertion failed: (\[.*\])", re.DOTALL)
_OP_SUFFIX = re.compile(r"\s*\[Op:[^\]]*\]\s*$|\s*\[\[\{\{node[^\]]*\]\]")


def from_tensorflow(error: Exception) -> ServingError:
    """Error for the client from an exception that TensorFlow raised while it ran a model.

    Args:
        error: The exception.

    Returns:
        INVALID_ARGUMENT if TensorFlow blames the inputs, RESOURCE_EXHAUSTED if memory ran out, otherwise INTERNAL.
    """
    if isinstance(error, ServingError):
        return error
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    lines = [_OP_PREFIX.sub("", line) for line in message.splitlines() if not _FRAME.match(line)]
    lines = [_OP_SUFFIX.sub("", line).strip() for line in lines]
    reason = _ASSERTION.sub(_assertion_text, " ".join(line for line in lines if line) or message)
    reason = shortened(reason, max_chars=_MAX_MESSAGE_CHARS)
    if isinstance(error, _OF_INPUTS):
        return invalid(reason)
    if isinstance(error, (tf.errors.ResourceExhaustedError, MemoryError)):
        return ServingError(Code.RESOURCE_EXHAUSTED, f"Out of memory, send less at once: {reason}")
    return ServingError(Code.INTERNAL, f"The model failed: {reason}")


def _assertion_text(assertion: re.Match) -> str:
    """Text and values of `tf.debugging.Assert`, which prints each in brackets."""
    return " ".join(part.strip("[]") for part in assertion[1].split("] ["))
