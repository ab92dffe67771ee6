"""A .tflite file behind the interface of a Keras image model."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfgan_app.files import first_line
from tfgan_app.lite.files import Fill, read_card, read_file
from tfgan_app.lite.quiet import native_stderr_hidden

SIGNATURE = "serving_default"


class LiteModel:
    """Runner of a .tflite file with one signature `images` -> `outputs`, or `latents` (and `labels`) -> `outputs`.

    It accepts batches and floats for any file: images are processed one at a time, and the integers of an int8 file are
    converted.

    Attributes:
        card: Card of the file.
    """

    def __init__(self, source: str | os.PathLike | bytes, *, threads: int | None = None):
        """Loads a file.

        Args:
            source: Its path, or its bytes.
            threads: Threads of the interpreter; by default the number of cores available to this process.

        Raises:
            ValueError: If it is not such a file, was not written by `tfgan_app export`, or needs features that this
                runtime lacks. One line.
        """
        content = source if isinstance(source, bytes) else read_file(source)
        card = read_card(content)
        if card is None:
            raise ValueError("it has no card: only .tflite files from `tfgan_app export` are supported")
        self.card = card
        self._lock = threading.Lock()  # An interpreter has one input and one output at a time.
        try:
            with native_stderr_hidden():
                self._interpreter = Interpreter(model_content=content, num_threads=threads or _cores())
                self._interpreter.allocate_tensors()
            signature = self._interpreter.get_signature_list()[SIGNATURE]
        except (ValueError, RuntimeError, KeyError) as error:
            raise ValueError(f"this runtime cannot load it: {first_line(error)}") from error
        runner = self._interpreter.get_signature_runner(
            SIGNATURE
        )  # Not kept: it holds tensors, which prevents resizing.
        self._inputs, self._output = runner.get_input_details(), runner.get_output_details()["outputs"]
        self.input_names = tuple(
            name for name in ("images", "latents", "labels", "tokens") if name in signature["inputs"]
        )
        self._shapes = {name: tuple(self._inputs[name]["shape"]) for name in self.input_names}

    def takes(self, height: int, width: int) -> bool:
        """Returns whether it runs on images of a size, possibly extended by reflection."""
        tile_px = self.card.tile_px
        return self.card.sizes != "fixed" or tile_px is None or max(height, width) <= tile_px

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        """Runs the model.

        Args:
            *inputs: `images` float32 [batch, height, width, channels] in [0, 1]; or `latents` float32
                [batch, latent_dim], and `labels` int32 [batch] if there are classes, or `tokens` int32 [batch, length]
                for text.

        Returns:
            float32 [batch, scale * height, scale * width, 3], or the images of the latents, in [0, 1].

        Raises:
            ValueError: If the file does not support this image size, or LiteRT fails. One line.
        """
        arrays = [np.asarray(array) for array in inputs]
        if self.input_names == ("images",):
            images = [self._image(image[np.newaxis]) for image in arrays[0]]
            return images[0] if len(images) == 1 else np.concatenate(images)
        return np.concatenate(
            [self._run([array[index : index + 1] for array in arrays]) for index in range(len(arrays[0]))]
        )

    def _image(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[1:3]
        if not self.takes(height, width):
            size = self.card.tile_px
            raise ValueError(f"The model takes images of at most {size} x {size} px. Received: {width} x {height}.")
        padded = self._padded(image)
        outputs = self._run([padded])
        return outputs[:, : height * self.card.scale, : width * self.card.scale]

    def _padded(self, image: np.ndarray) -> np.ndarray:
        """Continued to a size that the file takes, as the network does for its strides; to a tile by mirroring."""
        if self.card.sizes == "any" or self.card.tile_px is None:
            return image
        for axis in (1, 2):
            size = image.shape[axis]
            wanted = -(-size // self.card.multiple) * self.card.multiple
            fill = self.card.fill
            if self.card.sizes == "fixed":
                wanted, fill = self.card.tile_px, "mirror"
            if wanted != size:
                image = _continued(image, wanted, axis=axis, fill=fill)
        return image

    def _resize(self, name: str, shape: tuple[int, ...]) -> None:
        if shape == self._shapes[name]:
            return
        try:
            self._interpreter.resize_tensor_input(self._inputs[name]["index"], shape)
            self._interpreter.allocate_tensors()
        except RuntimeError as error:
            raise ValueError(f"LiteRT cannot take {list(shape)}: {first_line(error)}") from error
        self._shapes[name] = shape

    def _run(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        named = dict(zip(self.input_names, arrays, strict=True))
        with self._lock:
            for name, array in named.items():
                self._resize(name, tuple(array.shape))
                self._interpreter.set_tensor(self._inputs[name]["index"], _quantized(array, self._inputs[name]))
            try:
                self._interpreter.invoke()
            except RuntimeError as error:
                raise ValueError(f"LiteRT failed: {first_line(error)}") from error
            outputs = self._interpreter.get_tensor(self._output["index"])
        return _dequantized(outputs, self._output)


def run_signature(content: bytes, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs a .tflite file with any outputs once, in floats.

    Args:
        content: The file; its inputs have fixed sizes.
        inputs: Name -> array in the size and units of the converted model.

    Returns:
        Name of each output -> float32.
    """
    interpreter = Interpreter(model_content=content, num_threads=_cores())
    runner = interpreter.get_signature_runner(SIGNATURE)
    details = runner.get_input_details()
    outputs = runner(**{name: _quantized(array, details[name]) for name, array in inputs.items()})
    return {name: _dequantized(outputs[name], described) for name, described in runner.get_output_details().items()}


def _quantized(array: np.ndarray, details: dict) -> np.ndarray:
    scale, zero_point = details["quantization"]
    dtype = details["dtype"]
    if not scale or np.issubdtype(dtype, np.floating):
        return np.ascontiguousarray(array, dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(array / scale) + zero_point, limits.min, limits.max).astype(dtype)


def _dequantized(array: np.ndarray, details: dict) -> np.ndarray:
    scale, zero_point = details["quantization"]
    if not scale or np.issubdtype(array.dtype, np.floating):
        return np.asarray(array, np.float32)  # The interpreter returns copies of its tensors.
    outputs = array.astype(np.float32)
    outputs -= np.float32(zero_point)
    outputs *= np.float32(scale)
    return outputs


def _continued(image: np.ndarray, wanted: int, *, axis: int, fill: Fill) -> np.ndarray:
    size = image.shape[axis]
    if fill == "mirror":
        return np.take(image, _mirrored(wanted, size), axis=axis)
    widths = [(0, wanted - size if each == axis else 0) for each in range(image.ndim)]
    return np.pad(image, widths, mode="edge" if fill == "edge" else "constant")


def _mirrored(wanted: int, size: int) -> np.ndarray:
    """Indices 0 to `size` - 1 and back again, `wanted` of them."""
    folded = np.arange(wanted) % max(2 * size - 2, 1)
    return np.minimum(folded, max(2 * size - 2, 1) - folded)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_lite_model(path: str | os.PathLike, *, threads: int | None = None) -> LiteModel:
    """Loads a file; errors name it.

    Raises:
        ValueError: As for `LiteModel`. One line.
    """
    try:
        return LiteModel(path, threads=threads)
    except (ValueError, OSError) as error:
        raise ValueError(f"Cannot load the LiteRT model '{Path(path)}': {error}") from error
