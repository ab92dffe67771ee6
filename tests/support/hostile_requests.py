"""Requests that no client should send: wrong, damaged, too large, too slow. Each is drawn from a seed."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
import socket
import struct
import zlib
from collections.abc import Callable

import grpc
from live_server import png, random_image

MODEL = "negative"
_PREDICT = f"/v1/models/{MODEL}:predict"
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")

OVERLOAD_STATUSES = frozenset({429, 503})
"""What the server answers where it has too much to do."""


class Attacker:
    """Sends hostile requests to a server and notes what it answers.

    Attributes:
        outcomes: kind of request and answer -> how often.
        faults: Requests that were answered as they should not be.
    """

    def __init__(self, rest_port: int, grpc_port: int, *, seed: int = 0) -> None:
        """Aims at a server on this machine that serves the model `negative`."""
        self.outcomes: dict[tuple[str, str], int] = {}
        self.faults: list[str] = []
        self._rest_port = rest_port
        self._channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", [("grpc.max_send_message_length", -1)])
        self._random = random.Random(seed)
        self._lingering: list[socket.socket] = []

    def send(self, count: int) -> None:
        """Sends so many requests, of all kinds in turn."""
        kinds = [*REST_BODIES, *GRPC_BODIES, *CONNECTIONS]
        for index in range(count):
            kind = kinds[index % len(kinds)]
            if kind in REST_BODIES:
                answer = self._post(REST_BODIES[kind](self._random))
            elif kind in GRPC_BODIES:
                answer = self._call(GRPC_BODIES[kind](self._random))
            else:
                answer = self._connect(CONNECTIONS[kind](self._random), leave=kind.startswith("left"))
            self._note(kind, answer)

    def close(self) -> None:
        """Drops all connections."""
        self._channel.close()
        for connection in self._lingering:
            connection.close()

    def _note(self, kind: str, answer: str) -> None:
        self.outcomes[kind, answer] = self.outcomes.get((kind, answer), 0) + 1
        if answer not in _ALLOWED:
            self.faults.append(f"{kind}: {answer}")

    def _post(self, body: bytes) -> str:
        head = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        return self._connect(_HEAD + head + body, leave=False)

    def _connect(self, data: bytes, *, leave: bool) -> str:
        connection = socket.create_connection(("127.0.0.1", self._rest_port), timeout=240)
        if leave:  # And keeps the connection open for a while, with others of its kind.
            self._lingering.append(connection)
            while len(self._lingering) > 20:
                self._lingering.pop(0).close()
        with contextlib.nullcontext() if leave else contextlib.closing(connection):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            if leave:
                return "left"
            return _status(connection)

    def _call(self, body: bytes) -> str:
        call = self._channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        try:
            call(body, timeout=240)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"


_ALLOWED = frozenset(
    {
        *("200", "400", "403", "404", "405", "408", "411", "413", "414", "417", "431", "closed", "left"),
        *(str(status) for status in OVERLOAD_STATUSES),
        *("OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"),
    }
)


def _status(connection: socket.socket) -> str:
    """The status of the answer; `closed` if the server had none."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n" not in received and (chunk := connection.recv(2**16)):
            received += chunk
    return received.split(b" ")[1].decode() if received.startswith(b"HTTP/1.") else "closed"


def _document(value: object, **more: object) -> bytes:
    return json.dumps({"instances": value, **more}).encode()


def _image(draw: random.Random) -> bytes:
    # Of a few sizes, since TensorFlow keeps what it prepares for each new one, up to a bound of its own.
    image = random_image(draw.choice([1, 7, 20, 33]), draw.choice([1, 7, 20, 33]))
    return png(image, draw.choice(_FORMATS))


def _as_body(data: bytes) -> bytes:
    return _document([{"b64": base64.b64encode(data).decode()}])


def _flipped(data: bytes, draw: random.Random, *, flips: int) -> bytes:
    damaged = bytearray(data)
    for _ in range(flips):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def _huge_png(draw: random.Random) -> bytes:
    size = draw.choice([2**15, 2**20, 2**31 - 1])
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(bytes(1000))), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _huge_other(draw: random.Random) -> bytes:
    return draw.choice(
        [
            b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";",
            b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 2**30, -(2**30), 1, 24, 0) + bytes(20),
            b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(30),
            b"RIFF\x64\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff" * 6 + bytes(70),
            b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a" + bytes(100),
        ]
    )


def _wrong_shape(draw: random.Random) -> bytes:
    value: object = draw.choice([0, 300, -1, 1.5, "x", None, True, 2**70])
    for _ in range(draw.randint(0, 12)):
        value = [value] * draw.randint(0, 3)
    return _document(value if isinstance(value, list) else [value], signature_name=draw.choice(["tensor", "float"]))


def _wrong_document(draw: random.Random) -> bytes:
    value = draw.choice([None, 1, "x", [], {}, [[]], [{}], {"b64": 1}, [{"b64": None}], [{"image_bytes": {}}]])
    key = draw.choice(["instances", "inputs", "instance", ""])
    name = draw.choice([None, 1, "", "no", "tensor", [], "\ud800"])
    return json.dumps({key: value, "signature_name": name}).encode()


REST_BODIES: dict[str, Callable[[random.Random], bytes]] = {
    "wrong JSON": lambda draw: _flipped(_document([[1.0, 2.0]] * 5), draw, flips=draw.randint(1, 9)),
    "cut JSON": lambda draw: _cut(_as_body(_image(draw)), draw),
    "deep JSON": lambda draw: b'{"instances": ' + draw.choice([b"[", b'{"a":']) * draw.randint(100, 200_000),
    "random bytes": lambda draw: draw.randbytes(draw.randint(0, 2000)),
    "long number": lambda draw: b'{"signature_name": "float", "instances": [%s]}' % (b"9" * draw.randint(20, 50_000)),
    "not a number": lambda draw: b'{"signature_name": "tensor", "instances": [[[[NaN, Infinity, -Infinity]]]]}',
    "wrong document": _wrong_document,
    "wrong shape": _wrong_shape,
    "ragged": lambda draw: _document([[[1, 2, 3]], [[1, 2]]], signature_name="tensor"),
    "long text among numbers": lambda draw: _document([1] * 1000 + ["x" * 100_000], signature_name="float"),
    "wrong base64": lambda draw: _document([{"b64": "".join(draw.choices("AZaz09+/=-_ \n%é", k=draw.randint(1, 99)))}]),
    "text for an image": lambda draw: _document(["no image"]),
    "cut image": lambda draw: _as_body(_cut(_image(draw), draw)),
    "damaged image": lambda draw: _as_body(_flipped(_image(draw), draw, flips=draw.randint(1, 20))),
    "huge PNG": lambda draw: _as_body(_huge_png(draw)),
    "huge image": lambda draw: _as_body(_huge_other(draw)),
    "too many pixels": lambda draw: _document([[[[0, 0, 0]] * 1001] * 1000], signature_name="tensor"),
    "too many rows": lambda draw: _document([[[[0, 0, 0]]]] * 1000, signature_name="tensor"),
    "empty dimensions": lambda draw: _document(draw.choice([[[]], [[[]]], [[[[]]]]]), signature_name="tensor"),
}


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _request(tensor: bytes, *, name: str = "images", signature: str = "tensor") -> bytes:
    spec = _field(1, MODEL.encode()) + _field(3, signature.encode())
    return _field(1, spec) + _field(2, _field(1, name.encode()) + _field(2, tensor))


def _tensor(dtype: int, sizes: tuple[int, ...], content: bytes = b"") -> bytes:
    shape = b"".join(_field(2, b"\x08" + _varint(size % 2**64)) for size in sizes)
    return b"\x08" + _varint(dtype) + _field(2, shape) + (_field(4, content) if content else b"")


_UINT8, _STRING = 4, 7


def _strange_tensor(draw: random.Random) -> bytes:
    sizes = tuple(draw.choice([-1, 0, 1, 2, 3, 10**6, 2**62]) for _ in range(draw.randint(0, 9)))
    dtype = draw.choice([0, 1, 3, _UINT8, _STRING, 8, 18, 20, 99])
    return _request(_tensor(dtype, sizes, draw.randbytes(draw.randint(0, 64))))


def _image_request(data: bytes) -> bytes:
    tensor = _tensor(_STRING, (1,)) + _field(8, data)
    return _request(tensor, name="image_bytes", signature="serving_default")


GRPC_BODIES: dict[str, Callable[[random.Random], bytes]] = {
    "gRPC of random bytes": lambda draw: b"\x0a" + _varint(200) + draw.randbytes(draw.randint(0, 300)),
    "gRPC of damaged bytes": lambda draw: _flipped(_request(_tensor(_UINT8, (1, 2, 2, 3), bytes(12))), draw, flips=3),
    "gRPC of strange tensors": _strange_tensor,
    "gRPC of huge shapes": lambda draw: _request(_tensor(_UINT8, (1, draw.choice([10**5, 10**9, 2**62]), 10**5, 3))),
    "gRPC of another rank": lambda draw: _request(_tensor(_UINT8, (2,) * draw.choice([1, 2, 3, 5, 6]), bytes(8))),
    "gRPC of damaged images": lambda draw: _image_request(_flipped(_image(draw), draw, flips=8)),
    "gRPC of huge images": lambda draw: _image_request(_huge_png(draw)),
    "gRPC too large": lambda draw: _image_request(bytes(5 * 2**20)),
    "gRPC for nobody": lambda draw: _field(1, _field(1, draw.randbytes(20).hex().encode())),
}

_HEAD = f"POST {_PREDICT} HTTP/1.1\r\nHost: localhost\r\n".encode()

CONNECTIONS: dict[str, Callable[[random.Random], bytes]] = {
    "no HTTP": lambda draw: draw.randbytes(draw.randint(1, 500)) + b"\r\n\r\n",
    "long headers": lambda draw: _HEAD + b"X: " + b"y" * draw.randint(10_000, 100_000) + b"\r\n\r\n",
    "many headers": lambda draw: _HEAD + b"X: y\r\n" * 5000 + b"\r\n",
    "wrong length": lambda draw: _HEAD + b"Content-Length: " + draw.choice([b"-1", b"x", b"9" * 30]) + b"\r\n\r\n",
    "too long": lambda draw: _HEAD + b"Content-Length: 99999999999\r\n\r\n",
    "wrong chunks": lambda draw: _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + draw.choice([b"zz\r\n", b"-1\r\n"]),
    "zip bomb": lambda draw: _gzipped(b" " * 2**23),
    "wrong gzip": lambda draw: _HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!",
    "strange URL": lambda draw: b"GET /%s HTTP/1.0\r\nHost: localhost\r\n\r\n" % draw.choice(_URLS),
    "another host": lambda draw: b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "left within headers": lambda draw: _cut(_HEAD, draw),
    "left within body": lambda draw: _HEAD + b"Content-Length: 1000\r\n\r\n{",
}

_URLS = (
    *(b"../../etc/passwd", b"%2e%2e%2f%2e%2e%2fetc%2fpasswd", b"page.js%00", b"v1/models/%00", b"v1/models/%ff"),
    *(b"v1/models/negative/versions/99999999999999999999", b"v1/models/negative/labels/x/metadata"),
    *(b"v1/models/negative/versions/-1", b"v1/models/..", b"v1/models/negative/metadata/x"),
    *(b"v1/" + b"x" * 5000, b"?" + b"a=b&" * 1000),
)


def _gzipped(content: bytes) -> bytes:
    body = gzip.compress(content)
    return _HEAD + b"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
