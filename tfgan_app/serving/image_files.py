"""Image files into and out of a model: more formats than its graph decodes, with alpha carried around it.

The decoder in a SavedModel ignores the orientation of most formats and some kinds of transparency. So anything but a
plain PNG or JPEG file is read as `predict` reads it, and passed to the model as a plain PNG file.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_app.image_io import DecodedImage, read_image
from tfgan_app.inference.image_pipeline import predict_image
from tfgan_app.model_info import ModelInfo
from tfgan_app.serving.endpoints import IMAGE_INPUT_SUFFIXES, Endpoint
from tfgan_app.serving.errors import Code, ServingError, from_tensorflow, invalid
from tfgan_app.serving.image_size import pixels_to_decode
from tfgan_app.serving.tensors import string_array

_CONTENT, _OUTPUT = "image_bytes", "output_bytes"
_PNG_LEVEL = 1
"""Compression level for files that the graph decodes at once."""

_ANSWER_LEVEL = 3
"""As in the graph itself, see `tfgan_app.export.endpoints.PNG_COMPRESSION`."""

_SHARED_MEMORY = "/dev/shm"
_ORIENTATION_TAG = 0x0112

# Chunks that affect how a PNG file looks besides its pixels. Found in other data, they only cost a conversion.
_TELLING_CHUNKS = (b"tRNS", b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")


@dataclass(frozen=True)
class ImageEndpoint(Endpoint):
    """A signature from image files to image files, one per row.

    Attributes:
        info: Description of the model. Without a scale, transparency is composited on white.
    """

    info: ModelInfo = field(default_factory=ModelInfo)

    @classmethod
    def wrap(cls, endpoint: Endpoint, info: ModelInfo) -> Endpoint:
        """Turns a signature for image files into an `ImageEndpoint`; returns any other unchanged.

        Args:
            endpoint: Any signature.
            info: Description of its model.
        """
        if _CONTENT not in endpoint.inputs or set(endpoint.outputs) != {_OUTPUT} or not endpoint.has_rows:
            return endpoint
        fields = {**vars(endpoint), "mergeable": False}  # Rows run one by one, so nothing would be gained.
        return cls(**fields, info=info)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the signature row by row, so that an unreadable file can be named.

        Args:
            inputs: Name -> checked array.

        Returns:
            `output_bytes`: PNG files as `bytes` objects, RGBA if the row's image had transparency.

        Raises:
            ServingError: INVALID_ARGUMENT, names the input and the row. Also the errors of the model.
        """
        count = len(inputs[_CONTENT])
        rows = [{name: array[index : index + 1] for name, array in inputs.items()} for index in range(count)]
        return {_OUTPUT: string_array([self._run_row(row, index) for index, row in enumerate(rows)], (count,))}

    def _run_row(self, row: Mapping[str, np.ndarray], index: int) -> bytes:
        files = {name: array[0] for name, array in row.items() if name.endswith(IMAGE_INPUT_SUFFIXES)}
        try:
            if all(map(is_plain, files.values())):
                try:
                    return self._answer(row, {})
                except tf.errors.InvalidArgumentError:  # The other decoder reads the file or gives a better reason.
                    pass
            return self._convert_and_run(
                row, {name: read_request_image(name, index, data) for name, data in files.items()}
            )
        except tf.errors.OpError as error:
            failure = from_tensorflow(error)
            raise ServingError(failure.code, f"Row {index}: {failure.message}") from error

    def _convert_and_run(self, row: Mapping[str, np.ndarray], images: Mapping[str, DecodedImage]) -> bytes:
        styles = {name: _png(on_white(image)) for name, image in images.items() if name != _CONTENT}
        content = images[_CONTENT]
        if self.info.kind == "inpainting":
            return self._answer(row, {**styles, _CONTENT: _png(_with_holes(content))})
        if content.alpha is None or self.info.scale is None:
            return self._answer(row, {**styles, _CONTENT: _png(on_white(content))})

        def predict(pixels: np.ndarray) -> np.ndarray:
            answer = self._answer(row, {**styles, _CONTENT: _png(pixels)})
            with Image.open(io.BytesIO(answer), formats=("PNG",)) as image:
                return np.asarray(image.convert("RGB"))

        _, strips = predict_image(_WholeImageModel(predict, self.info), content)
        return _png(np.concatenate(list(strips)), level=_ANSWER_LEVEL)

    def _answer(self, row: Mapping[str, np.ndarray], files: Mapping[str, bytes]) -> bytes:
        """Runs the graph on a row, some of whose files were converted."""
        converted = {name: string_array([data], (1,)) for name, data in files.items()}
        return super().run({**row, **converted})[_OUTPUT][0]


class _WholeImageModel:
    """A model of whole images, with the interface that `predict_image` needs."""

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray], info: ModelInfo) -> None:
        self.scale = info.scale
        self.info = replace(info, makes_color=True)  # Answers are RGB, even for gray images.
        self._predict = predict

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        del height, width, tile_px
        return None

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        return self.scale * height, self.scale * width

    def for_alpha(self) -> _WholeImageModel:
        return self

    def remarks(self, height: int, width: int) -> list[str]:
        del height, width
        return []

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        del tile_px
        yield self._predict(pixels).astype(np.float32) / 255.0


def is_plain(data: bytes) -> bool:
    """Returns whether a file is an upright, opaque 8-bit PNG or JPEG, which a graph decodes as Pillow does."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.mode not in ("L", "RGB") or not image.tile:
                return False
            if image.format == "PNG":
                return image.tile[0][3] == image.mode and not any(name in data for name in _TELLING_CHUNKS)
            return image.format == "JPEG" and image.getexif().get(_ORIENTATION_TAG, 1) == 1
    except Exception:  # Decoders fail on hostile bytes with almost any exception type.
        return False


def read_request_image(name: str, index: int, data: bytes) -> DecodedImage:
    """Reads a file as `predict` does, as 8-bit RGB.

    Args:
        name: Name of the input, for messages.
        index: Index of the row, for messages.
        data: The file, whose header `pixels_to_decode` can read.

    Returns:
        A `DecodedImage` of uint8 [height, width, 3], upright.

    Raises:
        ServingError: INVALID_ARGUMENT, if the file is damaged.
    """
    with _scratch_file(data) as path:
        try:
            # No more pixels than were counted, even if this decoder reads the header differently.
            image = read_image(path, max_pixels=pixels_to_decode(data))
        except ValueError as error:
            reason = str(error).partition(f"'{path}': ")[2] or str(error)
            raise invalid(f"Input '{name}', image {index} cannot be read: {reason}.") from None
    return DecodedImage(_in_8_bits(image.pixels) * np.ones(3, np.uint8), _in_8_bits(image.alpha))


@contextmanager
def _scratch_file(data: bytes) -> Iterator[str]:
    """Keeps bytes in a file, in memory if there is room, while the block runs."""
    with ExitStack() as files:
        for folder in (_SHARED_MEMORY, None):
            with suppress(OSError):
                file = files.enter_context(tempfile.NamedTemporaryFile(dir=folder, prefix="tfgan_app-", buffering=0))
                if file.write(data) == len(data):
                    break
        else:
            raise ServingError(Code.RESOURCE_EXHAUSTED, "The server has no room for temporary files. Try later.")
        yield file.name


def _in_8_bits(values: np.ndarray | None) -> np.ndarray | None:
    if values is None or values.dtype == np.uint8:
        return values
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def on_white(image: DecodedImage) -> np.ndarray:
    """Composites an image on white, as training data and a graph's decoder do: uint8 [height, width, 3]."""
    if image.alpha is None:
        return image.pixels
    alpha = image.alpha[..., None].astype(np.uint32)
    return ((image.pixels * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _with_holes(image: DecodedImage) -> np.ndarray:
    """uint8 [height, width, 4]: the fourth channel is 0 in holes (fully transparent pixels) and full elsewhere."""
    known = np.full(image.pixels.shape[:2], True) if image.alpha is None else image.alpha > 0
    return np.concatenate([image.pixels, np.where(known, 255, 0).astype(np.uint8)[..., None]], axis=-1)


def _png(pixels: np.ndarray, *, level: int = _PNG_LEVEL) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=level)
    return buffer.getvalue()
