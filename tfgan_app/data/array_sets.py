"""Labeled images from keras.datasets and TensorFlow Datasets, as arrays.

Nothing is unpickled. `keras.datasets` reads Fashion-MNIST as bytes, and MNIST as an archive of plain numbers whose hash
it checks. The CIFAR sets are read from their binary archives, not from the pickled ones that Keras uses.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import keras
import numpy as np

from tfgan_app.caches import give_tfds_a_home
from tfgan_app.data.folders import VAL_NAMES
from tfgan_app.data.labeled import NO_LABEL, LabeledImages, LabeledSet, hold_out

_DIGITS = tuple("0123456789")
_CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
_CIFAR_SIZE_PX = 32
_MAX_REASON = 200
TFDS = "tfds:"
LOADING_HINT = "Check the name and the network, or use a folder of images."


def open_keras_set(name: str) -> LabeledSet:
    """Opens a data set of keras.datasets; a missing one is downloaded into the cache of Keras.

    Args:
        name: One of `KERAS_SETS`.

    Returns:
        A `LabeledSet`; its held-out images are the test part.

    Raises:
        ValueError: If there is no such set, or it cannot be loaded. The message is one line.
    """
    if name not in KERAS_SETS:
        raise ValueError(f"`keras:NAME` must name one of {', '.join(KERAS_SETS)}. Received: 'keras:{name}'.")
    with one_line_errors(f"keras:{name}", hint=LOADING_HINT):
        class_names, (train_images, train_labels), (val_images, val_labels) = KERAS_SETS[name]()
    return _split_set(
        f"keras:{name}", class_names, _as_images(train_images, train_labels), _as_images(val_images, val_labels)
    )


def open_tfds_set(name_and_split: str, *, val_fraction: float = 0.1, seed: int = 0) -> LabeledSet:
    """Opens a set of TensorFlow Datasets by its features `image` and, if present, `label`.

    Args:
        name_and_split: `NAME` uses the split `train` and holds out the split `validation` or else `test`;
            `NAME:SPLIT` uses that split, in any notation of TensorFlow Datasets, such as `train[:10%]`.
        val_fraction: Share of each class to hold out, in [0, 1], if there is no validation split.
        seed: Seed of the choice of held-out images.

    Returns:
        A `LabeledSet`.

    Raises:
        ValueError: If the package is missing, the set cannot be loaded, or its images are not all 8-bit gray or RGB of
            one size. The message is one line.
    """
    origin = f"tfds:{name_and_split}"
    name, _, split = name_and_split.partition(":")
    tfds = import_tfds()
    with one_line_errors(origin, hint=LOADING_HINT):
        builder = tfds.builder(name)
        builder.download_and_prepare()
        splits, features = set(builder.info.splits), builder.info.features
        feature_names = set(features.keys())
        class_names = tuple(getattr(features["label"], "names", None) or ()) if "label" in feature_names else ()
    if "image" not in feature_names:
        raise ValueError(f"'{origin}' has no feature `image`. It has: {', '.join(sorted(feature_names))}.")
    if not split and "train" not in splits:
        raise ValueError(
            f"'{origin}' has no split `train`. Use tfds:{name}:SPLIT with one of: {', '.join(sorted(splits))}."
        )
    val_split = None if split else next((known for known in VAL_NAMES if known in splits), None)
    train = _read_tfds_split(builder, split or "train", origin=origin, labeled=bool(class_names))
    if val_split:
        val = _read_tfds_split(builder, val_split, origin=origin, labeled=bool(class_names))
        return _split_set(origin, class_names, train, val)
    parts = hold_out(train, fraction=val_fraction, seed=seed)
    return LabeledSet(_layout(train), origin, class_names, *parts, True, _is_gray(train))


_Part = tuple[np.ndarray, np.ndarray]
"""uint8 images [images, height, width] or [images, height, width, channels], and labels of any integer type."""


def _load_keras_module(name: str, class_names: tuple[str, ...]) -> tuple[tuple[str, ...], _Part, _Part]:
    return class_names, *getattr(keras.datasets, name).load_data()


@dataclass(frozen=True)
class _CifarArchive:
    """A binary CIFAR archive: each record holds label bytes, of which the last is used, and three color planes."""

    file: str
    sha256: str
    folder: str
    train: tuple[str, ...]
    val: str
    class_names: str
    label_bytes: int

    def load(self) -> tuple[tuple[str, ...], _Part, _Part]:
        origin = f"https://www.cs.toronto.edu/~kriz/{self.file}"
        path = keras.utils.get_file(self.file, origin=origin, file_hash=self.sha256, hash_algorithm="sha256")
        with tarfile.open(path, "r:gz") as archive:
            contents = {
                name: archive.extractfile(f"{self.folder}/{name}").read()
                for name in (*self.train, self.val, self.class_names)
            }
        train = self._parse(b"".join(contents[name] for name in self.train))
        return tuple(contents[self.class_names].decode().split()), train, self._parse(contents[self.val])

    def _parse(self, contents: bytes) -> _Part:
        pixels = 3 * _CIFAR_SIZE_PX**2
        records = np.frombuffer(contents, np.uint8).reshape(-1, self.label_bytes + pixels)
        planes = records[:, self.label_bytes :].reshape(-1, 3, _CIFAR_SIZE_PX, _CIFAR_SIZE_PX)
        return planes.transpose(0, 2, 3, 1), records[:, self.label_bytes - 1]


_CIFAR10 = _CifarArchive(
    file="cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    val="test_batch.bin",
    class_names="batches.meta.txt",
    label_bytes=1,
)
_CIFAR100 = _CifarArchive(
    file="cifar-100-binary.tar.gz",
    sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    folder="cifar-100-binary",
    train=("train.bin",),
    val="test.bin",
    class_names="fine_label_names.txt",
    label_bytes=2,
)

KERAS_SETS: dict[str, Callable[[], tuple[tuple[str, ...], _Part, _Part]]] = {
    "mnist": lambda: _load_keras_module("mnist", _DIGITS),
    "fashion_mnist": lambda: _load_keras_module("fashion_mnist", _CLOTHES),
    "cifar10": _CIFAR10.load,
    "cifar100": _CIFAR100.load,
}
"""Sets of `keras:NAME`, with the functions that load their class names, training part and test part."""


def import_tfds() -> ModuleType:
    """Imports TensorFlow Datasets.

    Raises:
        ValueError: If it is not installed. The message is one line.
    """
    give_tfds_a_home()
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ValueError(
            f"`tfds:NAME` needs the package tensorflow-datasets ({_reason(error)})."
            " Install it: pip install 'tfgan_app[tfds]'"
        ) from error


def _read_tfds_split(builder: Any, split: str, *, origin: str, labeled: bool) -> LabeledImages:
    """Reads a whole split into memory."""
    with one_line_errors(origin, hint=LOADING_HINT):
        records = builder.as_dataset(split=split).as_numpy_iterator()
    pixels, labels, shape = bytearray(), [], None
    with one_line_errors(origin, hint="Save its images to a folder and use that."):
        for record in records:
            image = record["image"]
            shape = shape or image.shape
            if image.shape != shape or image.dtype != np.uint8 or shape[2] not in (1, 3):
                received = f"{image.dtype} {list(image.shape)} beside {list(shape)}"
                raise ValueError(f"expected 8-bit gray or RGB images of one size, received {received}")
            # One growing buffer: joining a list of arrays would take twice the memory.
            pixels += image.tobytes()
            labels.append(record["label"] if labeled else NO_LABEL)
        if not labels:
            raise ValueError(f"the split '{split}' is empty")
    return _as_images(np.frombuffer(pixels, np.uint8).reshape(-1, *shape), np.array(labels))


def _as_images(images: np.ndarray, labels: np.ndarray) -> LabeledImages:
    images = np.ascontiguousarray(images if images.ndim == 4 else images[..., None])
    names = [f"{number:06d}" for number in range(len(images))]
    return LabeledImages(names, labels.reshape(-1).astype(np.int32), images=images)


def _split_set(origin: str, class_names: tuple[str, ...], train: LabeledImages, val: LabeledImages) -> LabeledSet:
    return LabeledSet(_layout(train), origin, class_names, train, val, False, _is_gray(train))


def _layout(images: LabeledImages) -> str:
    height, width, channels = images.images.shape[1:]
    return f"an array of {'gray' if channels == 1 else 'RGB'} images, {width} x {height}"


def _is_gray(images: LabeledImages) -> bool:
    return images.images.shape[3] == 1


@contextlib.contextmanager
def one_line_errors(origin: str, *, hint: str) -> Iterator[None]:
    """Converts any error to a one-line ValueError, and sends download messages to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except Exception as error:  # Failed downloads raise a plain `Exception` in Keras, anything in TensorFlow Datasets.
        raise ValueError(f"Cannot load '{origin}': {_reason(error)}. {hint}") from error


def _reason(error: Exception) -> str:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return reason if len(reason) <= _MAX_REASON else f"{reason[:_MAX_REASON]}..."
